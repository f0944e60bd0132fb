// A large import runs beside the web's process, which goes on answering.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bundleImportChild } from "#/scripts/build/import-child.ts";
import { closePool } from "#/server/db.ts";
import { program, requestOf } from "#/server/identity/testing.ts";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";
import { applyText, refusal, smallPlant } from "./edit-testing.ts";
import { importProgress, importTable } from "./import-apart.ts";
import { importProgram } from "./import-program.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await aDatabase();
  process.env.DATABASE_URL = db.url; // the child's, too
  await applyText(db, smallPlant);
});
afterAll(async () => {
  await closePool();
  await db.drop();
});

const rows = (count: number, role: string) =>
  new TextEncoder().encode(
    `machine,key,role,topic\n${Array.from({ length: count }, (_, i) => `berlin/hall/l1/m1,s${i},${role},a/very/long/topic/of/some/machine/${i}`).join("\n")}\n`,
  );
const run = (isApplied: boolean, bytes: Uint8Array, ...of: [string?]) =>
  importTable(requestOf(db, program), { sheet: "signals", isApplied, why: "As the list says" }, bytes, ...of);

it("previews and applies as a small one does, one at a time", async () => {
  const large = rows(4_000, "measurement");
  const first = run(false, large);
  expect((await refusal(run(false, large))).code).toBe("CONFLICT");
  expect(await first).toMatchObject({ rows: 4_000, wrong: 0, summary: "4000 added" });
  const steps = new Set<string>();
  const looking = setInterval(() => {
    const told = importProgress(program);
    if (told) steps.add(told.progress.step === "writing" ? `${told.progress.done} of ${told.progress.of}` : told.progress.step);
  }, 5);
  expect(await run(true, large)).toMatchObject({ wrong: 0, summary: "4000 added" });
  clearInterval(looking);
  expect([...steps]).toEqual(expect.arrayContaining(["checking", "2000 of 4000", "recording"]));
  expect([importProgress(program), importProgress({ ...program, id: "else" } as typeof program)]).toEqual([null, null]);
  expect(
    await db.rows(
      "select count(*)::int as n from signal where key like 's%' and role = 'measurement' and machine_id = (select id from machine where key = 'm1')",
    ),
  ).toEqual([{ n: 4_000 }]);
  expect(await db.rows("select distinct actor_name, action, why from audit_entry where subject_kind = 'signal' and action like '%imported'")).toEqual([
    { actor_name: "Test", action: "plant.signals_imported", why: "As the list says" },
  ]);
  const wrong = rows(4_000, "hot");
  expect(await run(false, wrong)).toMatchObject({ wrong: 4_000 });
  expect(await refusal(run(true, wrong))).toMatchObject({
    code: "RULE_BROKEN",
    sentence: expect.stringMatching(/^4000 cells are wrong; nothing was imported\./),
  });
});

it("needs nothing beside it as it is built: one file, where there is neither project nor packages", async () => {
  const folder = mkdtempSync(join(tmpdir(), "takt-import-"));
  try {
    await bundleImportChild(join(folder, "import-child.mjs"));
    expect(await run(false, rows(4_000, "hot"), importProgram(folder))).toMatchObject({ rows: 4_000, wrong: 4_000 });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

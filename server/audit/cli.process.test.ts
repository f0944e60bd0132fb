import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aDatabase, aLine, type TestDatabase } from "#/server/testing.ts";
import { headPublisher } from "./publish.ts";
import { forge, rehash } from "./testing.ts";

const folder = mkdtempSync(join(tmpdir(), "takt-audit-"));
let db: TestDatabase;
let siteId: number;
beforeAll(async () => {
  db = await aDatabase();
  const line = await aLine(db);
  siteId = line.siteId;
  await db.rows("update line set name = 'Line 1' where id = $1", [line.lineId]);
});
afterAll(async () => {
  await db.drop();
  rmSync(folder, { recursive: true, force: true });
});

describe("npm run audit", () => {
  const run = (args: string[], env: Record<string, string> = {}) =>
    new Promise<{ code: number; out: string; err: string }>((resolve) => {
      const child = execFile(
        process.execPath,
        ["server/audit/cli.ts", ...args],
        { env: { ...process.env, AUDIT_HEAD_FILE: "", DATABASE_URL: db.url, ...env } },
        (error, out, err) => resolve({ code: error ? (child.exitCode ?? 1) : 0, out, err }),
      );
    });

  it("heads, then verify with them: whole, and exit code 1 with the place once somebody has rewritten it", async () => {
    const file = join(folder, "heads.jsonl");
    const { out: printed } = await run(["heads"]);
    writeFileSync(file, printed);
    const whole = await run(["verify", "--heads", file]);
    expect([whole.code, whole.err]).toEqual([0, ""]);
    expect(whole.out).toMatch(/^Compared with 2 published heads in .*heads\.jsonl\.\nThe audit trail is whole: \d+ entries in 2 chains, [\d.]+ s\.\n$/);
    const alone = await run(["verify"]);
    expect(alone.out).toMatch(/^Compared with the database's own heads alone: .*--heads FILE\.\nThe audit trail is whole/);

    await forge(db, siteId, `update audit_entry set action = 'x' where chain = $site and seq = 3; ${rehash}`);
    const broken = await run(["verify"], { AUDIT_HEAD_FILE: file });
    expect(broken.code).toBe(1);
    expect(broken.err).toMatch(
      /^Chain \d+ \(site-\d+\): entry 4 is not the one that was published on .*\ntakt audit: The audit trail is BROKEN: 1 fault \(.*\)\.\n$/,
    );
  });

  it("fails where the heads that were published are gone, emptied or cut, and not before the first were", async () => {
    const own = await aDatabase();
    try {
      await aLine(own);
      const file = join(folder, "own.jsonl");
      const verify = (env: Record<string, string> = { AUDIT_HEAD_FILE: file }) => run(["verify"], { DATABASE_URL: own.url, ...env });
      expect(await verify()).toMatchObject({ code: 0, err: "" });
      const publish = headPublisher({ file, mail: null, mqtt: null });
      await publish(own, new Date());
      await aLine(own);
      await publish(own, new Date());
      const text = readFileSync(file, "utf8");
      expect(await verify()).toMatchObject({ code: 0, err: "" });
      const alone = await verify({});
      expect(alone).toMatchObject({ code: 2, out: expect.stringContaining(`Heads were published to AUDIT_HEAD_FILE (${file}), 2 times, last at `) });
      expect(alone.out).toContain("It was not compared with any of the heads that were published.");

      rmSync(file);
      const gone = await verify();
      expect(gone.code).toBe(1);
      expect(gone.err).toMatch(
        /^AUDIT_HEAD_FILE \(.*own\.jsonl\) is not there, but the trail says that heads were published 2 times, last at .*BROKEN: 1 fault/s,
      );
      writeFileSync(file, "");
      expect(await verify()).toMatchObject({ code: 1, err: expect.stringContaining("holds no heads, but the trail says") });
      const lines = text.split("\n");
      for (const kept of [lines.slice(0, 2), lines.slice(-3)]) {
        writeFileSync(file, `${kept.join("\n")}\n`);
        expect(await verify()).toMatchObject({ code: 1, err: expect.stringMatching(/lacks \d of the 4 heads that the trail says were published there/) });
      }
      writeFileSync(file, text);
      expect((await verify()).code).toBe(0);
    } finally {
      await own.drop();
    }
  });

  it("says that one role is guarded less", async () => {
    expect((await run(["verify"], { DATABASE_URL: db.ownerUrl })).out).toContain(
      "The application may by its role change the trail: it is guarded by triggers alone.",
    );
  });

  it("says in one line what is wrong with what it was given", async () => {
    const file = join(folder, "damaged.jsonl");
    writeFileSync(file, 'Dear Sir\n> {"chain":1,"site":null,"seq":0}\n');
    const said = async (args: string[], env = {}) => (await run(args, env)).err;
    expect(await said(["verify", "--heads", file])).toBe(`takt audit: ${file} was damaged: line 2 is no head of a chain. Take a copy that is whole.\n`);
    expect(await said(["verify", "--heads", join(folder, "none")])).toMatch(/^takt audit: .* cannot be read: ENOENT/);
    expect(await said([])).toBe("takt audit: Usage: npm run audit -- verify [--heads FILE]... | heads\n");
    expect(await said(["heads"], { DATABASE_URL: db.url.replace(/:[^:@]+@/, ":wrong@") })).toMatch(/^takt audit: The database refuses the sign-in/);
  });
});

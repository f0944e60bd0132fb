// A late reading costs what lies around it, however long the history is.
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addLine, type PlantIds } from "#/scripts/soak/plant.ts";
import { Writer } from "#/scripts/soak/writer.ts";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";

const dayMs = 86_400_000;
const days = 120;
const now = Math.floor(Date.now() / 60_000) * 60_000 - 3_600_000;
const press = "berlin/stamping/line-1/press";
const root = `takt/v1/${press}`;

let fresh: TestDatabase;
let db: pg.Client;
let writer: Writer;
let ids: PlantIds;

beforeAll(async () => {
  fresh = await aDatabase();
  db = await fresh.connect();
  const signals = [
    { key: "good", role: "good_count" },
    { key: "job", role: "job" },
    { key: "rare", role: "total_count" },
    { key: "state", role: "state" },
  ];
  ids = await addLine(db, { site: "berlin", area: "stamping", line: "line-1", machines: { press: signals } });
  // A chunk for each day, of a signal that is not asked for.
  await db.query(
    "insert into ledger_sample (signal_id, at, value, received_at) select $1, to_timestamp($2::float8 / 1000) - i * interval '1 day', 6, now() from generate_series(0, $3::int) i",
    [ids.signals.get(`${press}/state`), now, days],
  );
  writer = await Writer.on(db, "test", ["takt/v1/#"]);
  for (let day = 60; day >= 0; day--) for (const minute of [0, 10, 20]) writer.send(`${root}/good`, { ts: at(day, minute), value: 100 * (60 - day) + minute });
  for (let day = 60; day >= 0; day--) writer.send(`${root}/job`, { ts: at(day, -5), value: `job-${day}` });
  for (const day of [70, 0]) writer.send(`${root}/rare`, { ts: at(day), value: 1_000 - day });
  await writer.commit();
});
afterAll(() => fresh.drop());

const at = (daysAgo: number, minute = 0) => now - daysAgo * dayMs + minute * 60_000;
const pieces = async (key: string) =>
  (await db.query<{ n: number }>("select coalesce(sum(pieces), 0) as n from count_minute where signal_id = $1", [ids.signals.get(`${press}/${key}`)])).rows[0]!
    .n;

/** Chunks in the plan of each statement with which the batch is written, by the statement's name. */
async function chunksOpened(): Promise<Map<string, number>> {
  const asked: { text: string; values: unknown[] }[] = [];
  const query = db.query;
  db.query = ((what: string | { text: string; values?: unknown[] }, values?: unknown[]) => {
    if (typeof what === "string") asked.push({ text: what, values: values ?? [] });
    else if (what.text) asked.push({ text: what.text, values: what.values ?? [] });
    return query.apply(db, [what, values] as never);
  }) as typeof db.query;
  try {
    await writer.commit();
  } finally {
    db.query = query;
  }
  const opened = new Map<string, number>();
  for (const { text, values } of asked) {
    const name = text.match(/^-- (ingest\.\S+)/)?.[1];
    if (!name) continue;
    const plan = await db.query<{ "QUERY PLAN": string }>(`explain ${text.slice(text.indexOf("\n"))}`, values);
    const chunks = new Set(plan.rows.flatMap((row) => row["QUERY PLAN"].match(/_hyper_\d+_\d+_chunk/g) ?? []));
    opened.set(name, Math.max(opened.get(name) ?? 0, chunks.size));
  }
  return opened;
}

describe("with a chunk for each of many days", () => {
  it("a late count between others opens those of the days around it", async () => {
    expect(await pieces("good")).toBe(6_020);
    writer.send(`${root}/good`, { ts: at(30, 5), value: 3_005 });
    const opened = await chunksOpened();
    expect(Object.fromEntries(opened)).toMatchObject({
      "ingest.nextReading": expect.any(Number),
      "ingest.readingBefore": expect.any(Number),
      "ingest.readings": expect.any(Number),
    });
    for (const [name, chunks] of opened) expect([name, chunks <= 4]).toEqual([name, true]);
    expect(await pieces("good")).toBe(6_020);
  });

  it("a late job reading those up to the next one", async () => {
    writer.send(`${root}/job`, { ts: at(3, 15), value: "late" });
    const opened = await chunksOpened();
    for (const [name, chunks] of opened) expect([name, chunks <= 5]).toEqual([name, true]);
    const jobs = await db.query<{ job: string; n: number }>(
      "select job, sum(pieces)::int as n from count_minute where signal_id = $1 and minute > $2 and minute < $3 group by 1 order by 1",
      [ids.signals.get(`${press}/good`), new Date(at(3, -10)), new Date(at(1, -10))],
    );
    expect(jobs.rows).toEqual([
      { job: "job-2", n: 100 },
      { job: "job-3", n: 90 },
      { job: "late", n: 10 },
    ]);
  });

  it("a late count of a counter that says that it has none opens those from there on", async () => {
    writer.send(`${root}/good`, { ts: at(0, 30), value: null });
    await writer.commit();
    writer.send(`${root}/good`, { ts: at(0, 25), value: 6_025 });
    const opened = await chunksOpened();
    expect(opened.get("ingest.lastCounts")).toBe(1);
    writer.send(`${root}/good`, { ts: at(0, 35), value: 6_030 });
    await writer.commit();
    expect(await pieces("good")).toBe(6_030);
  });

  it("where the neighbours are far off, the search widens, and finds them", async () => {
    writer.send(`${root}/rare`, { ts: at(20), value: 950 });
    const opened = await chunksOpened();
    expect(opened.get("ingest.readingBefore")).toBeGreaterThan(30);
    expect(await pieces("rare")).toBe(70);
    const minutes = await db.query<{ pieces: number }>("select pieces from count_minute where signal_id = $1 and pieces > 0 order by minute", [
      ids.signals.get(`${press}/rare`),
    ]);
    expect(minutes.rows.map((r) => r.pieces)).toEqual([20, 50]);
  });
});

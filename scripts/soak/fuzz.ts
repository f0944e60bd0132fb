/** Garbage by the million: through decode and resolve in this process, and through a real worker, which must account for every value of it. */
import { setTimeout as wait } from "node:timers/promises";
import { connectAsync } from "mqtt";
import pg from "pg";
import { Filling } from "#/ingest-worker/batch.ts";
import { loadPlant } from "#/ingest-worker/plant.ts";
import { Resolver } from "#/ingest-worker/resolve.ts";
import { plantOf } from "#/ingest-worker/testing.ts";
import { maxFutureMs } from "#/server/domain/reading.ts";
import { GarbageSource } from "./garbage.ts";
import { Chance } from "./random.ts";
import { Rig } from "./rig.ts";
import { until } from "./until.ts";

export type FuzzReport = { messages: number; samples: number; letters: Record<string, number>; troubles: string[] };

const dayMs = 86_400_000;
const machines = ["berlin/stamping/line-1/press-1", "berlin/stamping/line-1/press-2"];

/** Through decode and resolve alone. Everything becomes a sample that the database can take, or a letter with a sentence; nothing throws. */
export function fuzzPure(messages: number, seed: number): FuzzReport {
  const now = Date.now();
  const signals = {
    good: { role: "good_count" },
    rolls: { role: "total_count", counter: { mode: "cumulative", modulus: 10_000 } },
    scrap: { role: "reject_count", counter: { mode: "increment", modulus: null } },
    job: { role: "job" },
    state: { role: "state" },
    temperature: { role: "measurement", lowLimit: -40, highLimit: 400, scale: 0.5, offset: 1 },
  } as const;
  const plant = plantOf(Object.fromEntries(machines.map((machine) => [machine, signals])));
  const resolver = new Resolver(plant, 7 * dayMs);
  const source = new GarbageSource(new Chance(seed), machines, now, { anyTopic: true });
  const report: FuzzReport = { messages, samples: 0, letters: {}, troubles: [] };
  const trouble = (text: string) => {
    if (report.troubles.length < 20) report.troubles.push(text);
  };
  for (let i = 0; i < messages; i++) {
    const { topic, payload } = source.next();
    const filling = new Filling();
    const what = () => `${JSON.stringify(topic.slice(0, 100))} ${payload.toString("latin1").slice(0, 200)}`;
    try {
      resolver.message({ topic, payload, retained: false, receivedAt: now }, filling);
    } catch (error) {
      trouble(`threw ${(error as Error).message}: ${what()}`);
    }
    const { samples, letters, repeats } = filling.batch;
    report.samples += samples.length;
    for (const { at, value, text, signal } of samples) {
      const isTime = at > now - 90 * dayMs - 1 && at <= now + maxFutureMs;
      const isValue = (value === null || Number.isFinite(value)) && (text === null || (text.length <= 500 && text.isWellFormed() && !text.includes("\0")));
      if (!isTime || !isValue || (value !== null && text !== null) || (signal.counter && value !== null && value < 0))
        trouble(`${at} ${value} ${text}: ${what()}`);
    }
    for (const { code, reason } of letters) {
      report.letters[code] = (report.letters[code] ?? 0) + 1;
      if (!/^.{10,}[.?]$/su.test(reason)) trouble(`no sentence: ${reason}`);
    }
    const setAside = letters.reduce((n, { valueCount }) => n + valueCount, 0);
    if (samples.length + setAside + repeats !== filling.received)
      trouble(`${filling.received} received, ${samples.length} + ${setAside} + ${repeats}: ${what()}`);
  }
  const chance = new Chance(seed);
  for (let i = 0; i < Math.min(2_000, messages); i++) {
    const { topic, payload, values } = oneSpoilt(chance, now);
    const filling = new Filling();
    resolver.message({ topic, payload, retained: false, receivedAt: now }, filling);
    const stored = filling.batch.samples.map(({ value }) => value);
    if (String(stored) !== String(values) || filling.batch.letters.length !== 1)
      trouble(`${stored} of ${values}, ${filling.batch.letters.length} letters: ${topic} ${payload}`);
  }
  if (Object.keys(Object.prototype).length > 0 || ({} as Record<string, unknown>).value !== undefined) trouble("Object.prototype was changed");
  return report;
}

// Rows that are good, and one among them that is not: known beforehand, without the decoder's own opinion.
function oneSpoilt(chance: Chance, now: number): { topic: string; payload: Buffer; values: number[] } {
  const isMachine = chance.is(0.5);
  const key = isMachine ? "rolls" : "value";
  const times = [now / 1000, now * 1000, now * 1e6, 0, -1, "x", String(now), true, {}, []];
  const spoilt = [...times.map((ts) => ({ ts, [key]: 1 })), [], [1], ...(isMachine ? [null, 5, "x", false] : [{}, { ts: now }, { wert: 1 }])];
  const values = Array.from({ length: chance.below(30) }, () => chance.below(1_000));
  const rows: unknown[] = values.map((value, i) => ({ ts: now - 1_000 + i, [key]: value }));
  rows.splice(chance.below(rows.length + 1), 0, chance.pick(spoilt));
  const topic = `takt/v1/${machines[0]}${isMachine ? "" : "/rolls"}`;
  return { topic, payload: Buffer.from(JSON.stringify(rows)), values };
}

/** Through broker, worker and database. What decode and resolve make of the same messages here is what the worker must have received. */
export async function fuzzWorker(messages: number, seed: number): Promise<FuzzReport> {
  const rig = await Rig.start();
  try {
    await rig.line("berlin/stamping/line-1", ["press-1", "press-2"]);
    const worker = await (await rig.worker({ INGEST_TOPICS: "#", LOG_LEVEL: "error" })).ready();
    const source = new GarbageSource(new Chance(seed), machines, Date.now());
    const db = new pg.Client({ connectionString: rig.embedded.databaseUrl });
    await db.connect();
    const resolver = new Resolver(await loadPlant(db, null), 7 * dayMs);
    await db.end();
    const filling = new Filling();
    const client = await connectAsync(rig.embedded.mqttUrl, { protocolVersion: 5 });
    const report: FuzzReport = { messages, samples: 0, letters: {}, troubles: [] };
    let pending: Promise<unknown>[] = [];
    for (let i = 0; i < messages; i++) {
      const { topic, payload } = source.next();
      resolver.message({ topic, payload, retained: false, receivedAt: Date.now() }, filling);
      filling.take();
      pending.push(client.publishAsync(topic, payload, { qos: 1 }));
      if (pending.length === 1_000) {
        await Promise.all(pending);
        pending = [];
      }
    }
    await Promise.all(pending);
    await client.endAsync();
    let before = -1;
    await until(
      "the worker has worked it all off",
      async () => {
        await wait(200);
        const f = await worker.figures();
        const isStill = f.messages === before && f.held === 0;
        before = f.messages;
        return isStill && f.messages >= messages;
      },
      120_000,
    );
    const f = await worker.figures();
    const [stored] = await rig.rows<{ samples: number; letters: number }>(
      "select ((select count(*) from sample) + (select count(*) from ledger_sample))::int as samples, (select coalesce(sum(value_count * (repeats + 1)), 0) from dead_letter)::int as letters",
    );
    report.samples = stored!.samples;
    for (const { code, n } of await rig.rows<{ code: string; n: number }>("select reason_code as code, count(*)::int as n from dead_letter group by 1"))
      report.letters[code] = n;
    const same = (what: string, found: number, expected: number) => {
      if (found !== expected) report.troubles.push(`${what}: ${found}, expected ${expected}`);
    };
    same("messages", f.messages, messages);
    same("values received", f.received, filling.received);
    same("written + duplicate + set aside", f.written + f.duplicate + f.setAside, f.received);
    same("samples in the database", stored!.samples, f.written);
    same("letters in the database, with how often they came again", stored!.letters, f.setAside);
    if (!worker.isRunning) report.troubles.push("the worker is not alive");
    const end = await worker.stop();
    if (end.code !== 0) report.troubles.push(`the worker ended with ${end.code ?? end.signal}`);
    if (worker.lines.length > 1) report.troubles.push(...worker.lines.slice(0, 5));
    return report;
  } finally {
    await rig.stop();
  }
}

/**
 * The kill test: worker, database and broker are killed or stopped at random instants under load. Afterwards every distinct value that the broker
 * acknowledged is stored or set aside, once, and the pieces are those that were made.
 */
import { setTimeout as wait } from "node:timers/promises";
import { Publisher } from "./publisher.ts";
import { Chance } from "./random.ts";
import { Rig } from "./rig.ts";
import { Press, Truth, type Value } from "./truth.ts";
import { until } from "./until.ts";
import type { WorkerProcess } from "./worker.ts";

export type KillOptions = {
  kills: { worker: number; postgres: number; broker: number };
  perSecond: number;
  /** Between two kills, at random. */
  gapMs: readonly [number, number];
  seed: number;
  log: (line: string) => void;
};
export type KillReport = {
  kills: Record<string, number>;
  messages: number;
  distinct: number;
  stored: number;
  setAside: number;
  differences: string[];
};

const presses = 20;

export async function killTest({ kills, perSecond, gapMs, seed, log }: KillOptions): Promise<KillReport> {
  log(`seed ${seed}`);
  const chance = new Chance(seed);
  const rig = await Rig.start();
  try {
    for (const name of ["fsync", "synchronous_commit", "full_page_writes"]) {
      const [row] = await rig.rows<Record<string, string>>(`show ${name}`);
      log(`${name} = ${row?.[name]}`);
    }
    const truth = new Truth();
    const paths: string[] = [];
    for (let line = 0; line < presses / 5; line++) {
      const keys = Array.from({ length: 5 }, (_, i) => `press-${line}${i}`);
      await rig.line(`berlin/stamping/line-${line}`, keys);
      paths.push(...keys.map((key) => `berlin/stamping/line-${line}/${key}`));
    }
    const machines = paths.map((path) => new Press(path, Date.now() - 86_400_000, truth, chance));
    let worker = await (await rig.worker()).ready();
    const publisher = new Publisher({
      mqttUrl: rig.embedded.mqttUrl,
      perSecond,
      repeated: 0.1,
      chance: new Chance(seed + 1),
      next: () => chance.pick(machines).next(),
    });
    // Apart from the publisher's chance: when things happen must not change what is sent.
    const fate = new Chance(seed + 2);
    const plan = fate.shuffle(Object.entries(kills).flatMap(([what, n]) => Array<string>(n).fill(what)));
    const done: Record<string, number> = {};
    for (const what of plan) {
      await wait(gapMs[0] + fate.below(gapMs[1] - gapMs[0]));
      worker = await strike(what, rig, worker, fate);
      done[what] = (done[what] ?? 0) + 1;
      log(`${what} ${what === "broker" ? "stopped and started" : "killed"} (${done[what]}); ${publisher.acknowledged} messages acknowledged`);
    }
    await wait(gapMs[0]);
    await publisher.finish();
    log(`${publisher.acknowledged} messages acknowledged, ${publisher.sentTwice} of them sent twice, ${publisher.sentAgain} again after a lost connection`);
    await worker.ready(60_000);
    await drained(rig, truth);
    const balance = await worker.figures();
    await worker.stop();
    const report = await compare(rig, truth, { kills: done, messages: publisher.acknowledged });
    if (balance.received !== balance.written + balance.duplicate + balance.setAside + balance.held)
      report.differences.push(`the worker's figures: ${JSON.stringify(balance)}`);
    return report;
  } finally {
    await rig.stop();
  }
}

async function strike(what: string, rig: Rig, worker: WorkerProcess, fate: Chance): Promise<WorkerProcess> {
  const pause = fate.below(1_500);
  if (what === "worker") {
    await worker.kill9();
    await wait(pause);
    return rig.worker();
  }
  const part = what === "postgres" ? rig.embedded.postgres : rig.embedded.broker;
  if (what === "postgres") await rig.embedded.postgres.kill9();
  else await part.stop();
  await wait(pause);
  await part.start();
  return worker;
}

const storedSql = `select (select count(*) from sample)::int + (select count(*) from ledger_sample)::int + (select count(*) from dead_letter)::int as n`;

/** Until all is there that will come, and nothing more comes. */
async function drained(rig: Rig, truth: Truth): Promise<void> {
  let before = -1;
  let since = performance.now();
  await until(
    "the worker has caught up",
    async () => {
      const [row] = await rig.rows<{ n: number }>(storedSql);
      const n = row?.n ?? 0;
      if (n !== before) [before, since] = [n, performance.now()];
      await wait(200);
      // Standing still short of the truth is a loss; it is told by the comparison.
      return performance.now() - since > (n === truth.distinct ? 1_000 : 20_000);
    },
    300_000,
  );
}

async function compare(rig: Rig, truth: Truth, so: { kills: Record<string, number>; messages: number }): Promise<KillReport> {
  const differences: string[] = [];
  const differ = <V>(what: string, found: Map<string, V>, expected: ReadonlyMap<string, V>) => {
    for (const [key, value] of expected) if (found.get(key) !== value) differences.push(`${what} ${key}: ${found.get(key) ?? "missing"}, in truth ${value}`);
    for (const key of found.keys()) if (!expected.has(key)) differences.push(`${what} ${key}: never sent`);
  };
  const pathOf = new Map([...rig.ids.signals].map(([path, id]) => [id, path]));
  const ms = (column: string) => `(extract(epoch from ${column}) * 1000)::float8`;

  const values = await rig.rows<{ id: number; at: number; value: Value }>(
    `select signal_id as id, ${ms("at")} as at, to_jsonb(value) as value from sample
     union all select signal_id, ${ms("at")}, coalesce(to_jsonb(text_value), to_jsonb(value)) from ledger_sample`,
  );
  const stored = new Map(values.map(({ id, at, value }) => [`${pathOf.get(id)} ${at}`, value]));
  if (stored.size !== values.length) differences.push(`${values.length - stored.size} values stand there twice`);
  differ("value", stored, truth.values);

  const letters = await rig.rows<{ topic: string; payload: string; code: string }>(
    "select topic, convert_from(payload, 'UTF8') as payload, reason_code as code from dead_letter where status = 'open'",
  );
  differ("letter", new Map(letters.map((l) => [`${l.topic} ${l.payload}`, l.code])), truth.letters);

  const counts = await rig.rows<{ id: number; minute: number; job: string; pieces: number }>(
    `select signal_id as id, ${ms("minute")} as minute, job, pieces from count_minute where pieces <> 0`,
  );
  differ("pieces", new Map(counts.map((c) => [`${pathOf.get(c.id)} ${c.minute} ${c.job}`, c.pieces])), truth.pieces);
  return { ...so, distinct: truth.distinct, stored: values.length, setAside: letters.length, differences };
}

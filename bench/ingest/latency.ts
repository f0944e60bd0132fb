// ingest.latency_p99: from publish to committed at 5,000 messages a second.
import { setTimeout as wait } from "node:timers/promises";
import { cpuBetween, limitOf, lookAt, sentenceOf } from "../cpu.ts";
import type { Figure, Reading } from "../figure.ts";
import { Rig } from "../rig.ts";
import { warmUpFor } from "../sustain.ts";

const messagesPerS = 5_000;

/** Milliseconds, by share of the values. */
type Latency = { p50: number; p95: number; p99: number; most: number; n: number };

export const latency: Figure = {
  name: "ingest.latency_p99",
  what: `ms from publish to commit at ${messagesPerS} messages/s of one value: the time stamp is taken when the message is made, the commit's from the database`,
  unit: "ms",
  target: { below: 300 },
  seconds: 30,
  quickSeconds: 10,
  async measure({ seconds, profile, say }): Promise<Reading> {
    const rig = await Rig.start({
      name: "ingest.latency_p99",
      mode: "single",
      profile,
      say,
      postgresSettings: { track_commit_timestamp: "on", track_wal_io_timing: "on" },
    });
    try {
      say(`durability: ${await rig.durability()}`);
      const warmUpS = warmUpFor(seconds);
      const load = rig.startLoad({ seconds: warmUpS + seconds + 1, rate: messagesPerS });
      await wait(warmUpS * 1000);
      say(`${messagesPerS} messages/s for ${seconds} s`);
      const fromUse = lookAt(await rig.cast());
      const from = await rig.committed();
      await Promise.race([wait(seconds * 1000), load.sent]);
      const to = await rig.committed();
      const use = cpuBetween(fromUse, lookAt(await rig.cast()));
      const sent = await load.sent;
      await rig.drained(sent.values, 60);
      const stored = await rig.stored();
      const { p50, p95, p99, most, n } = await latencies(rig, from.atMs, to.atMs);
      const flushMs = await rig.meanFlushMs();
      const broken: string[] = [];
      const perS = (to.values - from.values) / ((to.atMs - from.atMs) / 1000);
      if (stored !== sent.values) broken.push(`${sent.values} values were sent, ${stored} are stored.`);
      if (perS < messagesPerS * 0.97) broken.push(`The load generator or the worker did not keep up: ${Math.round(perS)} values/s.`);
      return {
        value: Math.round(p99 * 10) / 10,
        broken,
        notes: [
          `Of ${n} values: half within ${p50.toFixed(0)} ms, 95 % within ${p95.toFixed(0)} ms, 99 % within ${p99.toFixed(0)} ms, all within ${most.toFixed(0)} ms; ${Math.round(perS)} values/s.`,
          `The database stamps a commit before it flushes it: add ${flushMs.toFixed(1)} ms for the mean flush of this run. The worker itself waits up to 25 ms for more.`,
          limitOf(use),
          sentenceOf(use),
        ],
        disturbed: use.disturbed,
      };
    } finally {
      await rig.stop();
    }
  },
};

async function latencies({ db }: Rig, fromMs: number, toMs: number): Promise<Latency> {
  const { rows } = await db.query<{ shares: number[]; n: number }>(
    `-- bench.latencies
     with seen as (
       select at, xmin from sample union all select at, xmin from ledger_sample
     ), waited as (
       select extract(epoch from pg_xact_commit_timestamp(xmin) - at)::float8 * 1000 as ms from seen
       where at >= to_timestamp($1::float8 / 1000) and at < to_timestamp($2::float8 / 1000)
     )
     select percentile_disc(array[0.5, 0.95, 0.99, 1]::float8[]) within group (order by ms) as shares, count(*)::int as n from waited`,
    [fromMs, toMs],
  );
  const [p50, p95, p99, most] = rows[0]?.shares ?? [];
  if (p50 === undefined || p95 === undefined || p99 === undefined || most === undefined) throw new Error("No value was stored meanwhile.");
  return { p50, p95, p99, most, n: rows[0]!.n };
}

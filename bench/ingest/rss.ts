// ingest.rss: the worker's memory at its full rate over ten minutes, and whether it grows.
import { setTimeout as wait } from "node:timers/promises";
import { cpuBetween, limitOf, lookAt, sentenceOf } from "../cpu.ts";
import type { Figure, Reading } from "../figure.ts";
import { MemoryWatch } from "../memory.ts";
import { Rig } from "../rig.ts";

/** Growth that counts as none: ten minutes of it are within what the collector of garbage moves up and down. */
const maxSlopeMbPerMin = 2;
/** The first part, in which heap and code caches find their size. */
const settlingShare = 0.3;
/** So that ten minutes at 300,000 rows/s do not fill the disk: both hypertables are emptied as often. */
const emptyEveryMs = 60_000;

export const rss: Figure = {
  name: "ingest.rss",
  what: "MB of the worker's memory (resident) at the full rate of ingest.batch100, at most; and flat: it must not grow",
  unit: "MB",
  target: { below: 300 },
  seconds: 600,
  quickSeconds: 60,
  async measure({ seconds, profile, say }): Promise<Reading> {
    const rig = await Rig.start({ name: "ingest.rss", mode: "batch100", profile, say });
    try {
      say(`durability: ${await rig.durability()}`);
      const load = rig.startLoad({ seconds: seconds + 2, rate: null });
      const memory = new MemoryWatch(rig.worker);
      say(`full rate for ${seconds} s`);
      const startedAt = performance.now();
      const fromUse = lookAt(await rig.cast());
      const from = await rig.committed();
      while (performance.now() - startedAt < seconds * 1000) {
        await Promise.race([wait(Math.min(emptyEveryMs, seconds * 1000 - (performance.now() - startedAt))), load.sent]);
        say(`${Math.round((performance.now() - startedAt) / 1000)} s: ${memory.lastMb()} MB`);
        await rig.asAdmin((admin) => admin.query("truncate sample, ledger_sample"));
      }
      const to = await rig.committed();
      const use = cpuBetween(fromUse, lookAt(await rig.cast()));
      memory.end();
      const sent = await load.sent;
      const broken: string[] = [];
      const settled = (await rig.drained(sent.values, 120)) ? null : await rig.settled();
      if (settled) broken.push(`${sent.values} values were sent, ${settled.written} were written two minutes later.`);
      const slope = memory.slopeMbPerMin(seconds * settlingShare);
      if (seconds >= 300 && slope > maxSlopeMbPerMin) broken.push(`It grows by ${slope.toFixed(1)} MB a minute.`);
      const perS = (to.values - from.values) / ((to.atMs - from.atMs) / 1000);
      return {
        value: memory.mostMb(),
        broken,
        notes: [
          `Slope after the first ${Math.round(seconds * settlingShare)} s: ${slope.toFixed(2)} MB a minute (flat: at most ${maxSlopeMbPerMin})${seconds < 300 ? "; too short a time to tell" : ""}.`,
          `Mean MB of each tenth of the time: ${memory.course()}. Rate meanwhile: ${Math.round(perS)} values/s.`,
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

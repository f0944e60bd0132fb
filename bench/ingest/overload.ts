// ingest.overload: more comes than the database can take. The worker must hold little, the broker the rest, and nothing may be lost.
import { setTimeout as wait } from "node:timers/promises";
import { Trouble } from "#/scripts/trouble.ts";
import { type CpuPicture, cpuBetween, lookAt, sentenceOf } from "../cpu.ts";
import type { Figure, Reading } from "../figure.ts";
import { MemoryWatch } from "../memory.ts";
import { type Load, Rig } from "../rig.ts";
import { warmUpFor } from "../sustain.ts";
import { Throttle } from "../throttle.ts";

/** How long the full rate is looked for first, at most. */
const maxFullRateS = 8;
const maxDrainS = 180;
const maxRssMb = 300;

export const overload: Figure = {
  name: "ingest.overload",
  what: "values lost when batches of 100 come at the full rate while the database may run half of the time; memory flat, all of it drained afterwards",
  unit: "values",
  target: { exactly: 0 },
  seconds: 60,
  quickSeconds: 15,
  async measure({ seconds, profile, say }): Promise<Reading> {
    const rig = await Rig.start({ name: "ingest.overload", mode: "batch100", profile, say });
    const throttle = new Throttle();
    try {
      if (rig.embedded.pids.postgres === 0)
        throw new Trouble("ingest.overload stops the database's process by turns, which cannot be done to one in a container.");
      say(`durability: ${await rig.durability()}`);
      const warmUpS = warmUpFor(seconds);
      const fullRateS = Math.min(maxFullRateS, seconds);
      say(`looking for the full rate for ${fullRateS} s`);
      const first = rig.startLoad({ seconds: warmUpS + fullRateS, rate: null });
      await wait(warmUpS * 1000);
      const full = await rateUntil(rig, first.sent);
      const before = await first.sent;
      await rig.drained(before.values, 60);

      say(`${Math.round(full)} values/s for ${seconds} s, the database's process stopped half of the time`);
      const load = rig.startLoad({ seconds, rate: full });
      const fromUse = lookAt(await rig.cast());
      throttle.start(() => rig.writerPid());
      const memory = new MemoryWatch(rig.worker);
      const watched = await watch(rig, load, before.values);
      const sent = await load.sent;
      const use = cpuBetween(fromUse, watched.lastLook);
      const slope = memory.slopeMbPerMin(seconds * 0.3);
      throttle.end();
      say("the database runs freely again: waiting until all is drained");
      const drainedFrom = performance.now();
      const all = before.values + sent.values;
      const isDrained = await rig.drained(all, maxDrainS);
      const drainS = (performance.now() - drainedFrom) / 1000;
      memory.end();
      const settled = await rig.settled();
      const lost = all - (await rig.stored()) - settled.duplicate - settled.setAside;

      const broken: string[] = [];
      if (!isDrained) broken.push(`It was not drained ${maxDrainS} s later.`);
      if (settled.setAside > 0) broken.push(`${settled.setAside} values were set aside; the load sends none that should be.`);
      if (memory.mostMb() >= maxRssMb) broken.push(`The worker took ${memory.mostMb()} MB; ${maxRssMb} are allowed.`);
      if (watched.mostBehind <= watched.mostHeld) broken.push("The database kept up: there was no overload.");
      return {
        value: lost,
        broken,
        notes: [
          `Back-pressure: at most ${watched.mostHeld} values were held by the worker while ${watched.mostBehind} waited in all, the rest of them in the broker.`,
          `Written meanwhile: ${Math.round(watched.perS)} values/s of ${Math.round(full)}. Drained ${drainS.toFixed(1)} s after the database ran freely again.`,
          `Worker's memory: ${memory.mostMb()} MB at most, slope ${slope.toFixed(1)} MB a minute; by tenths of the time: ${memory.course()}.`,
          sentenceOf(use),
        ],
        disturbed: use.disturbed,
      };
    } finally {
      throttle.end();
      await rig.stop();
    }
  },
};

async function rateUntil(rig: Rig, end: Promise<unknown>): Promise<number> {
  const from = await rig.committed();
  await end;
  const to = await rig.committed();
  return (to.values - from.values) / ((to.atMs - from.atMs) / 1000);
}

type Watched = { mostHeld: number; mostBehind: number; perS: number /** While the load was still there. */; lastLook: CpuPicture };

/** What the worker holds and how far it is behind, until the load ends. */
async function watch(rig: Rig, load: Load, before: number): Promise<Watched> {
  const cast = await rig.cast();
  const out: Watched = { mostHeld: 0, mostBehind: 0, perS: 0, lastLook: lookAt(cast) };
  let ended = false;
  const end = load.sent.finally(() => {
    ended = true;
  });
  end.catch(() => undefined); // the caller awaits the same promise
  const from = await rig.settled();
  const startedAt = performance.now();
  while (!ended) {
    await Promise.race([wait(250), end]);
    if (!ended) out.lastLook = lookAt(cast);
    const { written, duplicate, setAside, held } = await rig.settled();
    out.mostHeld = Math.max(out.mostHeld, held);
    out.mostBehind = Math.max(out.mostBehind, before + load.soFar() - written - duplicate - setAside);
    out.perS = (written - from.written) / ((performance.now() - startedAt) / 1000);
  }
  return out;
}

// The worker at its full rate for a while: what all throughput figures have in common.
import { setTimeout as wait } from "node:timers/promises";
import type { LoadMode } from "#/simulator/load.ts";
import { type CpuUse, costOf, cpuBetween, limitOf, lookAt, sentenceOf } from "./cpu.ts";
import type { Conditions, Figure, Reading } from "./figure.ts";
import { MemoryWatch } from "./memory.ts";
import { printProfile, startProfile } from "./profile.ts";
import { Rig, type Sent } from "./rig.ts";

/** Before it is measured: the worker's code gets compiled, the database's plans and caches get warm. */
export const warmUpFor = (seconds: number): number => Math.min(3, seconds);

export type Sustained = { valuesPerS: number; use: CpuUse; sent: Sent; lost: number; broken: string[]; notes: string[] };

/** Runs the load for `seconds` after the warm-up and checks that what was sent is stored, row by row counted. */
export async function sustain(rig: Rig, { seconds, profile, say }: Conditions & { seconds: number }): Promise<Sustained> {
  say(`durability: ${await rig.durability()}`);
  const warmUpS = warmUpFor(seconds);
  const load = rig.startLoad({ seconds: warmUpS + seconds + 1, rate: null });
  await wait(warmUpS * 1000);
  say(`full rate for ${seconds} s`);
  if (profile) await startProfile(rig);
  const memory = new MemoryWatch(rig.worker);
  const fromUse = lookAt(await rig.cast());
  const from = await rig.committed();
  await Promise.race([wait(seconds * 1000), load.sent]);
  const to = await rig.committed();
  const use = cpuBetween(fromUse, lookAt(await rig.cast()));
  const sent = await load.sent;
  memory.end();
  say("waiting until all that was sent is settled");
  const isDrained = await rig.drained(sent.values, 120);
  const settled = await rig.settled();
  const stored = await rig.stored();
  const lost = sent.values - stored - settled.duplicate - settled.setAside;
  const broken: string[] = [];
  if (!isDrained)
    broken.push(
      `${sent.values} values were sent, but the worker had settled only ${settled.written + settled.duplicate + settled.setAside} of them two minutes later.`,
    );
  if (lost !== 0)
    broken.push(
      `${sent.values} values were sent, ${stored} are stored, ${settled.duplicate} were repeats, ${settled.setAside} were set aside: ${lost} are missing.`,
    );
  if (settled.setAside > 0) broken.push(`${settled.setAside} values were set aside; the load sends none that should be.`);
  const valuesPerS = (to.values - from.values) / ((to.atMs - from.atMs) / 1000);
  const notes = [
    limitOf(use),
    sentenceOf(use),
    costOf(use, valuesPerS),
    `${sent.values} values sent in ${sent.messages} messages, ${stored} stored, ${lost} lost. Worker's memory: ${memory.mostMb()} MB at most.`,
  ];
  if (profile) await printProfile(rig, say);
  return { valuesPerS, use, sent, lost, broken, notes };
}

/** A throughput figure: values committed a second. */
export const throughput = (figure: Pick<Figure, "name" | "what" | "unit" | "target">, mode: LoadMode): Figure => ({
  ...figure,
  seconds: 60,
  quickSeconds: 10,
  async measure(conditions): Promise<Reading> {
    const rig = await Rig.start({ name: figure.name, mode, profile: conditions.profile, say: conditions.say });
    try {
      const { valuesPerS, use, broken, notes } = await sustain(rig, conditions);
      return { value: Math.round(valuesPerS), broken, notes, disturbed: use.disturbed };
    } finally {
      await rig.stop();
    }
  },
});

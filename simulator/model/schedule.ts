/**
 * What is known of a machine's days before they are simulated: which jobs run when, and when a worn part fails. Pure functions of seed and date, so that
 * any day can be had without those before it.
 */
import { addDays, daysBetween, type PlantDay, plantDay, weekOf } from "#/simulator/model/calendar.ts";
import type { LineDef, MachineDef, PlacedLine } from "#/simulator/model/definition.ts";
import { chance, hash, noise } from "#/simulator/model/random.ts";

const minute = 60_000;
const hour = 3_600_000;
const day = 86_400_000;

/** The job starts at `from` with a change of product that takes until `readyAt`; `announcedAt`: when the machine says so. */
export type JobPlan = { job: string; product: string; from: number; announcedAt: number; readyAt: number };

export const dayOf = (placed: Pick<PlacedLine, "zone" | "pattern">, date: string): PlantDay => plantDay(placed.zone, placed.pattern, date);

const weeks = new Map<string, JobPlan[]>();

/** Jobs of the ISO week that holds `date`, ascending. `unit` names whose they are: a coupled line's, or a lone machine's. */
export function weekJobs(seed: string, placed: PlacedLine, unit: string, date: string): JobPlan[] {
  const monday = weekOf(date);
  const key = `${seed} ${unit} ${monday}`;
  const known = weeks.get(key);
  if (known) return known;
  if (weeks.size > 3000) weeks.clear();
  const { line } = placed;
  const dice = chance(seed, unit, monday, "jobs");
  const jobs: JobPlan[] = [];
  let left = 0; // scheduled time until the next job starts
  for (let n = 0; n < 7; n++) {
    for (const shift of dayOf(placed, addDays(monday, n)).shifts) {
      let at = shift.from;
      while (at + left < shift.to) {
        at += left;
        jobs.push(plan(line, dice, unit, monday, jobs, at));
        left = dice.between(...line.jobHours) * hour;
      }
      left -= shift.to - at;
    }
  }
  weeks.set(key, jobs);
  return jobs;
}

function plan(line: LineDef, dice: ReturnType<typeof chance>, unit: string, monday: string, before: readonly JobPlan[], from: number): JobPlan {
  const last = before.at(-1)?.product;
  const product = dice.pick(line.products.filter((one) => one !== last));
  const takes = Math.round(dice.between(...line.changeoverMin)) * minute;
  const said = Math.round((dice.between(0.35, 0.8) * takes) / 1000) * 1000;
  const number = String((hash(unit) % 90) + 10) + monday.slice(2).replaceAll("-", "") + String(before.length + 1).padStart(2, "0");
  return {
    job: `J${number}`,
    product,
    from: Math.round(from / 1000) * 1000,
    announcedAt: Math.round(from / 1000) * 1000 + said,
    readyAt: Math.round(from / 1000) * 1000 + takes,
  };
}

/** The job that the machine last announced at or before `at`; undefined before the week's first. Carries over from the week before. */
export function jobAt(seed: string, placed: PlacedLine, unit: string, date: string, at: number): JobPlan | undefined {
  const here = weekJobs(seed, placed, unit, date).findLast((one) => one.announcedAt <= at);
  return here ?? weekJobs(seed, placed, unit, addDays(weekOf(date), -1)).at(-1);
}

/** A part that wears: from `onsetAt` on it shows, at `failsAt` it breaks, until `repairedAt` it is being replaced. */
export type Failure = { onsetAt: number; failsAt: number; repairedAt: number; fault: string; part: string };

const blockDays = 21;
export const plantEpoch = "2026-01-01";
const epochAt = Date.UTC(2026, 0, 1);
const failures = new Map<string, Failure | null>();

/** The failures that show, break or are repaired in [from, to): at most one in each block of 21 days. */
export function failuresIn(seed: string, placed: PlacedLine, machine: MachineDef, from: number, to: number): Failure[] {
  if (!machine.wears) return [];
  const found: Failure[] = [];
  const first = Math.floor((from - epochAt) / (blockDays * day)) - 1;
  const last = Math.floor((to - epochAt) / (blockDays * day)) + 1;
  for (let block = first; block <= last; block++) {
    const key = `${seed} ${placed.path}/${machine.key} ${block}`;
    let failure = failures.get(key);
    if (failure === undefined) {
      failure = failureOf(seed, placed, machine, machine.wears, block);
      failures.set(key, failure);
    }
    if (failure && failure.onsetAt < to && failure.repairedAt > from) found.push(failure);
  }
  return found;
}

function failureOf(seed: string, placed: PlacedLine, machine: MachineDef, wears: { fault: string; part: string }, block: number): Failure | null {
  const dice = chance(seed, placed.path, machine.key, "wear", block);
  const nominal = epochAt + block * blockDays * day + dice.between(7, 20) * day;
  const develops = dice.between(2.5, 6) * day;
  const repair = dice.between(1.5, 5) * hour;
  const late = dice.between(5, 90) * minute;
  // parts break while they move: the first scheduled moment from then on
  const date = new Date(nominal - day).toISOString().slice(0, 10);
  for (let n = 0; n < 9; n++) {
    for (const shift of dayOf(placed, addDays(date, n)).shifts) {
      if (shift.to <= nominal + late) continue;
      const failsAt = Math.round(Math.max(nominal, shift.from + late) / 1000) * 1000;
      return { onsetAt: failsAt - Math.round(develops), failsAt, repairedAt: Math.round((failsAt + repair) / 1000) * 1000, ...wears };
    }
  }
  return null; // nobody works there
}

/** 0 healthy .. 1 about to fail. Slow at first, then faster: as bearings do. */
export function wearAt(failures: readonly Failure[], at: number): number {
  let most = 0;
  for (const { onsetAt, failsAt, repairedAt } of failures) {
    if (at < onsetAt || at >= repairedAt) continue;
    most = Math.max(most, at >= failsAt ? 1 : ((at - onsetAt) / (failsAt - onsetAt)) ** 2.2);
  }
  return most;
}

/** Real cycle / ideal cycle of the machine in the hour that holds `at`: ordinary hours, and one in eight that drags. */
export function slownessAt(seed: string, path: string, machine: MachineDef, at: number): number {
  const n = Math.floor(at / hour);
  const own = hash(seed, path, machine.key, "slow");
  const [low, high] = machine.slowness;
  const ordinary = low + (high - low) * noise(own, n);
  return noise(own ^ 0x77, n) < 0.125 ? ordinary * (1.08 + 0.22 * noise(own ^ 0x99, n)) : ordinary;
}

/** Whole days since the plant began; 0 before that: meters and counters that are never reset start there. */
export const daysSinceEpoch = (date: string): number => Math.max(0, daysBetween(plantEpoch, date));

/**
 * The plant's past, through the broker: newest day first, each day in order; measurements of the last seven days only, because older ones would be
 * dropped again. Whatever was published is noted in a marker file; a reading that is published twice is the same twice, so a lost marker does no harm.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { PlacedMachine } from "#/simulator/model/definition.ts";
import type { Model } from "#/simulator/model/readings.ts";
import type { Transport } from "#/simulator/publish/transport.ts";
import { messageOf, Trouble } from "#/simulator/trouble.ts";
import type { Truth } from "#/simulator/truth.ts";

const dayMs = 86_400_000;
/** A little less than the seven days that raw measurements are kept, so that none is too old when it arrives. */
const measurementsMs = 7 * dayMs - 1_800_000;
/** Readings of one machine are made and sent for so much time at once. */
const chunkMs = 2 * 3_600_000;

export type Span = [from: number, to: number];

/** Spans ascending, apart and not empty. */
export function merge(spans: readonly Span[]): Span[] {
  const out: Span[] = [];
  for (const [from, to] of [...spans].sort((a, b) => a[0] - b[0])) {
    if (to <= from) continue;
    const last = out.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else out.push([from, to]);
  }
  return out;
}

/** The parts of [from, to) that no span covers. */
export function missing(from: number, to: number, spans: readonly Span[]): Span[] {
  const out: Span[] = [];
  let at = from;
  for (const [first, last] of merge(spans)) {
    if (last <= at) continue;
    if (first >= to) break;
    if (first > at) out.push([at, first]);
    at = last;
  }
  if (at < to) out.push([at, to]);
  return out;
}

/** What has been published, on disk. Two kinds, because old measurements are left out. */
export class Marker {
  private readonly path: string | null;
  private readonly plant: string;
  private spans: Span[] = [];
  private dirty = false;

  /** `plant` names seed and broker: for another one the file counts as empty. */
  constructor(path: string | null, plant: string) {
    this.path = path;
    this.plant = plant;
    if (!path) return;
    let content: string;
    try {
      content = readFileSync(path, "utf8");
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return;
      throw new Trouble(`The marker file ${path} cannot be read: ${messageOf(error)}`);
    }
    try {
      const kept: unknown = JSON.parse(content);
      if (typeof kept === "object" && kept !== null && "plant" in kept && kept.plant === plant && "done" in kept && Array.isArray(kept.done))
        this.spans = merge(kept.done as Span[]);
    } catch (error) {
      throw new Trouble(`The marker file ${path} is damaged (${messageOf(error)}). Remove it: the history is then published again, which does no harm.`);
    }
  }

  get done(): readonly Span[] {
    return this.spans;
  }

  add(from: number, to: number): void {
    this.spans = merge([...this.spans, [from, to]]);
    this.dirty = true;
  }

  save(): void {
    if (!this.path || !this.dirty) return;
    mkdirSync(dirname(this.path), { recursive: true });
    writeFileSync(`${this.path}.new`, JSON.stringify({ plant: this.plant, done: this.spans }));
    renameSync(`${this.path}.new`, this.path); // whole or not at all
    this.dirty = false;
  }
}

export type BackfillRun = {
  model: Model;
  machines: readonly PlacedMachine[];
  transport: Transport;
  truth: Truth;
  marker: Marker;
  from: number;
  to: number;
  now: number;
  /** Values/s at most. */
  maxRate: number;
  stop: AbortSignal;
  /** progress 0..1, values sent so far, values expected in all (an estimate from what the days so far held). */
  onProgress: (progress: number, values: number, of: number, day: string) => void;
};

/** Publishes what is missing of [from, to); returns the number of values. */
export async function backfill(run: BackfillRun): Promise<number> {
  const { model, machines, transport, marker, now, stop } = run;
  const chunks = planOf(missing(run.from, run.to, marker.done));
  const weightOf = ([from, to]: Span) => (to - from) * (from >= now - measurementsMs ? 3.4 : 1); // values a day with and without measurements
  const whole = chunks.reduce((sum, chunk) => sum + weightOf(chunk), 0);
  const startedAt = Date.now();
  let values = 0;
  let weight = 0;
  let previousTo = Number.NaN; // each day, and each gap, begins anew
  for (const chunk of chunks) {
    if (stop.aborted) break;
    const [from, to] = chunk;
    for (const machine of machines) {
      if (stop.aborted) break;
      const split = Math.min(to, Math.max(from, now - measurementsMs));
      const readings = [...model.readings(machine, from, split, { measurements: false }), ...model.readings(machine, split, to)];
      run.truth.past(machine, model.conditions(machine, from, to));
      if (from !== previousTo) await transport.wasOnline(machine, from);
      await transport.history(machine, readings);
      values += readings.length;
      const dueAt = startedAt + (values / run.maxRate) * 1000;
      if (dueAt > Date.now()) await new Promise((resolve) => setTimeout(resolve, dueAt - Date.now()));
    }
    if (stop.aborted) break;
    marker.add(from, to);
    marker.save();
    previousTo = to;
    weight += weightOf(chunk);
    run.onProgress(weight / whole, values, Math.round((values * whole) / weight), new Date(from).toISOString().slice(0, 10));
  }
  if (chunks.length === 0) run.onProgress(1, 0, 0, new Date(run.to).toISOString().slice(0, 10));
  return values;
}

/** Newest day (UTC) first, each day from its start. */
function planOf(spans: readonly Span[]): Span[] {
  const days = new Map<number, Span[]>();
  for (const [from, to] of spans) {
    for (let at = from; at < to; ) {
      const end = Math.min(to, (Math.floor(at / chunkMs) + 1) * chunkMs);
      const day = Math.floor(at / dayMs);
      days.set(day, [...(days.get(day) ?? []), [at, end]]);
      at = end;
    }
  }
  return [...days].sort(([a], [b]) => b - a).flatMap(([, chunks]) => chunks);
}

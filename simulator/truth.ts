/**
 * What was really published, for tests to hold against what Takt made of it. JSON lines, one `kind` each:
 *   run        how it was started
 *   state      {machine, at, condition, fault}: what the machine did from then on, in the simulator's own words
 *   stop       {machine, from, to, condition, fault}: the same, once a condition other than run or starting is over
 *   pieces     {machine, signal, minute, pieces}: minute holds (minute, minute + 60 s]; a cumulative counter's first reading of all is its base line
 *   total      {machine, signal, pieces, values, firstAt, lastAt}: distinct readings published, and the pieces they tell
 *   published  {values, distinct, messages, garbage}: distinct = (signal, instant) pairs that the broker acknowledged
 * A file of values has a line `topic<TAB>ts<TAB>value` for each value, written only after the broker acknowledged it; doubles stand twice.
 */

import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import type { Value } from "#/simulator/model/readings.ts";

/** Whose readings they are: site/area/line/machine. */
type Named = { machinePath: string };
type Reading = { signal: { key: string; counter?: "cumulative" | "increment" }; at: number; value: Value; pieces?: number };

const minuteMs = 60_000;

type SignalTruth = {
  machine: string;
  signal: string;
  cumulative: boolean;
  first: Reading;
  last: Reading;
  values: number;
  minutes: Map<number, number>;
  seen: Set<number>;
};

export class Truth {
  private readonly file: WriteStream | null;
  private readonly valuesFile: WriteStream | null;
  private readonly signals = new Map<string, SignalTruth>();
  private readonly lastCondition = new Map<string, { at: number; condition: string; fault: string }>();
  private readonly keepIdentities: boolean;
  values = 0;
  distinct = 0;
  messages = 0;
  garbage = 0;

  constructor(options: { path?: string; valuesPath?: string; run: Record<string, unknown> }) {
    this.file = options.path ? createWriteStream(options.path) : null;
    this.valuesFile = options.valuesPath ? createWriteStream(options.valuesPath) : null;
    this.keepIdentities = this.file !== null || this.valuesFile !== null;
    this.write({ kind: "run", ...options.run });
  }

  /** What the machine really did; called in order of time, repeats of the same are left out. */
  condition(machine: Named, at: number, condition: string, fault: string): void {
    const last = this.lastCondition.get(machine.machinePath);
    if (last?.condition === condition && last.fault === fault) return;
    this.lastCondition.set(machine.machinePath, { at, condition, fault });
    if (last && last.condition !== "run" && last.condition !== "starting") {
      this.write({ kind: "stop", machine: machine.machinePath, from: last.at, to: at, condition: last.condition, fault: last.fault });
    }
    this.write({ kind: "state", machine: machine.machinePath, at, condition, fault });
  }

  /** The same for a stretch of the past, which comes in any order: stops are not told, they follow from the states. */
  past(machine: Named, conditions: readonly { at: number; condition: string; fault: string }[]): void {
    for (const { at, condition, fault } of conditions) this.write({ kind: "state", machine: machine.machinePath, at, condition, fault });
  }

  /** The broker has taken over a message with these readings. */
  acknowledged(machine: Named, readings: readonly Reading[]): void {
    this.messages++;
    for (const reading of readings) {
      this.values++;
      if (!this.keepIdentities) continue;
      const topic = `takt/v1/${machine.machinePath}/${reading.signal.key}`;
      this.valuesFile?.write(`${topic}\t${reading.at}\t${reading.value}\n`);
      let signal = this.signals.get(topic);
      if (!signal) {
        signal = {
          machine: machine.machinePath,
          signal: reading.signal.key,
          cumulative: reading.signal.counter === "cumulative",
          first: reading,
          last: reading,
          values: 0,
          minutes: new Map(),
          seen: new Set(),
        };
        this.signals.set(topic, signal);
      }
      if (signal.seen.has(reading.at)) continue;
      signal.seen.add(reading.at);
      signal.values++;
      this.distinct++;
      if (reading.at < signal.first.at) signal.first = reading;
      if (reading.at > signal.last.at) signal.last = reading;
      if (reading.pieces !== undefined) {
        const minute = Math.ceil(reading.at / minuteMs) * minuteMs - minuteMs;
        signal.minutes.set(minute, (signal.minutes.get(minute) ?? 0) + reading.pieces);
      }
    }
  }

  /** Something was sent that is no reading. */
  sentGarbage(): void {
    this.garbage++;
  }

  /** Writes the sums and closes the files. Only now: values that come late change minutes that are long past. */
  async close(): Promise<void> {
    for (const signal of this.signals.values()) {
      const { machine, first, last } = signal;
      if (first.pieces !== undefined) {
        const minutes = new Map(signal.minutes);
        if (signal.cumulative) {
          const minute = Math.ceil(first.at / minuteMs) * minuteMs - minuteMs;
          minutes.set(minute, (minutes.get(minute) ?? 0) - first.pieces);
        }
        let pieces = 0;
        for (const [minute, made] of [...minutes].sort(([a], [b]) => a - b)) {
          if (made === 0) continue;
          pieces += made;
          this.write({ kind: "pieces", machine, signal: signal.signal, minute: new Date(minute).toISOString(), pieces: made });
        }
        this.write({ kind: "total", machine, signal: signal.signal, pieces, values: signal.values, firstAt: first.at, lastAt: last.at });
      } else this.write({ kind: "total", machine, signal: signal.signal, values: signal.values, firstAt: first.at, lastAt: last.at });
    }
    this.write({ kind: "published", values: this.values, distinct: this.distinct, messages: this.messages, garbage: this.garbage });
    for (const stream of [this.file, this.valuesFile]) {
      if (!stream) continue;
      stream.end();
      await once(stream, "close");
    }
  }

  private write(line: Record<string, unknown>): void {
    this.file?.write(`${JSON.stringify(line)}\n`);
  }
}

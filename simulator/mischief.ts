// Misbehaviour on demand: what gateways, radios and clocks do to readings on their way. Deterministic by seed in what it picks, not in when it sends.

import { type GarbageMessage, garbageFor, sendable } from "#/simulator/garbage.ts";
import type { PlacedMachine } from "#/simulator/model/definition.ts";
import { type Chance, chance } from "#/simulator/model/random.ts";
import type { Reading } from "#/simulator/model/readings.ts";
import type { LostLink, Moment, Options } from "#/simulator/options.ts";
import { Trouble } from "#/simulator/trouble.ts";

type Asked = Pick<Options, "duplicates" | "shuffle" | "late" | "lateByMs" | "garbage" | "lostLinks" | "counterResets" | "clockSkews" | "seed">;
type WireAsked = Pick<Asked, "duplicates" | "shuffle" | "late" | "lateByMs" | "seed">;

const isMachine = (machine: PlacedMachine, named: string) => named === "all" || machine.machinePath === named || machine.machine.key === named;
const absolute = (moment: Moment, startAt: number) => ("at" in moment ? moment.at : startAt + moment.after);

/** What the wire does to messages: doubles, disorder, delay. Times are the clock's, in ms. */
export class Wire<M> {
  private readonly asked: WireAsked;
  private readonly dice: Chance;
  private readonly held: { dueAt: number; message: M }[] = [];

  constructor(asked: WireAsked) {
    this.asked = asked;
    this.dice = chance(asked.seed, "wire");
  }

  /** What goes out now for this message; the rest waits until it is due. */
  pass(message: M, now: number): M[] {
    const { asked, dice } = this;
    const out: M[] = [];
    if (asked.late > 0 && dice.next() < asked.late) this.hold(message, now + asked.lateByMs * dice.between(0.5, 1.5));
    else if (asked.shuffle > 0 && dice.next() < asked.shuffle) this.hold(message, now + dice.between(200, 3000));
    else out.push(message);
    if (asked.duplicates > 0 && dice.next() < asked.duplicates) {
      if (dice.next() < 0.5) out.push(message);
      else this.hold(message, now + dice.between(100, 5000));
    }
    return out;
  }

  private hold(message: M, dueAt: number): void {
    this.held.push({ dueAt, message });
  }

  /** Messages whose time has come; all of them when `now` is Infinity. */
  due(now: number): M[] {
    const due = this.held.filter(({ dueAt }) => dueAt <= now).sort((a, b) => a.dueAt - b.dueAt);
    if (due.length > 0) this.held.splice(0, this.held.length, ...this.held.filter(({ dueAt }) => dueAt > now));
    return due.map(({ message }) => message);
  }
}

/** Garbage in between: one piece for a share of the messages, or none. */
export class Litter {
  private readonly share: number;
  private readonly dice: Chance;

  constructor({ garbage, seed }: Pick<Asked, "garbage" | "seed">) {
    this.share = garbage;
    this.dice = chance(seed, "garbage");
  }

  next(machine: PlacedMachine, now: number): GarbageMessage | null {
    return this.share > 0 && this.dice.next() < this.share ? this.dice.pick(sendable(garbageFor(machine, now))) : null;
  }
}

/** What a machine does to its own readings: counters that start over, clocks that are wrong. */
export class Faults {
  private readonly resets: { machine: string; at: number }[];
  private readonly skews: Asked["clockSkews"];
  private readonly offsets = new Map<string, { offset: number; last: number; done: boolean }>();

  constructor(asked: Asked, machines: readonly PlacedMachine[], startAt: number) {
    this.resets = asked.counterResets.map(({ machine, from }) => ({ machine, at: absolute(from, startAt) }));
    this.skews = asked.clockSkews;
    for (const { machine } of [...this.resets, ...this.skews]) mustExist(machine, machines);
    for (const { machine } of this.resets) {
      for (const { machine: one, machinePath } of machines.filter((known) => isMachine(known, machine))) {
        if (one.signals.some(({ modulus }) => modulus)) {
          throw new Trouble(
            `--counter-reset ${machinePath}: its counter rolls over, so a step back is no reset there and would look like many pieces. Choose another machine.`,
          );
        }
      }
    }
  }

  apply(machine: PlacedMachine, readings: readonly Reading[]): readonly Reading[] {
    const reset = this.resets.find((one) => isMachine(machine, one.machine));
    const skew = this.skews.find((one) => isMachine(machine, one.machine));
    if (!reset && !skew) return readings;
    return readings.map((reading) => {
      const counted =
        reset && reading.signal.counter === "cumulative" && typeof reading.value === "number" ? this.count(machine, reading, reading.value, reset.at) : reading;
      return skew ? { ...counted, at: counted.at + skew.byMs } : counted;
    });
  }

  private count(machine: PlacedMachine, reading: Reading, value: number, resetAt: number): Reading {
    const key = `${machine.machinePath}/${reading.signal.key}`;
    const state = this.offsets.get(key) ?? { offset: 0, last: 0, done: false };
    this.offsets.set(key, state);
    if (value < state.last) state.offset = 0; // the machine's own reset
    if (!state.done && reading.at >= resetAt) {
      state.done = true;
      // what it counted before stays told: the pieces since then are its first ones now
      state.offset = value - Math.min(value, reading.pieces ?? 0);
    }
    state.last = value;
    return { ...reading, value: value - state.offset };
  }
}

/** Which machines have lost their link when. */
export class Links {
  private readonly lost: { machine: string; from: number; to: number }[];

  constructor(asked: readonly LostLink[], machines: readonly PlacedMachine[], startAt: number) {
    this.lost = asked.map(({ machine, from, lengthMs }) => ({ machine, from: absolute(from, startAt), to: absolute(from, startAt) + lengthMs }));
    for (const { machine } of this.lost) mustExist(machine, machines);
  }

  isLost = (machine: PlacedMachine, at: number): boolean => this.lost.some((one) => at >= one.from && at < one.to && isMachine(machine, one.machine));
}

function mustExist(named: string, machines: readonly PlacedMachine[]): void {
  if (!machines.some((machine) => isMachine(machine, named)))
    throw new Trouble(`There is no machine ${named} in the simulated plant. Write its key, its path site/area/line/machine, or all.`);
}

/** Presses that make pieces and send their readings, and the truth of what they sent and made. Its own arithmetic, not the worker's. */
import type { Chance } from "./random.ts";

export type Message = { topic: string; payload: string };
export type Value = number | string;

/** What must be found afterwards. */
export class Truth {
  /** By signal path and instant (ms): the value. */
  readonly values = new Map<string, Value>();
  /** Values that must be set aside: topic and payload of their letter, and the reason's code. */
  readonly letters = new Map<string, string>();
  /** By signal path, minute (ms) and job: pieces made. */
  readonly pieces = new Map<string, number>();

  get distinct(): number {
    return this.values.size + this.letters.size;
  }
}

const rollOver = 10_000;

export class Press {
  private readonly path: string;
  private readonly chance: Chance;
  private readonly truth: Truth;
  private at: number;
  private job = "";
  private good: number | null = null;
  private rolls: number | null = null;
  private jobs = 0;

  /** path: site/area/line/machine; the first reading comes after `from` (ms). */
  constructor(path: string, from: number, truth: Truth, chance: Chance) {
    this.path = path;
    this.at = from;
    this.truth = truth;
    this.chance = chance;
  }

  /** What it sends next. Device time goes on by 0.2 to 2 s each time, now and then exactly onto a minute. */
  next(): Message {
    const { chance } = this;
    const earliest = this.at + 200;
    this.at = chance.is(0.02) ? Math.ceil(earliest / 60_000) * 60_000 : earliest + chance.below(1_800);
    if (chance.is(0.01)) return this.garbage();
    if (chance.is(0.2)) {
      const values: Record<string, Value> = {};
      for (const key of chance.shuffle(["good", "rolls", "scrap", "state", "job", "temperature"]).slice(0, 1 + chance.below(4))) values[key] = 0;
      const job = this.job; // a job's reading comes after the pieces of its instant
      for (const key of Object.keys(values)) values[key] = this.read(key, job);
      return { topic: `takt/v1/${this.path}`, payload: JSON.stringify({ ts: this.at, ...values }) };
    }
    const key = chance.pick(["good", "good", "good", "rolls", "rolls", "scrap", "scrap", "state", "temperature", "temperature", "temperature", "job"]);
    return { topic: `takt/v1/${this.path}/${key}`, payload: JSON.stringify({ ts: this.at, value: this.read(key, this.job) }) };
  }

  private read(key: string, job: string): Value {
    const value = this.measure(key, job);
    this.truth.values.set(`${this.path}/${key} ${this.at}`, value);
    return value;
  }

  private measure(key: string, job: string): Value {
    const { chance } = this;
    const made = chance.below(6);
    switch (key) {
      case "good": {
        if (this.good === null) this.good = 500 + chance.below(500);
        else {
          if (this.good > 5 && chance.is(0.005)) this.good = 0; // somebody resets it; at most 5 pieces later it is read
          this.good += made;
          this.made("good", job, made);
        }
        return this.good;
      }
      case "rolls": {
        if (this.rolls === null) this.rolls = chance.below(rollOver);
        else {
          this.rolls = (this.rolls + made * 50) % rollOver;
          this.made("rolls", job, made * 50);
        }
        return this.rolls;
      }
      case "scrap":
        this.made("scrap", job, made);
        return made;
      case "state":
        return chance.is(0.5) ? chance.below(18) : chance.pick(["EXECUTE", "IDLE", "HELD"]);
      case "job":
        this.job = chance.is(0.2) ? "" : `job-${this.path.slice(-2)}-${++this.jobs % 7}`;
        return this.job;
      default:
        return Math.round((20 + chance.next() * 300) * 100) / 100;
    }
  }

  private made(key: string, job: string, pieces: number): void {
    if (pieces === 0) return;
    const minute = Math.floor((this.at - 1) / 60_000) * 60_000; // made before its reading, which is in whole ms
    const at = `${this.path}/${key} ${minute} ${job}`;
    this.truth.pieces.set(at, (this.truth.pieces.get(at) ?? 0) + pieces);
  }

  private garbage(): Message {
    const [key, value, code] = this.chance.pick([
      ["humour", 1, "unknown_signal"],
      ["temperature", 5_000, "value_out_of_limits"],
      ["temperature", "hot", "value_type"],
      ["good", -1, "counter_negative"],
    ] as const);
    const message = { topic: `takt/v1/${this.path}/${key}`, payload: JSON.stringify({ ts: this.at, value }) };
    this.truth.letters.set(`${message.topic} ${message.payload}`, code);
    return message;
  }
}

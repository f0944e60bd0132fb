/** What no one should send: payloads and topics at random, near enough to the right ones to reach every corner. */
import type { Chance } from "./random.ts";

export type Garbage = { topic: string; payload: Buffer };

const words = [
  "EXECUTE",
  "true",
  "NaN",
  "-Infinity",
  "1e400",
  "null",
  "",
  "21.5",
  "1,5",
  "0x10",
  "constructor",
  "__proto__",
  "toString",
  "\ud800",
  "😀",
  "a\0b",
  "x".repeat(501),
];
const keys = [
  "good",
  "rolls",
  "scrap",
  "job",
  "state",
  "temperature",
  "humour",
  "ts",
  "value",
  "_meta",
  "__proto__",
  "constructor",
  "hasOwnProperty",
  "",
  "a.b",
  "工".repeat(30),
];

export class GarbageSource {
  private readonly chance: Chance;
  private readonly machines: readonly string[];
  private readonly now: number;
  /** Topics that a broker refuses to carry. */
  private readonly anyTopic: boolean;
  private last: Garbage | null = null;

  /** machines: site/area/line/machine of the plant. now: ms. */
  constructor(chance: Chance, machines: readonly string[], now: number, { anyTopic = false } = {}) {
    this.chance = chance;
    this.machines = machines;
    this.now = now;
    this.anyTopic = anyTopic;
  }

  next(): Garbage {
    if (this.last && this.chance.is(0.05)) return this.last;
    this.last = { topic: this.topic(), payload: this.payload() };
    return this.last;
  }

  private topic(): string {
    const { chance } = this;
    const machine = `takt/v1/${chance.pick(this.machines)}`;
    switch (chance.below(12)) {
      case 0:
        return machine;
      case 1:
        return `${machine}/_online`;
      case 2:
        return `${machine}/${this.text(20)}`;
      case 3:
        return `takt/v1/${Array.from({ length: 1 + chance.below(9) }, () => this.text(8)).join("/")}`;
      case 4:
        return `${this.text(30)}x`;
      case 5:
        return chance.is(0.05) ? `takt/v1/${"long".repeat(chance.below(10_000))}x` : `${machine}//good`;
      default:
        return `${machine}/${chance.pick(keys.slice(0, 7))}`;
    }
  }

  // No wildcard, and nothing that the broker would cut the connection for unless asked.
  private text(max: number): string {
    const { chance } = this;
    const out: string[] = [];
    for (let i = chance.below(max); i > 0; i--) {
      const code = chance.is(0.8) ? 0x61 + chance.below(26) : chance.is(0.5) ? 0x21 + chance.below(0x5d) : 0xa1 + chance.below(0x3000);
      const sign = String.fromCodePoint(code);
      if (!"+#/$".includes(sign)) out.push(sign);
    }
    if (this.anyTopic && chance.is(0.1)) out.push(String.fromCodePoint(chance.below(32)));
    return out.join("");
  }

  private payload(): Buffer {
    const { chance } = this;
    switch (chance.below(10)) {
      case 0:
        return Buffer.from(Array.from({ length: chance.below(60) }, () => chance.below(256)));
      case 1:
        return Buffer.from(chance.pick(words));
      case 2:
        return Buffer.from((chance.is(0.5) ? "[" : '{"a":').repeat(chance.below(200)));
      case 3: {
        const whole = Buffer.from(JSON.stringify(this.entry()));
        return whole.subarray(0, chance.below(whole.length + 1));
      }
      case 4: {
        const bent = Buffer.from(JSON.stringify(this.entry()));
        for (let i = 1 + chance.below(3); i > 0; i--) bent[chance.below(bent.length)] = chance.below(256);
        return bent;
      }
      case 5:
        return Buffer.from(JSON.stringify(Array.from({ length: chance.below(20) }, () => this.entry())));
      default:
        return Buffer.from(JSON.stringify(this.entry()).replace('"1e400"', "1e400"));
    }
  }

  private entry(): unknown {
    const { chance } = this;
    if (chance.is(0.1)) return this.value(0);
    if (chance.is(0.6)) return { ts: this.ts(), value: this.value(0) };
    const entry = Object.create(null) as Record<string, unknown>;
    for (let i = chance.below(6); i > 0; i--) entry[chance.pick(keys)] = this.value(0);
    if (chance.is(0.8)) entry.ts = this.ts();
    return entry;
  }

  private ts(): unknown {
    const { chance, now } = this;
    const kinds = [
      now - chance.below(600_000),
      now - chance.below(6 * 86_400_000),
      now - chance.below(100 * 86_400_000),
      now + chance.below(10) * 60_000,
      now / 1000,
    ];
    const odd = [0, -1, now * 1000, 1e308, null, true, {}, [], "yesterday", new Date(now).toISOString(), String(now), 4_102_444_800_000, now + 0.1234];
    return chance.is(0.7) ? kinds[chance.below(3)] : chance.pick([...kinds, ...odd]);
  }

  private value(depth: number): unknown {
    const { chance } = this;
    switch (chance.below(depth > 3 ? 6 : 9)) {
      case 0:
        return chance.pick(words);
      case 1:
        return chance.is(0.5);
      case 2:
        return null;
      case 3:
        return -chance.below(1000);
      case 4:
        return chance.next() * 10 ** (chance.below(40) - 10);
      case 5:
      case 6:
        return chance.below(400);
      case 7:
        return Array.from({ length: chance.below(4) }, () => this.value(depth + 1));
      default:
        return { [chance.pick(keys)]: this.value(depth + 1) };
    }
  }
}

// Chance by seed: the same words give the same numbers on every machine and in every run.

/** 32-bit hash of text (FNV-1a, then mixed so that neighbouring keys do not give neighbouring seeds). */
export function hash(...parts: readonly (string | number)[]): number {
  let h = 0x811c9dc5;
  for (const part of parts) {
    const text = typeof part === "number" ? `#${part}` : part;
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
    h = Math.imul(h ^ 0x1f, 0x01000193);
  }
  return mix(h);
}

function mix(h: number): number {
  let m = h ^ (h >>> 16);
  m = Math.imul(m, 0x85ebca6b);
  m ^= m >>> 13;
  m = Math.imul(m, 0xc2b2ae35);
  return (m ^ (m >>> 16)) >>> 0;
}

/** A number in [0, 1) that belongs to `seed` and `n` alone: noise that needs no history. */
export const noise = (seed: number, n: number): number => mix(Math.imul(seed ^ Math.floor(n / 4294967296), 0x9e3779b1) ^ (n >>> 0)) / 4294967296;

/** Like `noise`, about normally distributed with mean 0 and standard deviation 1 (sum of three). */
export const bell = (seed: number, n: number): number => (noise(seed, n) + noise(seed ^ 0x5bd1e995, n) + noise(seed ^ 0x2c1b3c6d, n) - 1.5) * 2;

/** A stream of chance (mulberry32). */
export type Chance = {
  /** [0, 1) */
  next: () => number;
  /** [low, high) */
  between: (low: number, high: number) => number;
  /** Exponential with this mean. */
  waiting: (mean: number) => number;
  /** Normal(0, 1), bounded to +-3. */
  normal: () => number;
  pick: <T>(from: readonly T[]) => T;
};

export function chance(...parts: readonly (string | number)[]): Chance {
  let state = hash(...parts);
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return {
    next,
    between: (low, high) => low + (high - low) * next(),
    waiting: (mean) => -Math.log(1 - next()) * mean,
    normal: () => Math.max(-3, Math.min(3, Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()))),
    pick: (from) => {
      const picked = from[Math.floor(next() * from.length)];
      if (picked === undefined) throw new RangeError("There is nothing to pick from.");
      return picked;
    },
  };
}

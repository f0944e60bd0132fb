import { chance } from "#/simulator/model/random.ts";

/** Chance that can be repeated by its seed, in the forms that the long tests need. */
export class Chance {
  /** 0 <= x < 1 */
  readonly next: () => number;
  constructor(seed: number) {
    this.next = chance(seed).next;
  }
  /** Whole number, 0 <= n < below. */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }
  is(share: number): boolean {
    return this.next() < share;
  }
  pick<T>(list: readonly T[]): T {
    const one = list[this.below(list.length)];
    if (one === undefined) throw new Error("Nothing to pick from.");
    return one;
  }
  /** In place. */
  shuffle<T>(list: T[]): T[] {
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [list[i], list[j]] = [list[j]!, list[i]!];
    }
    return list;
  }
}

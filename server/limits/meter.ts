/** A bucket for each who asks, which fills by itself. */

/** burst: at once, after a while without asking; perS: from then on. */
export type Rate = { burst: number; perS: number };

const mostKept = 10_000;

export class Meter {
  private readonly buckets = new Map<string, { left: number; at: number }>();
  private readonly rate: Rate;

  constructor(rate: Rate) {
    this.rate = rate;
  }

  /** Takes `cost` from the key's bucket. 0: it was there; else seconds until it will be. What costs more than a full bucket empties it. */
  take(key: string, cost: number, nowMs: number): number {
    const { burst, perS } = this.rate;
    const bucket = this.buckets.get(key) ?? { left: burst, at: nowMs };
    const left = Math.min(burst, bucket.left + (Math.max(0, nowMs - bucket.at) / 1000) * perS);
    const price = Math.min(cost, burst);
    const isThere = left >= price;
    this.buckets.delete(key); // to the end: the first ones are those not asked for the longest
    this.buckets.set(key, { left: isThere ? left - price : left, at: nowMs });
    if (this.buckets.size > mostKept) this.forget();
    return isThere ? 0 : Math.max(1, Math.ceil((price - left) / perS));
  }

  private forget(): void {
    for (const key of this.buckets.keys()) {
      this.buckets.delete(key);
      if (this.buckets.size <= mostKept / 2) return;
    }
  }
}

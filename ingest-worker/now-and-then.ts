// What may befall every message is logged once in a while: the letters say it of each.
const eachMs = 10_000;

export class NowAndThen {
  private readonly out: (sentence: string) => void;
  private readonly now: () => number;
  private saidAt = Number.NEGATIVE_INFINITY;
  private unsaid = 0;

  /** now: ms, of a clock that does not go back. */
  constructor(out: (sentence: string) => void, now: () => number = () => performance.now()) {
    this.out = out;
    this.now = now;
  }

  say(sentence: string): void {
    const now = this.now();
    if (now - this.saidAt < eachMs) {
      this.unsaid++;
      return;
    }
    this.out(this.unsaid === 0 ? sentence : `${sentence} (${this.unsaid} more such lines since the last one)`);
    this.saidAt = now;
    this.unsaid = 0;
  }
}

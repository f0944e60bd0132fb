/**
 * A reading that all viewers share: read once for all who ask within a while, and never so often that reading takes more than a fifth of the time.
 * Who asks after a change that is known here gets a reading that began after it.
 */

type Clock = { now: () => number; wait: (ms: number) => Promise<void> };
const realClock: Clock = { now: () => Date.now(), wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) };

/** A reading that took long is good for longer. */
const restPerWork = 4;

export class Snapshot<T> {
  private readonly read: () => Promise<T>;
  private readonly freshForMs: number;
  private readonly clock: Clock;
  /** When the last reading began, whatever came of it. */
  private begunAt = Number.NEGATIVE_INFINITY;
  private tookMs = 0;
  private value: { of: T } | null = null;
  private isOld = true;
  private reading: Promise<T> | null = null;
  private next: Promise<T> | null = null;
  private hurry = Promise.withResolvers<void>();

  constructor(read: () => Promise<T>, { freshForMs, clock = realClock }: { freshForMs: number; clock?: Clock }) {
    this.read = read;
    this.freshForMs = freshForMs;
    this.clock = clock;
  }

  /** @throws what reading throws; who asks later has it tried again */
  get(): Promise<T> {
    if (!this.isOld && this.reading) return this.reading;
    if (!this.isOld && this.value && this.clock.now() - this.begunAt < this.restMs()) return Promise.resolve(this.value.of);
    this.next ??= this.readNext();
    return this.next;
  }

  /** Others changed something: the next reading begins after now, when it is due. */
  grewOld(): void {
    this.isOld = true;
  }

  /** This process changed something, and who did wants to see it: the next reading is due at once. */
  forget(): void {
    this.isOld = true;
    this.begunAt = Number.NEGATIVE_INFINITY;
    this.hurry.resolve();
    this.hurry = Promise.withResolvers();
  }

  private restMs(): number {
    return Math.max(this.freshForMs, this.tookMs * restPerWork);
  }

  private async readNext(): Promise<T> {
    await Promise.allSettled([this.reading]); // one after the other; what becomes of it is for those who asked for it
    for (let restMs = this.dueInMs(); restMs > 0; restMs = this.dueInMs()) await Promise.race([this.clock.wait(restMs), this.hurry.promise]);
    this.next = null;
    this.isOld = false;
    const begunAt = this.clock.now();
    this.begunAt = begunAt;
    this.reading = this.read();
    try {
      const of = await this.reading;
      this.value = { of };
      return of;
    } catch (error) {
      this.value = null;
      throw error;
    } finally {
      this.tookMs = this.clock.now() - begunAt;
      this.reading = null;
    }
  }

  private dueInMs(): number {
    return this.begunAt + this.restMs() - this.clock.now();
  }
}

// What has been received and not yet committed. One batch is written while the next one fills.
import type { Letter, LinkEvent, Sample } from "./sample.ts";

export type Batch = {
  /** Values in it, as the outcomes count them. */
  values: number;
  samples: Sample[];
  letters: Letter[];
  links: LinkEvent[];
  /** Values that say nothing new and need no write. */
  repeats: number;
  /** Values set aside with the letter of one that came before, by its reason code. */
  setAside: Map<string, number>;
  /** Letters whose retry this batch settles. */
  retried: number[];
  /** To be called once, after COMMIT: PUBACKs. */
  acks: number[];
  bytes: number;
  firstAt: number;
};

export const emptyBatch = (): Batch => ({
  values: 0,
  samples: [],
  letters: [],
  links: [],
  repeats: 0,
  setAside: new Map(),
  retried: [],
  acks: [],
  bytes: 0,
  firstAt: 0,
});

/** Whether there is something for the database in it. */
export const hasWork = (batch: Batch) => batch.values > 0 || batch.links.length > 0 || batch.retried.length > 0;
export const isEmpty = (batch: Batch) => !hasWork(batch) && batch.acks.length === 0;

/** What it takes to hold and to write: link events are no values, and are held all the same. */
const loadOf = (batch: Batch) => batch.values + batch.links.length;

/** The filling batch as a sink for resolved values. */
export class Filling {
  batch: Batch = emptyBatch();
  received = 0;
  /** Samples that are committed. Used again, or each would live just long enough to get among the old objects of the heap, and make half of what is to be collected there. */
  private readonly spare: Sample[] = [];
  /** A copy of it is kept. */
  sample({ signal, at, value, text, flags, receivedAt }: Sample): void {
    const kept = this.spare.pop();
    if (kept) {
      kept.signal = signal;
      kept.at = at;
      kept.value = value;
      kept.text = text;
      kept.flags = flags;
      kept.receivedAt = receivedAt;
    }
    this.batch.samples.push(kept ?? { signal, at, value, text, flags, receivedAt });
    this.batch.values++;
    this.received++;
  }
  letter(letter: Letter): void {
    this.batch.letters.push(letter);
    this.batch.bytes += letter.payload.length;
    this.batch.values += letter.valueCount;
    this.received += letter.valueCount;
  }
  link(event: LinkEvent): void {
    this.batch.links.push(event);
  }
  repeat(): void {
    this.batch.repeats++;
    this.batch.values++;
    this.received++;
  }
  setAside(code: string, values: number): void {
    const { setAside } = this.batch;
    setAside.set(code, (setAside.get(code) ?? 0) + values);
    this.batch.values += values;
    this.received += values;
  }
  /** Nobody looks at these samples any more. */
  reuse(samples: readonly Sample[]): void {
    for (let i = 0; i < samples.length && this.spare.length < maxHeldValues; i++) this.spare.push(samples[i]!);
  }
  /** Takes what is there and starts anew. */
  take(): Batch {
    const batch = this.batch;
    this.batch = emptyBatch();
    return batch;
  }
}

/** Values and link events in one transaction at most: 0.2 s of work at 250,000/s. */
const maxBatchValues = 20_000;
/** Held beyond these, the pump stops and the broker keeps the rest: one batch on its way to the database, one ready, the next begun. More only takes memory. */
const maxHeldValues = 2 * maxBatchValues + 5_000;
const maxHeldBytes = 64 * 1024 * 1024;

/** epoch: the connection whose message ids are in its acks. */
export type Queued = { batch: Batch; epoch: number };

/** All that is held: the batch that fills, and those that wait for the database, the first of them under way. */
export class Held {
  readonly filling = new Filling();
  private epoch = 0;
  private readonly queue: Queued[] = [];
  private queuedValues = 0;
  private queuedLoad = 0;
  private queuedBytes = 0;
  /** Values that were let go of without an outcome. */
  givenBack = 0;

  get values(): number {
    return this.queuedValues + this.filling.batch.values;
  }
  private get load(): number {
    return this.queuedLoad + loadOf(this.filling.batch);
  }
  get isFull(): boolean {
    return this.load >= maxHeldValues || this.queuedBytes + this.filling.batch.bytes >= maxHeldBytes;
  }
  /** Room enough to let a held pump go on. */
  get hasRoom(): boolean {
    return this.load < maxHeldValues && this.queuedBytes < maxHeldBytes / 2;
  }
  get isQueued(): boolean {
    return this.queue.length > 0;
  }

  /** Receipt of the oldest that is held, ms; null: nothing is. */
  get since(): number | null {
    return this.queue[0]?.batch.firstAt || this.filling.batch.firstAt || null;
  }

  /** What comes from now on belongs to this connection: message ids of two do not mix. */
  of(epoch: number): void {
    if (epoch === this.epoch) return;
    this.cut();
    this.epoch = epoch;
  }

  /** After something was put into the filling batch. */
  cutIfLarge(): void {
    const { batch } = this.filling;
    if (loadOf(batch) >= maxBatchValues || batch.acks.length >= maxBatchValues) this.cut();
  }

  /** Moves the filling batch to the queue. */
  cut(): void {
    const batch = this.filling.take();
    if (isEmpty(batch)) return;
    this.queue.push({ batch, epoch: this.epoch });
    this.queuedValues += batch.values;
    this.queuedLoad += loadOf(batch);
    this.queuedBytes += batch.bytes;
  }

  first(): Queued | undefined {
    return this.queue[0];
  }

  /** The first one is committed. */
  shift(): void {
    const queued = this.queue.shift();
    if (!queued) return;
    this.filling.reuse(queued.batch.samples);
    this.queuedValues -= queued.batch.values;
    this.queuedLoad -= loadOf(queued.batch);
    this.queuedBytes -= queued.batch.bytes;
  }

  /** Lets go of all of it: what was not acknowledged is delivered again. */
  forget(): void {
    this.givenBack += this.values;
    this.filling.take();
    this.queue.length = 0;
    this.queuedValues = 0;
    this.queuedLoad = 0;
    this.queuedBytes = 0;
  }
}

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
  /** Letters whose retry this batch settles. */
  retried: number[];
  /** To be called once, after COMMIT: PUBACKs. */
  acks: number[];
  bytes: number;
  firstAt: number;
};

export const emptyBatch = (): Batch => ({ values: 0, samples: [], letters: [], links: [], repeats: 0, retried: [], acks: [], bytes: 0, firstAt: 0 });

/** Whether there is something for the database in it. */
export const hasWork = (batch: Batch) => batch.values > 0 || batch.links.length > 0 || batch.retried.length > 0;
export const isEmpty = (batch: Batch) => !hasWork(batch) && batch.acks.length === 0;
/** The filling batch as a sink for resolved values. */
export class Filling {
  batch: Batch = emptyBatch();
  received = 0;
  sample(sample: Sample): void {
    this.batch.samples.push(sample);
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
  /** Takes what is there and starts anew. */
  take(): Batch {
    const batch = this.batch;
    this.batch = emptyBatch();
    return batch;
  }
}

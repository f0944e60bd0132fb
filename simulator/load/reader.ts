// How far the reader of the load is: the publisher stays at most so many values ahead of what is committed, so that the broker's queue has a bound and the
// rate is the reader's.
import { setTimeout as wait } from "node:timers/promises";
import { messageOf, Trouble } from "#/simulator/trouble.ts";

const everyMs = 200;
const settled = /^takt_ingest_values_(?:written|duplicate|set_aside)_total(?:\{[^}]*\})? (\S+)$/gm;

export type Reader = { /** Values settled (written, duplicate, set aside) since we began to look. */ settled: number; end(): void };

/** Follows an ingest worker by its /metrics. Refuses with a sentence when they cannot be read at first; later an absent worker is waited for. */
export async function followReader(url: string): Promise<Reader> {
  const before = await settledBy(url);
  let ended = false;
  const reader: Reader = {
    settled: 0,
    end: () => {
      ended = true;
    },
  };
  const follow = async () => {
    while (!ended) {
      await wait(everyMs);
      try {
        reader.settled = (await settledBy(url)) - before;
      } catch (error) {
        if (!(error instanceof Trouble)) throw error;
      }
    }
  };
  void follow();
  return reader;
}

async function settledBy(url: string): Promise<number> {
  let text: string;
  try {
    text = await (await fetch(url)).text();
  } catch (error) {
    throw new Trouble(`The worker's figures at ${url} cannot be read: ${messageOf(error)}`);
  }
  let sum = 0;
  for (const [, value] of text.matchAll(settled)) sum += Number(value);
  return sum;
}

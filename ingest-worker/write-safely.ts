// What one value must not do to its neighbours: a batch that the database refuses is written the careful way, or by halves until the culprit is alone.
import type { Logger } from "pino";
import type { Batch } from "./batch.ts";
import { faultOf } from "./database.ts";
import type { Plant } from "./plant.ts";
import { type Letter, refusedSample } from "./sample.ts";
import { type Outcome, type WriteContext, writeBatch } from "./write.ts";

export type SafeContext = WriteContext & {
  log: Logger /** Reads the plant and what is committed anew; signals stay the same objects. */;
  reload(): Promise<{ plant: Plant }>;
};

/** Writes the batch whatever is in it. Throws only what is worth another try of the whole: the database's state, a lost lease. */
export async function writeSafely(ctx: SafeContext, batch: Batch): Promise<Outcome> {
  let careful = false;
  for (let tries = 0; ; tries++) {
    try {
      return await writeBatch(ctx, batch, careful);
    } catch (error) {
      const fault = faultOf(error);
      if (fault === "lease" || fault === "retry") throw error;
      await ctx.db.query("rollback");
      ctx.plant = (await ctx.reload()).plant;
      ctx.log.warn({ err: error }, `batch refused (${fault})`);
      if (fault === "collision" && !careful) careful = true;
      else if (fault === "missing" && tries < 2) setGoneAside(ctx, batch);
      else return writeHalves(ctx, batch, error as Error);
    }
  }
}

// The signals of these samples were removed from the plant while the values were under way.
function setGoneAside(ctx: SafeContext, batch: Batch): void {
  const isThere = new Map(batch.samples.map((s) => [s.signal, ctx.plant.signals.get(s.signal.id) === s.signal]));
  for (const s of batch.samples)
    if (!isThere.get(s.signal))
      batch.letters.push(refusedSample(s, "unknown_signal", `${s.signal.path} was removed from the plant while its value was under way.`));
  batch.samples = batch.samples.filter((s) => isThere.get(s.signal));
}

const nothing = { samples: [], letters: [], links: [], retried: [], repeats: 0, setAside: new Map<string, number>() };

// Samples apart from all else, then by halves, until the one that is refused is alone. It becomes a letter; a letter becomes one that cannot be refused.
async function writeHalves(ctx: SafeContext, batch: Batch, error: Error): Promise<Outcome> {
  const { samples, letters, links } = batch;
  const [letter] = letters;
  const [link] = links;
  const apart = (first: Partial<Batch>, rest: Partial<Batch>) => writeBoth(ctx, { ...batch, ...nothing, ...first }, { ...batch, ...rest });
  const half = (all: readonly unknown[]) => all.length >> 1;
  if (samples.length > 0 && letters.length + links.length > 0) return apart({ samples }, { samples: [] });
  if (letters.length > 0 && links.length > 0) return apart({ letters }, { letters: [] });
  if (samples.length > 1) return apart({ samples: samples.slice(0, half(samples)) }, { samples: samples.slice(half(samples)) });
  if (letters.length > 1) return apart({ letters: letters.slice(0, half(letters)) }, { letters: letters.slice(half(letters)) });
  if (links.length > 1) return apart({ links: links.slice(0, half(links)) }, { links: links.slice(half(links)) });
  if (samples.length === 1) {
    const refused = refusedSample(samples[0]!, "value_type", `The database refuses the value: ${error.message}`);
    return writeSafely(ctx, { ...batch, samples: [], letters: [refused] });
  }
  if (letter && isPlain.has(letter)) return giveUp(ctx, batch, letter, error);
  if (letter) return writeSafely(ctx, { ...batch, letters: [plainLetter(letter.topic, letter.payload, letter.valueCount, error)] });
  if (link) return writeSafely(ctx, { ...batch, links: [], letters: [plainLetter(link.address, Buffer.from(JSON.stringify(link)), 0, error)] });
  if (batch.retried.length > 0) {
    ctx.log.error({ err: error, letters: batch.retried }, "the database refuses to settle letters that were tried again: they stay as they are");
    return writeSafely(ctx, { ...batch, retried: [] });
  }
  throw new Error(`The database refuses a batch with nothing in it: ${error.message}`, { cause: error });
}

async function writeBoth(ctx: SafeContext, one: Batch, other: Batch): Promise<Outcome> {
  const first = await writeSafely(ctx, one);
  const second = await writeSafely(ctx, other);
  for (const [code, n] of second.setAside) first.setAside.set(code, (first.setAside.get(code) ?? 0) + n);
  return { written: first.written + second.written, duplicate: first.duplicate + second.duplicate, setAside: first.setAside };
}

/** Letters with nothing in them that a database could refuse. */
const isPlain = new WeakSet<Letter>();

function plainLetter(topic: string, payload: Buffer, valueCount: number, error: Error): Letter {
  const reason = `The database refuses to set this aside as it came: ${error.message}`;
  const plain = topic.replace(/[^ -~]/g, "?").slice(0, 200);
  const letter: Letter = {
    form: "message",
    topic: plain,
    metric: null,
    payload,
    valueCount,
    code: "payload_shape",
    reason,
    receivedAt: Date.now(),
    untimed: true,
  };
  isPlain.add(letter);
  return letter;
}

// Nothing more can be done for this one, and those behind it wait.
async function giveUp(ctx: SafeContext, batch: Batch, letter: Letter, error: Error): Promise<Outcome> {
  const payload = letter.payload.subarray(0, 10_000).toString("latin1");
  ctx.log.error({ err: error, topic: letter.topic, payload }, "the database refuses even a plain letter: it stands in this log alone");
  const outcome = await writeSafely(ctx, { ...batch, letters: [] });
  outcome.setAside.set(letter.code, (outcome.setAside.get(letter.code) ?? 0) + letter.valueCount);
  return outcome;
}

// What one value must not do to its neighbours: a batch that the database refuses is written the careful way, or by halves until the culprit is alone.
import type { Logger } from "pino";
import type { Batch } from "./batch.ts";
import { faultOf } from "./database.ts";
import type { Plant } from "./plant.ts";
import { refusedSample } from "./sample.ts";
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

async function writeHalves(ctx: SafeContext, batch: Batch, error: Error): Promise<Outcome> {
  const { samples } = batch;
  if (samples.length === 0) throw new Error(`The database refuses what is not a value: ${error.message}`, { cause: error });
  if (samples.length === 1) {
    const refused = refusedSample(samples[0]!, "value_type", `The database refuses the value: ${error.message}`);
    return writeSafely(ctx, { ...batch, samples: [], letters: [...batch.letters, refused] });
  }
  const middle = samples.length >> 1;
  const first = await writeSafely(ctx, { ...batch, samples: samples.slice(0, middle), letters: [], links: [], retried: [], repeats: 0, setAside: new Map() });
  const second = await writeSafely(ctx, { ...batch, samples: samples.slice(middle) });
  for (const [code, n] of second.setAside) first.setAside.set(code, (first.setAside.get(code) ?? 0) + n);
  return { written: first.written + second.written, duplicate: first.duplicate + second.duplicate, setAside: first.setAside };
}

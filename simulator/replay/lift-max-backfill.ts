/** A recording with its own times is older than its sources may deliver: max_backfill is lifted to reach its first row. */
import pg from "pg";
import { messageOf, Trouble } from "#/simulator/trouble.ts";

const dayS = 86_400;
const days = (seconds: number) => Math.round(seconds / dayS).toLocaleString("en-US");

/** A worker that cannot write does not read the plant again either, and says so on Data health; who waits for longer learns that. */
const workersWithinMs = 60_000;

/**
 * Lifts max_backfill of the sources that the machines' signals come from, to the whole days that reach `ageMs` back and one more for the way. Never lowers.
 * Returns, as a sentence or null where all reach far enough, what was done, when every ingest worker at work goes by it: what is published from then on is
 * not too old. Throws Trouble: no database is named, it is away, it knows none of the machines, or a worker does not read the plant again.
 */
export async function liftMaxBackfill(
  databaseUrl: string | undefined,
  machinePaths: readonly string[],
  ageMs: number,
  withinMs = workersWithinMs,
): Promise<string | null> {
  const reachS = (Math.ceil(ageMs / 1000 / dayS) + 1) * dayS;
  if (!databaseUrl)
    throw new Trouble(
      `--as-recorded needs max_backfill to reach ${days(reachS)} days back. Set DATABASE_URL and it is lifted there; or write "source: { max_backfill: ${reachS / dayS}d }" at ${machinePaths.join(", ")} in the plant file, apply it, and add --max-backfill-is-set.`,
    );
  const client = new pg.Client({ connectionString: databaseUrl, application_name: "takt-replay" });
  client.on("error", () => undefined); // a lost connection fails the query under way, which says so
  try {
    await client.connect();
    const sentence = await lift(client, machinePaths, reachS);
    await workersKnow(client, withinMs);
    return sentence;
  } catch (error) {
    if (error instanceof Trouble) throw error;
    throw new Trouble(`max_backfill cannot be lifted in the database of DATABASE_URL: ${messageOf(error)}.`);
  } finally {
    await client.end();
  }
}

async function lift(client: pg.Client, machinePaths: readonly string[], reachS: number): Promise<string | null> {
  // the plant's lock, as for every change of it; the worker reads the plant again when its revision moves
  await client.query("begin");
  await client.query("select pg_advisory_xact_lock(hashtext('takt plant'))");
  const { rows: sources } = await client.query<{ id: number; maxBackfillS: number }>(
    `-- replay.sources
     select distinct s.id, s.max_backfill_s as "maxBackfillS" from source s join signal g on g.source_id = s.id join machine m on m.id = g.machine_id
       join line l on l.id = m.line_id join area a on a.id = l.area_id join site si on si.id = a.site_id
     where concat_ws('/', si.key, a.key, l.key, m.key) = any($1) and s.retired_at is null`,
    [machinePaths],
  );
  if (sources.length === 0)
    throw new Trouble(`The database knows none of ${machinePaths.join(", ")}. Apply their plant file first: npm run plant -- apply FILE`);
  const short = sources.filter(({ maxBackfillS }) => maxBackfillS < reachS);
  if (short.length > 0)
    await client.query("-- replay.liftMaxBackfill\nupdate source set max_backfill_s = $1 where id = any($2)", [reachS, short.map(({ id }) => id)]);
  await client.query("commit");
  if (short.length === 0) return null;
  const from = [...new Set(short.map(({ maxBackfillS }) => days(maxBackfillS)))].join(" and ");
  return `max_backfill of ${short.length === 1 ? "1 source" : `${short.length} sources`} lifted from ${from} to ${days(reachS)} days.`;
}

/** Until each worker whose lease runs has said that it goes by the plant as it is now. One that is not at work reads it when it starts. */
async function workersKnow(client: pg.Client, withinMs: number): Promise<void> {
  const { rows: plant } = await client.query<{ revision: string }>("-- replay.revision\nselect revision from plant_revision");
  const end = Date.now() + withinMs;
  for (;;) {
    const { rows: behind } = await client.query<{ name: string }>(
      `-- replay.workersBehind
       select l.name from ingest_lease l left join ingest_worker w on w.name = l.name
       where l.expires_at > now() and coalesce((w.stats ->> 'plantRevision')::bigint, 0) < $1 order by l.name`,
      [plant[0]?.revision],
    );
    if (behind.length === 0) return;
    if (Date.now() > end)
      throw new Trouble(
        `The ingest worker ${behind.map(({ name }) => name).join(", ")} has not taken over the plant's newest settings within ${withinMs / 1000} s; what is published now would be set aside as too old. Data health says what it lacks.`,
      );
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

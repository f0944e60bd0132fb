// Letters that someone wants tried again: fed through the normal way, and settled in the transaction that writes them.
import type pg from "pg";
import type { Filling } from "./batch.ts";
import { instant } from "./decode.ts";
import type { Resolver } from "./resolve.ts";
import type { RawValue } from "./sample.ts";
import type { SparkplugLink } from "./sparkplug-link.ts";

const atOnce = 2_000;

type LetterRow = { id: string; form: "message" | "value"; topic: string; metric: string | null; payload: Buffer; payloadSize: number; receivedAt: Date };

/**
 * Puts letters with status 'retry' into the filling batch. True: there may be more. The plant is read anew for them: mostly it is a change of
 * it that makes a letter worth another try, and its notice may not have come yet.
 */
export async function feedRetries(db: pg.Client, newest: () => Promise<Resolver>, filling: Filling, sparkplug: SparkplugLink | null): Promise<boolean> {
  const taken = filling.batch.retried;
  const { rows } = await db.query<LetterRow>(
    `-- ingest.retries
     select id, form, topic, metric, payload, payload_size as "payloadSize", received_at as "receivedAt" from dead_letter where status = 'retry' and id <> all($1::bigint[]) order by id limit ${atOnce}`,
    [taken],
  );
  if (rows.length === 0) return false;
  const resolver = await newest();
  const now = Date.now();
  const hopeless: string[] = [];
  for (const row of rows) {
    const receivedAt = row.receivedAt.getTime();
    if (row.payload.length < row.payloadSize || (row.metric === null && row.topic.startsWith("spBv1.0/") && sparkplug === null)) {
      hopeless.push(row.id); // of a cut payload only the head was kept
      continue;
    }
    if (row.metric !== null) {
      const { ts, value } = JSON.parse(row.payload.toString("utf8")) as { ts?: unknown; value: RawValue };
      const at = instant(ts);
      resolver.metric(row.topic.replace(/^spBv1\.0\//, ""), row.metric, typeof at === "number" ? at : receivedAt, value, 0, receivedAt, filling, now);
    } else if (row.topic.startsWith("spBv1.0/")) sparkplug!.retry(row.topic, row.payload, receivedAt);
    else resolver.message({ topic: row.topic, payload: row.payload, retained: false, receivedAt, again: true, now }, filling);
    filling.batch.retried.push(Number(row.id));
  }
  if (hopeless.length > 0)
    await db.query("-- ingest.hopeless\nupdate dead_letter set status = 'open', status_at = now() where id = any($1::bigint[])", [hopeless]);
  return rows.length === atOnce;
}

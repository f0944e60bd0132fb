/** What signing in leaves behind and nobody needs any more: sessions that are over, links long past, counts of tries, browsers not seen for a year. */
import type { JobsDb } from "./database.ts";

/** Days. A link's row says for a while why it opens nothing any more; a browser's cookie lasts 400 days. */
const keepDays = { links: 90, devices: 400 } as const;
/** Seconds. Whoever waits for their turn asks again within 10 of them (server/identity/turns.ts). */
const keepTicketS = 60;

export type Swept = { sessions: number; links: number; tries: number; tickets: number; devices: number; challenges: number };

/** Safe to repeat; several at once do no harm. */
export async function dropOldSignIns(db: JobsDb, now: Date): Promise<Swept> {
  const dropped = async (sql: string, ...more: unknown[]) => (await db.rows(sql, [now, ...more])).length;
  return {
    sessions: await dropped(
      "-- jobs.sessions\n delete from session where expires_at < $1 or seen_at < $1::timestamptz - idle_s * interval '1 second' returning id",
    ),
    challenges: await dropped("-- jobs.challenges\n delete from verification where expires_at < $1 returning id"),
    links: await dropped("-- jobs.links\n delete from one_time_link where expires_at < $1::timestamptz - $2 * interval '1 day' returning id", keepDays.links),
    tries: await dropped("-- jobs.tries\n delete from sign_in_try where forgotten_at < $1 returning key"),
    tickets: await dropped("-- jobs.tickets\n delete from sign_in_ticket where due_at < $1::timestamptz - $2 * interval '1 second' returning id", keepTicketS),
    devices: await dropped(
      "-- jobs.devices\n delete from known_device where last_seen_at < $1::timestamptz - $2 * interval '1 day' returning id",
      keepDays.devices,
    ),
  };
}

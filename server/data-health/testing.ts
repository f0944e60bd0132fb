/** For tests: letters as the worker sets them aside. */
import { createHash } from "node:crypto";
import type { Db } from "#/server/db.ts";

/** An open letter of a value that came now. @returns its id */
export async function aLetter(
  db: Db,
  topic: string,
  payload: string | Buffer,
  { code = "unknown_signal", metric = null as string | null } = {},
): Promise<string> {
  const bytes = Buffer.from(payload);
  const print = createHash("sha256").update(`${topic}|${metric}|${code}|`).update(bytes).digest();
  const [made] = await db.rows<{ id: string }>(
    `insert into dead_letter (fingerprint, received_at, last_received_at, form, topic, metric, payload, payload_size, reason_code, reason)
     values ($1, now(), now(), 'value', $2, $3, $4, $5, $6, 'Because.') returning id`,
    [print, topic, metric, bytes, bytes.length, code],
  );
  return made?.id ?? "";
}

/** What people do that changes no row (sign in, export, try what is refused) goes to the audit trail by its own word. */
import type { Db } from "#/server/db.ts";
import { type Changing, change } from "./change.ts";

/** What an event is about. kind: as the table's name where it is a row. */
export type Subject = { kind: string; id: string; name: string | null };
export type Event = {
  /** null: concerns all sites. */
  siteId: number | null;
  action: string;
  subject: Subject;
  before?: unknown;
  after?: unknown;
  why?: string | null;
};

/** Writes down what is no change of a row (signed in, refused, exported), in the transaction of `change` and by its actor. */
export async function record(tx: Db, { siteId, action, subject, before, after, why }: Event): Promise<void> {
  const json = (value: unknown) => (value === undefined || value === null ? null : JSON.stringify(value));
  await tx.rows("-- audit.append\n select audit_append($1::int, $2, $3, $4, $5, $6::json, $7::json, $8)", [
    siteId,
    action,
    subject.kind,
    subject.id,
    subject.name,
    json(before),
    json(after),
    why ?? null,
  ]);
}

/** One event that changes nothing, in a transaction of its own. */
export const note = (ctx: Changing, event: Event): Promise<void> => change(ctx, event, (tx) => record(tx, event));

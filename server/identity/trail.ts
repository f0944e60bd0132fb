/** What the audit trail keeps of signing in. Never what was typed: a password lands in the wrong field soon enough. */
import { type Changing, change } from "#/server/audit/change.ts";
import { record } from "#/server/audit/record.ts";
import type { Db } from "#/server/db.ts";
import type { Actor } from "#/server/domain/permission.ts";

export type Named = { id: string; name: string };

/** A person as the actor of what they do before there is a session. */
export const personally = ({ id, name }: Named): Actor => ({ kind: "person", id, name, grants: [], sessionId: "", terminalId: null });

/** Signs of people and sessions belong to no site: they go into the chain of the whole plant. */
export const recordOf = (tx: Db, action: string, person: Named, after: Record<string, unknown> = {}): Promise<void> =>
  record(tx, { siteId: null, action, subject: { kind: "person", id: person.id, name: person.name || null }, after });

/** Writes down one thing that is no change of a row. */
export const note = (ctx: Changing, action: string, person: Named, after: Record<string, unknown> = {}): Promise<void> =>
  change(ctx, { action }, (tx) => recordOf(tx, action, person, after));

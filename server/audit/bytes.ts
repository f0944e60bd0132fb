/**
 * The bytes of an entry that are hashed, and their hash. docs/audit.md describes them for others who check; the database's own audit_bytes() must say the
 * same, which a test holds.
 */
import { createHash } from "node:crypto";

/** An entry as the database gives it: every field as the very text that was hashed. */
export type EntryText = {
  chain: number;
  seq: string;
  /** UTC to the microsecond, 2026-05-04T10:00:00.123456Z */
  at: string;
  actorKind: string;
  actorId: string;
  actorName: string;
  address: string | null;
  userAgent: string | null;
  action: string;
  subjectKind: string;
  subjectId: string;
  subjectName: string | null;
  before: string | null;
  after: string | null;
  why: string | null;
  previousHash: Buffer;
  hash: Buffer;
};

/** The columns of EntryText, of `audit_entry e`. */
export const entryColumns = `e.chain, e.seq::text, to_char(e.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at,
  e.actor_kind as "actorKind", e.actor_id as "actorId", e.actor_name as "actorName", e.address, e.user_agent as "userAgent", e.action,
  e.subject_kind as "subjectKind", e.subject_id as "subjectId", e.subject_name as "subjectName", e.before::text, e.after::text, e.why,
  e.previous_hash as "previousHash", e.hash`;

/** A field's length in bytes of UTF-8, a colon, the text, a line feed; a lone hyphen for null. */
const field = (value: string | null): string => (value === null ? "-\n" : `${Buffer.byteLength(value)}:${value}\n`);

export function entryHash(e: EntryText): Buffer {
  const fields = [
    String(e.chain),
    e.seq,
    e.at,
    e.actorKind,
    e.actorId,
    e.actorName,
    e.address,
    e.userAgent,
    e.action,
    e.subjectKind,
    e.subjectId,
    e.subjectName,
    e.before,
    e.after,
    e.why,
  ];
  return createHash("sha256")
    .update(e.previousHash)
    .update(`takt-audit-1\n${fields.map(field).join("")}`, "utf8")
    .digest();
}

/** What the first entry of a chain follows. */
export const beforeFirst = Buffer.alloc(32);

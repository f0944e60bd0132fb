/**
 * What the trail itself says of its heads that were published: each publication is an entry of chain 0, so that a place of heads that was emptied, cut or taken
 * away is found out by who compares the trail with it.
 */
import type { Db } from "#/server/db.ts";
import type { EntryText } from "./bytes.ts";
import type { HeadTargets } from "./env.ts";
import type { Head, PublishedHead } from "./heads.ts";

export type Target = keyof HeadTargets;
export const variableOf: Record<Target, string> = { file: "AUDIT_HEAD_FILE", mail: "AUDIT_HEAD_MAIL", mqtt: "AUDIT_HEAD_TOPIC" };

const action = "audit.heads_published";
const subjectKind = "audit_heads";

/** Writes down that these heads were published; place: as the environment names it. The entry is of chain 0 and moves its head by one. */
export async function recordPublication(db: Db, target: Target, place: string, heads: readonly Head[]): Promise<void> {
  const after = JSON.stringify({ heads: heads.map(({ chain, seq, hash }) => ({ chain, seq, hash })) });
  await db.rows("-- audit.recordPublication\n select audit_append(null, $1, $2, $3, $4, null, $5::json, null)", [action, subjectKind, target, place, after]);
}

type Named = { chain: number; seq: number; hash: string };
const nameOf = ({ chain, seq, hash }: Named) => `${chain} ${seq} ${hash}`;

/** Of one target. at: of its last publication, UTC. heads: each that was published, by what names it; last: those of the last publication. */
type Publications = { count: number; place: string; at: string; heads: Map<string, { at: string; chain: number; seq: number }>; last: readonly Named[] };

/** Reads the publications out of the trail's entries as these are walked through. */
export class PublicationLog {
  readonly of = new Map<Target, Publications>();

  entry(e: EntryText): void {
    if (e.action !== action || e.subjectKind !== subjectKind || !(e.subjectId in variableOf)) return;
    const last = headsIn(e.after);
    const target = e.subjectId as Target;
    const known = this.of.get(target) ?? { count: 0, place: "", at: "", heads: new Map(), last: [] };
    for (const head of last) if (!known.heads.has(nameOf(head))) known.heads.set(nameOf(head), { at: e.at, chain: head.chain, seq: head.seq });
    this.of.set(target, { ...known, count: known.count + 1, place: e.subjectName ?? "", at: e.at, last });
  }
}

/** What the entry says; nothing where it was changed to something else, which its hash tells. */
function headsIn(after: string | null): Named[] {
  try {
    const said: { heads?: Named[] } | null = JSON.parse(after ?? "null");
    return Array.isArray(said?.heads) ? said.heads : [];
  } catch {
    return [];
  }
}

/** What was read at a place of heads; null: there is nothing. */
export type Place = { target: "file" | "mqtt"; name: string; heads: readonly PublishedHead[] | null };

/** Why what the trail says was published there is not there any more; null: it is, or nothing was. A file holds all that was ever published, a topic the last. */
export function whyNotThere(place: Place, log: PublicationLog): string | null {
  const published = log.of.get(place.target);
  if (!published) return null;
  const { count, at } = published;
  const times = `${count.toLocaleString("en")} ${count === 1 ? "time" : "times"}`;
  if (place.heads === null || place.heads.length === 0) {
    const what = place.heads === null ? "is not there" : "holds no heads";
    return `${variableOf[place.target]} (${place.name}) ${what}, but the trail says that heads were published ${times}, last at ${at}. They were removed; take a copy that was kept elsewhere, and find out by whom.`;
  }
  const there = new Set(place.heads.map(nameOf));
  const wanted = place.target === "file" ? [...published.heads] : published.last.map((head) => [nameOf(head), { ...head, at }] as const);
  const missing = wanted.filter(([name]) => !there.has(name));
  const [first] = missing;
  if (!first) return null;
  const [, { chain, seq, at: firstAt }] = first;
  return `${variableOf[place.target]} (${place.name}) lacks ${missing.length.toLocaleString("en")} of the ${wanted.length.toLocaleString("en")} heads that the trail says were published there, first that of chain ${chain} at entry ${seq}, published at ${firstAt}: it was shortened, changed or replaced.`;
}

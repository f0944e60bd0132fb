/** SQL of looking into the trail. Entries come newest first; a key is where a page ends and the next goes on. */
import type { Db } from "#/server/db.ts";

export type EntryRow = {
  chain: number;
  seq: string;
  /** UTC to the microsecond. */
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
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  why: string | null;
  previousHash: string;
  hash: string;
};
/** `at|chain|seq` */
export type EntryKey = string;
export const keyOf = ({ at, chain, seq }: Pick<EntryRow, "at" | "chain" | "seq">): EntryKey => `${at}|${chain}|${seq}`;

/** What narrows the trail down. Texts match anywhere, whatever the case. */
export type EntryFilter = {
  /** null: all. 0 is the chain of all sites. */
  chains: readonly number[] | null;
  from: Date | null;
  to: Date | null;
  who: string | null;
  action: string | null;
  kind: string | null;
  id: string | null;
  text: string | null;
  /** Kinds of which before and after are not looked into, but in these chains (null: in none). */
  veiled: readonly string[];
  unveiledChains: readonly number[] | null;
};

const columns = `chain, seq::text, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at, actor_kind as "actorKind", actor_id as "actorId",
  actor_name as "actorName", address, user_agent as "userAgent", action, subject_kind as "subjectKind", subject_id as "subjectId", subject_name as "subjectName",
  before, after, why, encode(previous_hash, 'hex') as "previousHash", encode(hash, 'hex') as hash`;

/** LIKE's own signs are text like any other. */
const contains = (text: string | null) => (text === null ? null : `%${text.replace(/[\\%_]/g, "\\$&")}%`);

export type Slice = {
  rows: EntryRow[];
  /** The last entry looked at, whether it matched or not; null: there is nothing further. */
  end: EntryKey | null;
};

/**
 * The next `size` entries after `after` (null: from the newest) that indexes find, and those of them that match. So that a text that is nowhere is not looked
 * for in millions of entries at once.
 */
export async function entrySlice(db: Db, filter: EntryFilter, after: EntryKey | null, size: number): Promise<Slice> {
  const [at, chain, seq] = after?.split("|") ?? [null, null, null];
  const rows = await db.rows<EntryRow & { n: number; isMatch: boolean; isLast: boolean }>(
    `-- audit.slice
    with slice as materialized (
      select e.*, row_number() over (order by at desc, chain desc, seq desc)::int as n from audit_entry e
      where ($1::int[] is null or chain = any($1)) and ($2::timestamptz is null or at >= $2) and ($3::timestamptz is null or at < $3)
        and ($4::text is null or subject_kind = $4) and ($5::text is null or subject_id = $5)
        and ($6::timestamptz is null or (at, chain, seq) < ($6::timestamptz, $7::int, $8::bigint))
      order by at desc, chain desc, seq desc limit $9
    ), looked as (
      select *, n = (select max(n) from slice) as "isLast",
        ($10::text is null or actor_name ilike $10 or actor_id = $11)
        and ($12::text is null or action ilike $12)
        and ($13::text is null or concat_ws(E'\\n', subject_name, subject_id, why, action, actor_name, address,
          case when subject_kind = any($14::text[]) and chain <> all($15::int[]) then '' else concat(before, E'\\n', after) end) ilike $13) as "isMatch"
      from slice
    )
    select ${columns}, n, "isMatch", "isLast" from looked where "isMatch" or "isLast" order by n`,
    [
      filter.chains,
      filter.from,
      filter.to,
      filter.kind,
      filter.id,
      at,
      chain,
      seq,
      size,
      contains(filter.who),
      filter.who,
      filter.action === null ? null : contains(filter.action),
      contains(filter.text),
      filter.veiled,
      filter.unveiledChains ?? [],
    ],
  );
  const last = rows.at(-1);
  return {
    rows: rows.filter((row) => row.isMatch).map(({ n: _n, isMatch: _match, isLast: _last, ...row }) => row),
    end: last && last.n === size ? keyOf(last) : null,
  };
}

/** Of one object and of what hangs on it: rows of `parts.table` whose column names it. */
export type HistoryOf = { kind: string; id: string; parts: readonly { table: string; column: string }[] };

export const historyRows = (db: Db, { kind, id, parts }: HistoryOf, after: EntryKey | null, size: number): Promise<EntryRow[]> => {
  const [at, chain, seq] = after?.split("|") ?? [null, null, null];
  return db.rows<EntryRow>(
    `-- audit.history
    select ${columns} from (
      select * from audit_entry where subject_kind = $1 and subject_id = $2
      union all
      select e.* from unnest($3::text[], $4::text[]) p(part, col) join audit_entry e on e.subject_kind = p.part and coalesce(e.after, e.before) ->> p.col = $2
    ) e
    where $5::timestamptz is null or (at, chain, seq) < ($5::timestamptz, $6::int, $7::bigint)
    order by e.at desc, e.chain desc, e.seq desc limit $8`,
    [kind, id, parts.map(({ table }) => table), parts.map(({ column }) => column), at, chain, seq, size],
  );
};

export type SiteName = { id: number; key: string; name: string; zone: string };

export const siteNames = (db: Db, sites: readonly number[] | null) =>
  db.rows<SiteName>("-- audit.siteNames\nselect id, key, name, zone from site where $1::int[] is null or id = any($1) order by name", [sites]);

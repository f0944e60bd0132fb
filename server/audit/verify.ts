/** Checks the whole audit trail in one look at one moment of the database, in constant memory. */
import type { Db } from "#/server/db.ts";
import { type EntryText, entryColumns } from "./bytes.ts";
import { ChainCheck, type Finding } from "./chain-check.ts";
import { type PublishedHead, readHeads } from "./heads.ts";
import { unlikeTrail } from "./present.ts";
import { PublicationLog } from "./publications.ts";

/** Entries in memory at once; larger is no faster. */
const entriesAtOnce = 2_000;

export type Verification = {
  findings: Finding[];
  /** Entries by chain. */
  counts: Map<number, number>;
  /** What the trail says was published, and where. */
  publications: PublicationLog;
  /** False: the application's role could change the trail but for its triggers. */
  isGuardedByGrants: boolean;
};

type Options = {
  published: readonly PublishedHead[] /** Called now and then with the number of entries looked at so far. */;
  onProgress?: (entries: number) => void;
};

/** `tx`: a transaction (repeatable read), so that entries written meanwhile do not look like faults. */
export async function verify(tx: Db, { published, onProgress }: Options): Promise<Verification> {
  await tx.rows("-- audit.zone\nset local time zone 'UTC'"); // as recorded
  const heads = new Map((await readHeads(tx)).map((head) => [head.chain, head]));
  const ofChain = Map.groupBy(published, (head) => head.chain);
  const names = new Map((await tx.rows<{ id: number; key: string }>("-- audit.sites\nselect id, key from site")).map(({ id, key }) => [id, key]));
  const counts = new Map<number, number>();
  const findings: Finding[] = [];
  const publications = new PublicationLog();
  let done = 0;
  for (const chain of [...new Set([...(await chainsWithEntries(tx)), ...heads.keys(), ...ofChain.keys()])].sort((a, b) => a - b)) {
    const check = new ChainCheck(chain, nameOf(chain, names), ofChain.get(chain) ?? []);
    for await (const entry of entriesOf(tx, chain)) {
      check.entry(entry);
      publications.entry(entry);
      done += 1;
      if (done % 50_000 === 0) onProgress?.(done);
    }
    check.end(heads.get(chain) ?? null);
    counts.set(chain, check.count);
    findings.push(...check.findings);
    if (check.found > check.findings.length)
      findings.push({ chain, seq: null, sentence: `${check.found - check.findings.length} more were found in ${nameOf(chain, names)}.` });
  }
  findings.push(...(await wrongSignatures(tx)), ...(await unlikeTrail(tx)), ...(await withoutTrigger(tx)));
  const [guard] = await tx.rows<{ may: boolean }>(
    "-- audit.guard\nselect has_table_privilege('audit_entry', 'update') or has_table_privilege('audit_entry', 'delete') or has_table_privilege('audit_entry', 'truncate') as may",
  );
  return { findings, counts, publications, isGuardedByGrants: guard?.may === false };
}

export const nameOf = (chain: number, names: ReadonlyMap<number, string>): string =>
  `chain ${chain} (${chain === 0 ? "all sites" : (names.get(chain) ?? "a site that is not there any more")})`;

/** From one chain to the next by the primary key, without reading what lies between. */
async function chainsWithEntries(tx: Db): Promise<number[]> {
  const rows = await tx.rows<{ chain: number }>(`-- audit.chains
    with recursive next as (
      select min(chain) as chain from audit_entry
      union all
      select (select min(e.chain) from audit_entry e where e.chain > next.chain) from next where next.chain is not null
    )
    select chain from next where chain is not null`);
  return rows.map(({ chain }) => chain);
}

async function* entriesOf(tx: Db, chain: number): AsyncGenerator<EntryText> {
  let after = "-9223372036854775808"; // not 0: what somebody has put before the first entry is seen, too
  for (;;) {
    const rows = await tx.rows<EntryText>(
      `-- audit.entriesOf
      select ${entryColumns} from audit_entry e where e.chain = $1 and e.seq > $2::bigint order by e.seq limit ${entriesAtOnce}`,
      [chain, after],
    );
    yield* rows;
    const last = rows.at(-1);
    if (!last || rows.length < entriesAtOnce) return;
    after = last.seq;
  }
}

/** Every signature stands in the trail as it was given, and what was signed is still what the signature is bound to. */
async function wrongSignatures(tx: Db): Promise<Finding[]> {
  const rows = await tx.rows<{ id: string; chain: number; who: string; wrong: string }>(`-- audit.signatures
    with recorded as (
      select e.subject_id, e.after::jsonb as then, count(*) over (partition by e.subject_id) = 1 as "isOnce"
      from audit_entry e where e.subject_kind = 'signature' and e.after is not null and e.before is null
    ), given as (
      select s.id, coalesce(s.site_id, 0) as chain, s.signer_name as who, to_jsonb(s) as now, c.hash is not null as "hasContent",
        coalesce(sha256(convert_to(c.content, 'UTF8')) = s.content_hash, false) as "isContent"
      from signature s left join signed_content c on c.hash = s.content_hash
    ), both_of as (
      select r.subject_id, r.then, r."isOnce" and not exists (select from jsonb_each(r.then) f where g.now -> f.key is distinct from f.value) as "isAsRecorded", g.*
      from given g full join recorded r on r.subject_id = g.id::text
    )
    select coalesce(b.id::text, b.subject_id) as id, coalesce(b.chain, 0) as chain, coalesce(b.who, b.then ->> 'signer_name') as who,
      case when b.subject_id is null then 'is not in the audit trail' when b.id is null then 'is in the audit trail and was removed from the signatures'
        when not b."isAsRecorded" then 'was changed after it was given' when not b."hasContent" then 'has lost what was signed'
        else 'is bound to other content than is kept for it' end as wrong
    from both_of b where b.subject_id is null or b.id is null or not b."isAsRecorded" or not b."isContent"`);
  return rows.map(({ id, chain, who, wrong }) => ({ chain, seq: null, sentence: `The signature ${id} of ${who} ${wrong}.` }));
}

/** Triggers that should be there and are not at the moment. What happened meanwhile is not in the trail. */
async function withoutTrigger(tx: Db): Promise<Finding[]> {
  const rows = await tx.rows<{ name: string; guard: string }>(`-- audit.unguarded
    with wanted as (
      select c.relname as name, g as guard from pg_class c, unnest('{A_audit,A_audit_truncate}'::text[]) g
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not exists (select from audit_exempt x where x."table" = c.relname)
      union all
      values ('audit_entry', 'append_only'), ('audit_chain', 'append_only'), ('signature', 'append_only'), ('signed_content', 'append_only'),
        ('audit_chain', 'forward_only'), ('audit_open', 'flush')
    )
    select name, guard from wanted w
    where not exists (select from pg_trigger g where g.tgrelid = to_regclass('public.' || quote_ident(w.name)) and g.tgname = w.guard and g.tgenabled = 'A')
    order by 1, 2`);
  const effect = (guard: string) => (guard === "append_only" || guard === "forward_only" ? "what stands in it can be changed" : "changes are not recorded");
  return rows.map(({ name, guard }) => ({
    chain: 0,
    seq: null,
    sentence: `The table ${name} lacks its trigger ${guard}, or it is switched off: ${effect(guard)}. Put it right with: npm run migrate`,
  }));
}

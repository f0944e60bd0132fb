/**
 * Holds what stands in the database now against what the trail says of it last. So an end of the trail that was cut off before its heads were published shows, and
 * what was changed while a trigger was switched off: unless the rows themselves were put back, too.
 */
import type { Db } from "#/server/db.ts";
import type { Finding } from "./chain-check.ts";

/** name: the table, quoted. keys: its key's columns. left: columns of which the trail holds no value (secrets, what programs keep up to date). up: its way to a site. */
type AuditedRow = { table: string; name: string; keys: string[]; left: string[]; up_columns: string[]; up_tables: string[] };
type UnlikeRow = { id: string; chain: number; wrong: "unsaid" | "changed" | "gone" | "back" };

/** Of one table; more are counted. */
const mostOfTable = 20;

/** `tx`: as of `verify`, in UTC. Signatures are compared there, and closer. */
export async function unlikeTrail(tx: Db): Promise<Finding[]> {
  const tables = await tx.rows<AuditedRow>(`-- audit.audited
    with arguments as (
      select g.tgrelid, string_to_array(encode(g.tgargs, 'escape'), '\\000') as args from pg_trigger g where g.tgname = 'A_audit'
    )
    select c.relname as table, format('%I', c.relname) as name, args[1]::text[] as keys, args[5]::text[] || args[6]::text[] as left, args[3]::text[] as up_columns, args[4]::text[] as up_tables
    from arguments a join pg_class c on c.oid = a.tgrelid
    where c.relnamespace = 'public'::regnamespace and args[1] <> '{}' and c.relname <> 'signature' order by 1`);
  const findings: Finding[] = [];
  for (const table of tables) {
    const rows = await unlike(tx, table);
    for (const { id, chain, wrong } of rows.slice(0, mostOfTable)) findings.push({ chain, seq: null, sentence: sentences[wrong](table.table, id) });
    if (rows.length > mostOfTable)
      findings.push({ chain: 0, seq: null, sentence: `${rows.length - mostOfTable} more rows of ${table.table} are not as the trail says.` });
  }
  return findings;
}

const sentences: Record<UnlikeRow["wrong"], (table: string, id: string) => string> = {
  unsaid: (table, id) => `The ${table} ${id} is there, and the trail does not say who made it: its entry was cut off, or it was made past the trail.`,
  changed: (table, id) => `The ${table} ${id} is not as the trail says it was left: an entry was cut off, or it was changed past the trail.`,
  gone: (table, id) => `The ${table} ${id} is gone, and the trail does not say who removed it: its entry was cut off, or it was removed past the trail.`,
  back: (table, id) => `The ${table} ${id} is there, and the trail says that it was removed: an entry was cut off, or it was put back past the trail.`,
};

/**
 * An entry of a row holds the whole row, with its key; entries about an object (a link was given) do not, and say nothing of the row. Columns that came to the
 * table, or went, since the entry was written are not compared.
 */
function unlike(tx: Db, { table, name, keys, left, up_columns, up_tables }: AuditedRow): Promise<UnlikeRow[]> {
  const key = keys.map((column) => `r."${column.replaceAll('"', '""')}"::text`).join(" || '/' || ");
  // Laid out by programs from patterns: not in the trail until a person does something to it.
  const isLaidOut = (row: string) => (table === "shift_instance" ? `audit_is_laid_out(${row})` : "false");
  return tx.rows<UnlikeRow>(
    `-- audit.unlike ${table}
    with present as (select ${key} as id, to_jsonb(r) - $2::text[] as now from ${name} r), said as (
      select distinct on (e.subject_id) e.subject_id as id, e.chain, e.after::jsonb - $2::text[] as after, e.before::jsonb as before
      from audit_entry e
      where e.subject_kind = $1 and (e.before is not null or e.after is not null) and coalesce(e.after, e.before)::jsonb ?& $3::text[]
      order by e.subject_id, e.at desc, e.seq desc
    )
    select coalesce(p.id, s.id) as id, coalesce(s.chain, audit_chain_of(p.now, $4, $5)) as chain,
      case when s.id is null then 'unsaid' when p.id is null then 'gone' when s.after is null then 'back' else 'changed' end as wrong
    from present p full join said s on s.id = p.id
    where case when s.id is null then not ${isLaidOut("p.now")}
      when p.id is null then s.after is not null and not ${isLaidOut("s.after")}
      when s.after is null then not ${isLaidOut("p.now")}
      else p.now <> s.after and not (${isLaidOut("p.now")} and ${isLaidOut("s.after")})
        and exists (select from jsonb_each(s.after) f where p.now ? f.key and p.now -> f.key <> f.value) end
    order by 1 limit 10000`,
    [table, left, keys, up_columns, up_tables],
  );
}

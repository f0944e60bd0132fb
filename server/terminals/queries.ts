/** Shared terminals, and who may unlock them. */
import type { Db } from "#/server/db.ts";
import type { Grant, Role, Scope } from "#/server/domain/permission.ts";

export type TerminalRow = {
  id: number;
  name: string;
  siteId: number;
  siteName: string;
  /** none: all lines of the site. */
  lines: { id: number; name: string }[];
  autoLockS: number;
  createdAt: Date;
  createdBy: string | null;
  lastSeenAt: Date | null;
  lastAddress: string | null;
  revokedAt: Date | null;
  /** Who has it unlocked now. */
  unlockedBy: string | null;
};

const terminalSql = `
  select t.id, t.name, t.site_id as "siteId", s.name as "siteName",
    coalesce((select jsonb_agg(jsonb_build_object('id', l.id, 'name', l.name) order by l.name, l.id)
      from terminal_line tl join line l on l.id = tl.line_id where tl.terminal_id = t.id), '[]') as lines,
    t.auto_lock_s as "autoLockS", t.created_at as "createdAt", c.name as "createdBy", t.last_seen_at as "lastSeenAt", t.last_address as "lastAddress",
    t.revoked_at as "revokedAt",
    (select p.name from session e join person p on p.id = e.person_id
      where e.terminal_id = t.id and e.expires_at > $1 and e.seen_at > $1::timestamptz - e.idle_s * interval '1 second' order by e.seen_at desc limit 1) as "unlockedBy"
  from terminal t join site s on s.id = t.site_id left join person c on c.id = t.created_by`;

/** Of the sites of the scope, those in use first. */
export const terminalsOf = (db: Db, { sites }: Scope, now: Date): Promise<TerminalRow[]> =>
  db.rows<TerminalRow>(
    `-- terminals.list${terminalSql} where $2::int[] is null or t.site_id = any($2) order by t.revoked_at is not null, s.name, t.name, t.id`,
    [now, sites === "all" ? null : sites],
  );

/** By what its cookie holds; null where it is registered no longer. */
export async function terminalBySecret(db: Db, secretHash: Buffer, now: Date): Promise<TerminalRow | null> {
  const [row] = await db.rows<TerminalRow>(`-- terminals.bySecret${terminalSql} where t.secret_hash = $2 and t.revoked_at is null`, [now, secretHash]);
  return row ?? null;
}

export async function terminalById(db: Db, id: number, now: Date): Promise<TerminalRow | null> {
  const [row] = await db.rows<TerminalRow>(`-- terminals.byId${terminalSql} where t.id = $2`, [now, id]);
  return row ?? null;
}

/** Whoever changes it next waits for the end of this transaction. */
export const lockTerminal = (tx: Db, id: number) => tx.rows("-- terminals.lock\n select from terminal where id = $1 for update", [id]);

export type TerminalPerson = { id: string; name: string; hasPin: boolean };
export type TerminalPersonRow = TerminalPerson & {
  pinHash: string | null;
  mustChange: boolean;
  /** By whose hand the PIN came; what it opens, as in server/domain/pin.ts. */
  givenBy: string | null;
  opens: string[];
  /** Of the floor, at the terminal's site. */
  roles: Role[];
  /** Its hash; null: none was ever set. */
  password: string | null;
};

/** The work on the floor, as in people/service.ts: who holds one of these at the terminal's site, and, where they have lines of their own, one of its lines. */
const peopleSql = `
  select p.id, p.name, n.person_id is not null as "hasPin"
  from person p left join person_pin n on n.person_id = p.id
  where p.disabled_at is null and exists (
    select from membership m where m.person_id = p.id and (m.site_id is null or m.site_id = $1) and m.role = any($2)
      and (not exists (select from membership_line o where o.membership_id = m.id) or $3::int[] = '{}'
        or exists (select from membership_line o where o.membership_id = m.id and o.line_id = any($3))))`;

export const terminalPeople = (db: Db, terminal: TerminalRow, roles: readonly string[]): Promise<TerminalPerson[]> =>
  db.rows<TerminalPerson>(`-- terminals.people${peopleSql} order by p.name, p.id`, [terminal.siteId, roles, terminal.lines.map(({ id }) => id)]);

/** One of them, with what their PIN is compared with. */
export async function terminalPerson(db: Db, terminal: TerminalRow, roles: readonly string[], personId: string): Promise<TerminalPersonRow | null> {
  const [row] = await db.rows<TerminalPersonRow>(
    `-- terminals.person
     select w.*, n.hash as "pinHash", coalesce(n.must_change, false) as "mustChange", n.given_by as "givenBy", coalesce(n.opens, '{}') as opens, a.password,
       array(select distinct m.role from membership m where m.person_id = w.id and (m.site_id is null or m.site_id = $1) and m.role = any($2)) as roles
     from (${peopleSql}) w left join person_pin n on n.person_id = w.id left join account a on a.person_id = w.id and a.provider_id = 'credential' where w.id = $4`,
    [terminal.siteId, roles, terminal.lines.map(({ id }) => id), personId],
  );
  return row ?? null;
}

/** What a supervisor may choose from. */
export type TerminalSite = { id: number; name: string; lines: { id: number; name: string }[] };

export const terminalSites = (db: Db, { sites }: Scope): Promise<TerminalSite[]> =>
  db.rows<TerminalSite>(
    `-- terminals.sites
     select s.id, s.name, coalesce((select jsonb_agg(jsonb_build_object('id', l.id, 'name', l.name) order by l.name) from line l join area a on a.id = l.area_id
       where a.site_id = s.id and l.retired_at is null and a.retired_at is null), '[]') as lines
     from site s where s.retired_at is null and ($1::int[] is null or s.id = any($1)) order by s.name`,
    [sites === "all" ? null : sites],
  );

/** Terminals say that they are there when they are looked at; at most once a minute is written. */
export const seeTerminal = (db: Db, id: number, address: string | null, now: Date): Promise<unknown> =>
  db.rows(
    `-- terminals.seen
     update terminal set last_seen_at = $2, last_address = $3
     where id = $1 and (last_seen_at is null or last_seen_at < $2::timestamptz - interval '1 minute' or last_address is distinct from $3)`,
    [id, now, address],
  );

export type PinHolder = {
  id: string;
  name: string;
  hasPin: boolean;
  /** Given by a supervisor and not used yet. */
  mustChange: boolean;
  setAt: Date | null;
  grants: Grant[];
};

/** Who may unlock a terminal at one of the sites, what they hold, and whether they have a PIN. */
export const pinsAt = (db: Db, { sites }: Scope, roles: readonly string[], personId: string | null = null): Promise<PinHolder[]> =>
  db.rows<PinHolder>(
    `-- terminals.pins
     select p.id, p.name, n.person_id is not null as "hasPin", coalesce(n.must_change, false) as "mustChange", n.set_at as "setAt",
       (select jsonb_agg(jsonb_build_object('role', m.role, 'site', coalesce(to_jsonb(m.site_id), '"all"'),
         'lines', (select jsonb_agg(l.line_id) from membership_line l where l.membership_id = m.id)) order by m.id)
         from membership m where m.person_id = p.id) as grants
     from person p left join person_pin n on n.person_id = p.id
     where p.disabled_at is null and ($3::uuid is null or p.id = $3) and exists (
       select from membership m where m.person_id = p.id and m.role = any($2) and ($1::int[] is null or m.site_id is null or m.site_id = any($1)))
     order by p.name, p.id`,
    [sites === "all" ? null : sites, roles, personId],
  );

/** Ids of the supervisors of a site who are not disabled. */
export const supervisorsAt = async (db: Db, siteId: number): Promise<string[]> => {
  const rows = await db.rows<{ id: string }>(
    `-- terminals.supervisors
     select p.id from person p where p.disabled_at is null
       and exists (select from membership m where m.person_id = p.id and m.role = 'supervisor' and (m.site_id is null or m.site_id = $1)) order by p.id`,
    [siteId],
  );
  return rows.map(({ id }) => id);
};

/** SQL of the people: who there are, what they hold, how they sign in. Instants come as ms since 1970. */
import type { Db } from "#/server/db.ts";
import type { Role, Scope } from "#/server/domain/permission.ts";
import { inSites, sitesIn } from "#/server/scope.ts";

const ms = (column: string) => `round(extract(epoch from ${column}) * 1000)::float8`;

/** A role that somebody holds. siteId null: at all sites. lineIds: an operator's own ones; empty: all of the site. */
export type Membership = { role: Role; siteId: number | null; lineIds: number[]; fromProvider: boolean };

/** invited: has never signed in. */
export type PersonState = "active" | "invited" | "disabled";

export type PersonRow = {
  id: string;
  name: string;
  email: string | null;
  username: string | null;
  state: PersonState;
  secondFactor: boolean;
  /** Of the sessions that are still open; null: none is. */
  seenAt: number | null;
  memberships: Membership[];
};

/** More are found by choosing a site or a role. */
export const mostPeople = 2_000;

const canSignIn = "exists (select from account c where c.person_id = p.id and (c.password is not null or c.provider_id <> 'credential'))";
const stateSql = `case when p.disabled_at is not null then 'disabled' when ${canSignIn} then 'active' else 'invited' end`;
const membershipsSql = `coalesce((select json_agg(json_build_object('role', m.role, 'siteId', m.site_id, 'fromProvider', m.from_provider,
  'lineIds', array(select x.line_id from membership_line x where x.membership_id = m.id order by x.line_id)) order by m.site_id nulls first, m.role)
  from membership m where m.person_id = p.id), '[]')`;

export type PeopleFilter = { siteId: number | null; role: Role | null };

/**
 * People who hold anything where the actor may look, or at all sites; with all sites also those who hold nothing. Their memberships elsewhere are among the rows:
 * the caller takes them out. total: how many there are, of whom the first `mostPeople` come.
 */
export async function peopleRows(db: Db, scope: Scope, { siteId, role }: PeopleFilter): Promise<{ people: PersonRow[]; total: number }> {
  const rows = await db.rows<PersonRow & { total: number }>(
    `-- people.peopleRows
    select p.id, p.name, p.email, p.username, ${stateSql} as state, p.two_factor_enabled as "secondFactor",
      (select ${ms("max(s.seen_at)")} from session s where s.person_id = p.id) as "seenAt", ${membershipsSql} as memberships, count(*) over ()::int as total
    from person p
    where ($1::int[] is null and $2::int is null and $3::text is null) or exists (
      select from membership m where m.person_id = p.id and (m.site_id is null or ${inSites(1, "m.site_id")})
        and ($2::int is null or m.site_id is null or m.site_id = $2) and ($3::text is null or m.role = $3))
    order by lower(p.name), p.id limit ${mostPeople}`,
    [sitesIn(scope), siteId, role],
  );
  return { people: rows.map(({ total: _total, ...person }) => person), total: rows[0]?.total ?? 0 };
}

export type PersonDetail = PersonRow & {
  version: number;
  locale: string | null;
  hasPassword: boolean;
  providers: string[];
  hasPin: boolean;
  /** Until when an invitation or a link for a new password that was made is good. */
  linkUntilAt: number | null;
  linkPurpose: "invitation" | "password_reset" | null;
  createdAt: number;
  lockedUntilAt: number | null;
};

export async function personRow(db: Db, id: string, { lock = false } = {}): Promise<PersonDetail | null> {
  const [row] = await db.rows<PersonDetail>(
    `-- people.personRow
    select p.id, p.name, p.email, p.username, p.version, p.locale, ${stateSql} as state, p.two_factor_enabled as "secondFactor", ${ms("p.created_at")} as "createdAt",
      (select ${ms("max(s.seen_at)")} from session s where s.person_id = p.id) as "seenAt", ${membershipsSql} as memberships,
      exists (select from account c where c.person_id = p.id and c.password is not null) as "hasPassword",
      array(select c.provider_id from account c where c.person_id = p.id and c.provider_id <> 'credential' order by 1) as providers,
      exists (select from person_pin i where i.person_id = p.id) as "hasPin",
      (select ${ms("f.locked_until")} from two_factor f where f.person_id = p.id and f.locked_until > now()) as "lockedUntilAt",
      ${ms("k.expires_at")} as "linkUntilAt", k.purpose as "linkPurpose"
    from person p left join lateral (
      select l.expires_at, l.purpose from one_time_link l
      where l.person_id = p.id and l.used_at is null and l.revoked_at is null and l.expires_at > now() order by l.id desc limit 1
    ) k on true
    where p.id = $1 ${lock ? "for update of p" : ""}`,
    [id],
  );
  return row ?? null;
}

export type SessionRow = {
  id: string;
  createdAt: number;
  seenAt: number;
  method: "password" | "provider" | "pin" | "link";
  secondFactor: boolean;
  terminal: string | null;
  address: string | null;
  userAgent: string | null;
};

/** The sessions that are still open, the one used last first. */
export const sessionRows = (db: Db, personId: string, now: Date) =>
  db.rows<SessionRow>(
    `-- people.sessionRows
    select s.id, ${ms("s.created_at")} as "createdAt", ${ms("s.seen_at")} as "seenAt", s.method, s.second_factor as "secondFactor", t.name as terminal,
      s.ip_address as address, s.user_agent as "userAgent"
    from session s left join terminal t on t.id = s.terminal_id
    where s.person_id = $1 and s.expires_at > $2 and s.seen_at > $2::timestamptz - s.idle_s * interval '1 second'
    order by s.seen_at desc limit 100`,
    [personId, now],
  );

/** The site with this key; null: there is none. */
export async function siteIdOf(db: Db, key: string): Promise<number | null> {
  const [site] = await db.rows<{ id: number }>("-- people.siteIdOf\nselect id from site where key = $1", [key]);
  return site?.id ?? null;
}

/** Names of the sites where the actor may. */
export const siteNames = (db: Db, scope: Scope) =>
  db.rows<{ id: number; name: string }>(`-- people.siteNames\nselect id, name from site where ${inSites(1, "id")} order by name, id`, [sitesIn(scope)]);

export type Place = {
  siteId: number;
  siteName: string;
  zone: string;
  requiresSecondFactor: boolean;
  lines: { lineId: number; name: string; areaName: string }[];
};

/** The sites in use where the actor may, with their lines. */
export const placeRows = (db: Db, scope: Scope) =>
  db.rows<Place>(
    `-- people.placeRows
    select s.id as "siteId", s.name as "siteName", s.zone, s.requires_second_factor as "requiresSecondFactor",
      coalesce((select json_agg(json_build_object('lineId', l.id, 'name', l.name, 'areaName', a.name) order by a.name, l.name, l.id)
        from line l join area a on a.id = l.area_id where a.site_id = s.id and a.retired_at is null and l.retired_at is null), '[]') as lines
    from site s where s.retired_at is null and ${inSites(1, "s.id")} order by s.name, s.id`,
    [sitesIn(scope)],
  );

export type PersonFields = { name: string; email: string | null; username: string | null };

export async function insertPerson(tx: Db, { name, email, username }: PersonFields): Promise<string> {
  const [row] = await tx.rows<{ id: string }>("-- people.insertPerson\ninsert into person (name, email, username) values ($1, $2, $3) returning id", [
    name,
    email,
    username,
  ]);
  if (!row) throw new Error("The new person has no id.");
  return row.id;
}

/** Compare-and-set; false: someone else was quicker. */
export async function updatePerson(tx: Db, id: string, version: number, { name, email, username }: PersonFields): Promise<boolean> {
  const changed = await tx.rows(
    `-- people.updatePerson
    update person set name = $3, email = $4, email_verified = email_verified and email is not distinct from $4, username = $5, version = version + 1, updated_at = now() where id = $1 and version = $2 returning id`,
    [id, version, name, email, username],
  );
  return changed.length > 0;
}

/** False: they are so already. */
export async function setDisabled(tx: Db, id: string, disabledAt: Date | null): Promise<boolean> {
  const changed = await tx.rows(
    `-- people.setDisabled
    update person set disabled_at = $2::timestamptz, version = version + 1, updated_at = now() where id = $1 and (disabled_at is null) <> ($2::timestamptz is null) returning id`,
    [id, disabledAt],
  );
  return changed.length > 0;
}

type Wanted = Omit<Membership, "fromProvider">;
const isSame = (a: Wanted, b: Wanted) => a.role === b.role && a.siteId === b.siteId;

/** Makes `wanted` of those of the person's memberships that `before` names: what stays the same is not touched, so that it is not audited as changed. */
export async function replaceMemberships(tx: Db, personId: string, before: readonly Wanted[], wanted: readonly Wanted[]): Promise<void> {
  for (const gone of before.filter((one) => !wanted.some((other) => isSame(one, other))))
    await tx.rows(
      "-- people.removeMembership\ndelete from membership where person_id = $1 and role = $2 and site_id is not distinct from $3 and not from_provider",
      [personId, gone.role, gone.siteId],
    );
  for (const one of wanted) {
    const had = before.find((other) => isSame(one, other));
    if (!had)
      await tx.rows("-- people.addMembership\ninsert into membership (person_id, role, site_id) values ($1, $2, $3) on conflict do nothing", [
        personId,
        one.role,
        one.siteId,
      ]);
    await setLines(tx, personId, one, had?.lineIds ?? []);
  }
}

async function setLines(tx: Db, personId: string, { role, siteId, lineIds }: Wanted, before: readonly number[]): Promise<void> {
  const [gone, added] = [before.filter((id) => !lineIds.includes(id)), lineIds.filter((id) => !before.includes(id))];
  const whose = "select m.id from membership m where m.person_id = $1 and m.role = $2 and m.site_id is not distinct from $3";
  if (gone.length > 0)
    await tx.rows(`-- people.removeLines\ndelete from membership_line where membership_id in (${whose}) and line_id = any($4)`, [personId, role, siteId, gone]);
  if (added.length > 0)
    await tx.rows(`-- people.addLines\ninsert into membership_line (membership_id, line_id) select own.id, x from (${whose}) own, unnest($4::int[]) x`, [
      personId,
      role,
      siteId,
      added,
    ]);
}

/** From where sign-ins of the person were refused in the last hours: longer ago no count of tries reaches back. */
export const refusedFrom = async (db: Db, personId: string, since: Date): Promise<string[]> => {
  const rows = await db.rows<{ address: string }>(
    `-- people.refusedFrom
    select distinct address from audit_entry
    where chain = 0 and at > $2 and action in ('session.refused', 'session.code_refused') and subject_kind = 'person' and subject_id = $1 and address is not null limit 200`,
    [personId, since],
  );
  return rows.map(({ address }) => address);
};

/** What the browsers are known by in which the person has signed in. */
export const knownDevices = async (db: Db, personId: string): Promise<Buffer[]> => {
  const rows = await db.rows<{ hash: Buffer }>("-- people.knownDevices\nselect secret_hash as hash from known_device where person_id = $1", [personId]);
  return rows.map(({ hash }) => hash);
};

/** Of everybody at the scope's sites (and of those with roles at all sites, whom everybody sees) who is not disabled, but this one. */
export const namesOfOthers = async (db: Db, { sites }: Scope, id: string | null): Promise<string[]> => {
  const rows = await db.rows<{ name: string }>(
    `-- people.namesOfOthers
     select p.name from person p where p.disabled_at is null and p.id is distinct from $1::uuid
       and ($2::int[] is null or exists (select from membership m where m.person_id = p.id and (m.site_id is null or m.site_id = any($2))))`,
    [id, sites === "all" ? null : sites],
  );
  return rows.map(({ name }) => name);
};

/** Which of the addresses and names belong to somebody else. */
export async function takenBy(db: Db, { email, username }: PersonFields, except: string | null): Promise<("email" | "username")[]> {
  const rows = await db.rows<{ email: boolean; username: boolean }>(
    `-- people.takenBy
    select coalesce(bool_or(email = $1), false) as email, coalesce(bool_or(username = $2), false) as username
    from person where (email = $1 or username = $2) and id is distinct from $3`,
    [email, username, except],
  );
  return (["email", "username"] as const).filter((field) => rows[0]?.[field]);
}

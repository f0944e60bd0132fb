/** Who is signed in, and what they hold. */
import { db } from "#/server/db.ts";
import type { Actor, Grant, Role } from "#/server/domain/permission.ts";
import { isDoing, sessionToken } from "#/server/identity/session.ts";

type Person = Extract<Actor, { kind: "person" }>;

type ActorRow = {
  sessionId: string;
  personId: string;
  name: string;
  secondFactor: boolean;
  terminalId: number | null;
  terminalSiteId: number | null;
  grants: { role: Role; siteId: number | null; lines: number[] | null }[];
  /** Sites whose administrators need a second factor. */
  strictSiteIds: number[];
};

/** One round trip: the session if it is still good, its person, all memberships; and, where the person did something, the time of that (at most once a minute). */
const actorSql = `-- people.actor
with held as (
  select s.id, s.second_factor, s.terminal_id, t.site_id as terminal_site_id, p.id as person_id, p.name
  from session s join person p on p.id = s.person_id left join terminal t on t.id = s.terminal_id
  where s.token = $1 and s.expires_at > $2 and s.seen_at > $2 - s.idle_s * interval '1 second' and p.disabled_at is null
    and (s.terminal_id is null or t.revoked_at is null)
), seen as (
  update session s set seen_at = $2 from held
  where s.id = held.id and $3 and s.seen_at < $2 - least(60, s.idle_s / 4.0) * interval '1 second'
)
select h.id as "sessionId", h.person_id as "personId", h.name, h.second_factor as "secondFactor", h.terminal_id as "terminalId",
  h.terminal_site_id as "terminalSiteId",
  coalesce((
    select jsonb_agg(jsonb_build_object('role', m.role, 'siteId', m.site_id,
      'lines', (select jsonb_agg(l.line_id order by l.line_id) from membership_line l where l.membership_id = m.id)) order by m.id)
    from membership m where m.person_id = h.person_id), '[]') as grants,
  array(select id from site where requires_second_factor and retired_at is null) as "strictSiteIds"
from held h`;

/** Who the request's session belongs to; null where there is none that is good any more. @throws where the database is away */
export async function personActor(headers: Headers, now = new Date()): Promise<Person | null> {
  const token = sessionToken(headers);
  if (token === null) return null;
  const [row] = await db.rows<ActorRow>(actorSql, [token, now, isDoing(headers)]);
  return row ? actorOf(row) : null;
}

function actorOf({ sessionId, personId, name, terminalId, terminalSiteId, ...row }: ActorRow): Person {
  const all = row.grants.map(({ role, siteId, lines }): Grant => ({ role, site: siteId ?? "all", lines }));
  const here = terminalSiteId === null ? all : all.flatMap((grant) => atTerminal(grant, terminalSiteId));
  const grants = here.filter((grant) => row.secondFactor || !isWithheld(grant, row.strictSiteIds));
  const actor: Person = { kind: "person", id: personId, name, grants, sessionId, terminalId };
  return grants.length < here.length ? { ...actor, secondFactorMissing: true } : actor;
}

/** What a PIN opens, being short: the work on the floor, at the terminal's own site. */
export const floorRoles: readonly Role[] = ["operator", "supervisor", "technician", "storekeeper", "quality", "viewer"];

export function atTerminal(grant: Grant, siteId: number): Grant[] {
  if (!floorRoles.includes(grant.role)) return [];
  if (grant.site === "all") return [{ ...grant, site: siteId }];
  return grant.site === siteId ? [grant] : [];
}

/** An administrator's rights rest at a site that asks for a second factor, until the session has one. */
const isWithheld = (grant: Grant, strictSiteIds: readonly number[]): boolean =>
  grant.role === "administrator" && (grant.site === "all" ? strictSiteIds.length > 0 : strictSiteIds.includes(grant.site));

/** What a person holds apart from any session, for what acts in their name; null: they may not sign in any more, or there is no such person. */
export async function grantsOf(personId: string): Promise<Grant[] | null> {
  const [row] = await db.rows<Pick<ActorRow, "grants">>(
    `-- people.grantsOf
    select coalesce((
      select jsonb_agg(jsonb_build_object('role', m.role, 'siteId', m.site_id,
        'lines', (select jsonb_agg(l.line_id order by l.line_id) from membership_line l where l.membership_id = m.id)) order by m.id)
      from membership m where m.person_id = p.id), '[]') as grants
    from person p where p.id = $1 and p.disabled_at is null`,
    [personId],
  );
  return row ? row.grants.map(({ role, siteId, lines }): Grant => ({ role, site: siteId ?? "all", lines })) : null;
}

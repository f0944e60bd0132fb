/** Who is signed in, and what they hold. */
import { db } from "#/server/db.ts";
import type { Actor, Grant, Role } from "#/server/domain/permission.ts";
import { atTerminal, opens } from "#/server/domain/pin.ts";
import { isDoing, sessionToken } from "#/server/identity/session.ts";

type Person = Extract<Actor, { kind: "person" }>;

type ActorRow = {
  sessionId: string;
  personId: string;
  name: string;
  secondFactor: boolean;
  terminalId: number | null;
  terminalSiteId: number | null;
  /** What the PIN of a PIN's session was given for, as in server/domain/pin.ts; null: it is no PIN's session, or the PIN is gone. */
  pinOpens: string[] | null;
  grants: { role: Role; siteId: number | null; lines: number[] | null }[];
  /** Sites whose administrators need a second factor. */
  strictSiteIds: number[];
};

const strictSitesSql = "array(select id from site where requires_second_factor and retired_at is null)";

/**
 * What the sign-in provider's claim gave counts where the provider has let the person in, and not where only a password has: that may be known to whoever
 * administered the person before (docs/decisions/0012). A PIN opens the floor alone, so it may. One round trip: the session if it is still good, its person, all memberships; and, where the person did something, the time of that (at most once a minute). */
const actorSql = `-- people.actor
with held as (
  select s.id, s.method, s.second_factor, s.terminal_id, t.site_id as terminal_site_id, p.id as person_id, p.name
  from session s join person p on p.id = s.person_id left join terminal t on t.id = s.terminal_id
  where s.token = $1 and s.expires_at > $2 and s.seen_at > $2 - s.idle_s * interval '1 second' and p.disabled_at is null
    and (s.terminal_id is null or t.revoked_at is null)
), seen as (
  update session s set seen_at = $2 from held
  where s.id = held.id and $3 and s.seen_at < $2 - least(60, s.idle_s / 4.0) * interval '1 second'
)
select h.id as "sessionId", h.person_id as "personId", h.name, h.second_factor as "secondFactor", h.terminal_id as "terminalId",
  h.terminal_site_id as "terminalSiteId", (select n.opens from person_pin n where n.person_id = h.person_id and h.method = 'pin') as "pinOpens",
  coalesce((
    select jsonb_agg(jsonb_build_object('role', m.role, 'siteId', m.site_id,
      'lines', (select jsonb_agg(l.line_id order by l.line_id) from membership_line l where l.membership_id = m.id)) order by m.id)
    from membership m where m.person_id = h.person_id and (not m.from_provider or h.method in ('provider', 'pin'))), '[]') as grants,
  ${strictSitesSql} as "strictSiteIds"
from held h`;

/** Who the request's session belongs to; null where there is none that is good any more. @throws where the database is away */
export async function personActor(headers: Headers, now = new Date()): Promise<Person | null> {
  const token = sessionToken(headers);
  if (token === null) return null;
  const [row] = await db.rows<ActorRow>(actorSql, [token, now, isDoing(headers)]);
  return row ? actorOf(row) : null;
}

function actorOf({ sessionId, personId, name, terminalId, terminalSiteId, pinOpens, ...row }: ActorRow): Person {
  const all = row.grants.map(grantOf);
  const here =
    terminalSiteId === null
      ? all
      : all.flatMap((grant) => atTerminal(grant, terminalSiteId)).filter((grant) => opens(pinOpens ?? [], grant.role, terminalSiteId));
  const grants = awake(here, row);
  const actor: Person = { kind: "person", id: personId, name, grants, sessionId, terminalId };
  return grants.length < here.length ? { ...actor, secondFactorMissing: true } : actor;
}

const grantOf = ({ role, siteId, lines }: ActorRow["grants"][number]): Grant => ({ role, site: siteId ?? "all", lines });

/** Without those that rest for want of a second factor. */
const awake = (grants: Grant[], { secondFactor, strictSiteIds }: Pick<ActorRow, "secondFactor" | "strictSiteIds">): Grant[] =>
  grants.filter((grant) => secondFactor || !isWithheld(grant, strictSiteIds));

/** An administrator's rights rest at a site that asks for a second factor, until the session has one. */
const isWithheld = (grant: Grant, strictSiteIds: readonly number[]): boolean =>
  grant.role === "administrator" && (grant.site === "all" ? strictSiteIds.length > 0 : strictSiteIds.includes(grant.site));

/**
 * What a person holds apart from any session, for what acts in their name; null: they may not sign in any more, or there is no such person. Rights that rest for
 * want of a second factor rest here, too: the person's own confirmed one counts, or that the provider asked for one when they came by it last.
 */
export async function grantsOf(personId: string): Promise<Grant[] | null> {
  const [row] = await db.rows<Pick<ActorRow, "grants" | "secondFactor" | "strictSiteIds">>(
    `-- people.grantsOf
    select coalesce((
      select jsonb_agg(jsonb_build_object('role', m.role, 'siteId', m.site_id,
        'lines', (select jsonb_agg(l.line_id order by l.line_id) from membership_line l where l.membership_id = m.id)) order by m.id)
      from membership m where m.person_id = p.id), '[]') as grants,
      p.two_factor_enabled or exists (select from account a where a.person_id = p.id and a.second_factor) as "secondFactor",
      ${strictSitesSql} as "strictSiteIds"
    from person p where p.id = $1 and p.disabled_at is null`,
    [personId],
  );
  return row ? awake(row.grants.map(grantOf), row) : null;
}

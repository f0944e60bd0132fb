/** What signing in reads and writes of people. */
import type { Db } from "#/server/db.ts";

export type SignInRow = {
  id: string;
  name: string;
  email: string | null;
  username: string | null;
  /** Its hash; null: no password was ever set. */
  password: string | null;
  isDisabled: boolean;
  hasSecondFactor: boolean;
  locale: string | null;
  /** This person has signed in with this browser before. */
  isKnownDevice: boolean;
};

const signInColumns = `p.id, p.name, p.email, p.username, a.password, p.disabled_at is not null as "isDisabled", p.two_factor_enabled as "hasSecondFactor", p.locale,
  exists (select from known_device d where d.person_id = p.id and d.secret_hash = $2) as "isKnownDevice"`;

/** By what was typed: an address or a user name, in lower case. device: hash of the browser's own secret. */
export async function personByLogin(db: Db, login: string, device: Buffer | null): Promise<SignInRow | null> {
  const [row] = await db.rows<SignInRow>(
    `-- identity.personByLogin
     select ${signInColumns} from person p left join account a on a.person_id = p.id and a.provider_id = 'credential' where p.email = $1 or p.username = $1`,
    [login, device],
  );
  return row ?? null;
}

export async function personById(db: Db, id: string, device: Buffer | null = null): Promise<SignInRow | null> {
  const [row] = await db.rows<SignInRow>(
    `-- identity.personById
     select ${signInColumns} from person p left join account a on a.person_id = p.id and a.provider_id = 'credential' where p.id = $1`,
    [id, device],
  );
  return row ?? null;
}

/** A person keeps this many browsers in mind; older ones count as strange again. */
const mostDevices = 20;

export async function rememberDevice(tx: Db, personId: string, device: Buffer, now: Date): Promise<void> {
  await tx.rows(
    `-- identity.rememberDevice
     insert into known_device (person_id, secret_hash, created_at, last_seen_at) values ($1, $2, $3, $3)
     on conflict (person_id, secret_hash) do update set last_seen_at = excluded.last_seen_at`,
    [personId, device, now],
  );
  await tx.rows(
    `-- identity.forgetDevices
     delete from known_device where person_id = $1 and id not in (select id from known_device where person_id = $1 order by last_seen_at desc limit $2)`,
    [personId, mostDevices],
  );
}

/** The session that the browser held before: it ends when another begins in its place. */
export async function endReplacedSession(tx: Db, token: string, by: string): Promise<void> {
  await tx.rows("-- identity.endReplaced\n delete from session where token = $1 and token <> $2", [token, by]);
}

export type SessionRow = {
  id: string;
  method: "password" | "provider" | "pin" | "link";
  hasSecondFactor: boolean;
  createdAt: Date;
  seenAt: Date;
  expiresAt: Date;
  address: string | null;
  userAgent: string | null;
  terminal: string | null;
};

/** A person's sessions that are still good, the latest used first. */
export const sessionsOf = (db: Db, personId: string, now: Date): Promise<SessionRow[]> =>
  db.rows<SessionRow>(
    `-- identity.sessions
     select s.id, s.method, s.second_factor as "hasSecondFactor", s.created_at as "createdAt", s.seen_at as "seenAt", s.expires_at as "expiresAt",
       nullif(s.ip_address, '') as address, nullif(s.user_agent, '') as "userAgent", t.name as terminal
     from session s left join terminal t on t.id = s.terminal_id
     where s.person_id = $1 and s.expires_at > $2 and s.seen_at > $2 - s.idle_s * interval '1 second' and (t.id is null or t.revoked_at is null)
     order by s.seen_at desc`,
    [personId, now],
  );

export type AccountRow = {
  id: string;
  name: string;
  email: string | null;
  username: string | null;
  locale: string | null;
  hasPassword: boolean;
  hasProvider: boolean;
  hasSecondFactor: boolean;
  hasPin: boolean;
  mustChangePin: boolean;
  /** Duties, by the site's name; null: all sites. */
  duties: { role: string; site: string | null }[];
  /** Names of sites where this person administers and which ask for a second factor. */
  strictSites: string[];
};

export async function accountOf(db: Db, personId: string): Promise<AccountRow | null> {
  const [row] = await db.rows<AccountRow>(
    `-- identity.account
     select p.id, p.name, p.email, p.username, p.locale, p.two_factor_enabled as "hasSecondFactor",
       exists (select from account a where a.person_id = p.id and a.provider_id = 'credential' and a.password is not null) as "hasPassword",
       exists (select from account a where a.person_id = p.id and a.provider_id <> 'credential') as "hasProvider",
       n.person_id is not null as "hasPin", coalesce(n.must_change, false) as "mustChangePin",
       coalesce((select jsonb_agg(jsonb_build_object('role', m.role, 'site', s.name) order by s.name nulls first, m.id)
         from membership m left join site s on s.id = m.site_id where m.person_id = p.id), '[]') as duties,
       array(select s.name from site s where s.requires_second_factor and s.retired_at is null and exists (
         select from membership m where m.person_id = p.id and m.role = 'administrator' and (m.site_id is null or m.site_id = s.id)) order by s.name) as "strictSites"
     from person p left join person_pin n on n.person_id = p.id where p.id = $1`,
    [personId],
  );
  return row ?? null;
}

/** Names of the enterprise and its sites: words that come to mind first to whoever guesses, as to whoever chooses a password. */
export const placeNames = async (db: Db): Promise<string[]> =>
  (await db.rows<{ name: string }>("-- identity.places\n select name from enterprise union select name from site where retired_at is null")).map(
    ({ name }) => name,
  );

/** People without a screen: the first administrator's link, somebody added from the command line, help for who cannot get in. */
import type { Changing } from "#/server/audit/change.ts";
import { change } from "#/server/audit/change.ts";
import { record } from "#/server/audit/record.ts";
import { type Db, db } from "#/server/db.ts";
import { type Role, roles } from "#/server/domain/permission.ts";
import { Refusal } from "#/server/errors.ts";
import { hasAdministrator, makeLink } from "./links.ts";
import { personName, readLogin } from "./logins.ts";
import { whyNotPassword } from "./passwords.ts";
import { personByLogin, placeNames } from "./queries.ts";
import { resetSecondFactor, setPassword, setPin, signOutEverywhere } from "./reset.ts";

/** A command at a terminal acts as this. user: the machine's name of who runs it. */
export const commandLine = (user: string): Changing => ({
  actor: { kind: "program", id: "people", name: `Command line (${user})` },
  from: { address: null, userAgent: null },
  now: () => new Date(),
});

export type Link = { url: string; expiresAt: Date };

/** A link by which somebody becomes the first administrator; null where there is one already. Links printed before stay good until somebody has used one. */
export function firstAdministratorLink(ctx: Changing): Promise<Link | null> {
  return change(ctx, { action: "person.first_administrator_link" }, async (tx) => {
    if (await hasAdministrator(tx)) return null;
    const subject = { kind: "person", id: "", name: null };
    await record(tx, { siteId: null, action: "person.first_administrator_link", subject });
    return makeLink(tx, { purpose: "first_administrator", personId: null, by: ctx.actor.name, now: ctx.now() });
  });
}

/** site: its key; null: all sites. lines: area/line, an operator's own. */
export type NewMembership = { role: Role; site: string | null; lines: readonly string[] };
export type NewPerson = { name: string; login: string; memberships: readonly NewMembership[]; password: string | null; pin: string | null };

/** role@site or role@* (all sites), with an operator's own lines behind it: operator@berlin:press/line-1,press/line-2. @throws Refusal INVALID */
export function readMembership(text: string): NewMembership {
  const [, role = "", site = "", lines = ""] = /^([a-z_]+)@([^:]+)(?::(.+))?$/.exec(text) ?? [];
  const known = roles.find((name) => name === role);
  if (!known || site === "") throw new Refusal("INVALID", `"${text}" is no role at a site. Write role@site or role@*, with one of ${roles.join(", ")}.`);
  if (lines !== "" && (known !== "operator" || site === "*")) throw new Refusal("INVALID", "Lines of their own are for operators, at one site.");
  return { role: known, site: site === "*" ? null : site, lines: lines === "" ? [] : lines.split(",") };
}

/** With a password they can sign in at once; without, the link of the answer lets them choose one. @throws Refusal INVALID */
export async function addPerson(ctx: Changing, { name, login, memberships, password, pin }: NewPerson): Promise<{ id: string; link: Link | null }> {
  const read = personName.safeParse(name);
  if (!read.success) throw new Refusal("INVALID", "Give a name of at most 100 characters.");
  const logins = readLogin(login);
  if (!logins) throw new Refusal("INVALID", `"${login}" is no address and no user name (two to forty of a-z, 0-9, . _ -).`);
  const why = password === null ? null : whyNotPassword(password, [name, logins.email, logins.username, ...(await placeNames(db))]);
  if (why !== null) throw new Refusal("INVALID", `This password is not taken (${why}). At least 12 characters, none of the common ones.`);
  return change(ctx, { action: "person.added" }, async (tx) => {
    const [person] = await tx.rows<{ id: string }>(
      "-- people.add\n insert into person (name, email, username) values ($1, $2, $3) on conflict do nothing returning id",
      [read.data, logins.email, logins.username],
    );
    if (!person) throw new Refusal("INVALID", `Somebody has the address or user name ${login} already.`);
    for (const membership of memberships) await addMembership(tx, person.id, membership);
    if (password !== null) await setPassword(tx, person.id, password);
    if (pin !== null) await setPin(tx, person.id, pin);
    const link = password === null ? await makeLink(tx, { purpose: "invitation", personId: person.id, by: ctx.actor.name, now: ctx.now() }) : null;
    return { id: person.id, link };
  });
}

async function addMembership(tx: Db, personId: string, { role, site, lines }: NewMembership): Promise<void> {
  const [held] = await tx.rows<{ id: number }>(
    `-- people.addMembership
     insert into membership (person_id, role, site_id) select $1, $2, s.id from (select 1) one left join site s on s.key = $3
     where $3::text is null or s.id is not null returning id`,
    [personId, role, site],
  );
  if (!held) throw new Refusal("INVALID", `There is no site ${site}.`);
  for (const line of lines) {
    const added = await tx.rows(
      `-- people.addLine
       insert into membership_line (membership_id, line_id) select $1, l.id from line l join area a on a.id = l.area_id join site s on s.id = a.site_id
       where s.key = $2 and a.key || '/' || l.key = $3 and l.retired_at is null returning line_id`,
      [held.id, site, line],
    );
    if (added.length === 0) throw new Refusal("INVALID", `There is no line ${line} at ${site}. Write area/line.`);
  }
}

const missing = (login: string): Refusal => new Refusal("NOT_FOUND", `Nobody has the address or user name ${login}.`);

/** Seconds. Handed on from person to person, which takes longer than a mail. */
const handedOnS = 24 * 3600;

/** A link by which the person chooses another password. @throws Refusal NOT_FOUND */
export function passwordLink(ctx: Changing, login: string): Promise<Link> {
  return change(ctx, { action: "person.password_link" }, async (tx) => {
    const person = await personByLogin(tx, login.trim().toLowerCase(), null);
    if (!person) throw missing(login);
    await record(tx, { siteId: null, action: "person.password_link", subject: { kind: "person", id: person.id, name: person.name } });
    return makeLink(tx, {
      purpose: person.password === null ? "invitation" : "password_reset",
      personId: person.id,
      by: ctx.actor.name,
      now: ctx.now(),
      lastsS: handedOnS,
    });
  });
}

/** The person signs in without a code, and nowhere is signed in any more. @throws Refusal NOT_FOUND, RULE_BROKEN */
export function takeSecondFactor(ctx: Changing, login: string): Promise<void> {
  return change(ctx, { action: "person.second_factor_reset" }, async (tx) => {
    const person = await personByLogin(tx, login.trim().toLowerCase(), null);
    if (!person) throw missing(login);
    if (!(await resetSecondFactor(tx, person.id))) throw new Refusal("RULE_BROKEN", `${person.name} has no second factor.`);
    await signOutEverywhere(tx, person.id);
  });
}

/** @throws Refusal NOT_FOUND */
export function signOut(ctx: Changing, login: string): Promise<number> {
  return change(ctx, { action: "session.ended_all" }, async (tx) => {
    const person = await personByLogin(tx, login.trim().toLowerCase(), null);
    if (!person) throw missing(login);
    const ended = await signOutEverywhere(tx, person.id);
    await record(tx, { siteId: null, action: "session.ended_all", subject: { kind: "person", id: person.id, name: person.name }, after: { ended } });
    return ended;
  });
}

export type PersonLine = { name: string; login: string; state: string; duties: string };

/** Everybody, one line each. */
export const everybody = (db: Db): Promise<PersonLine[]> =>
  db.rows<PersonLine>(
    `-- people.everybody
     select p.name, coalesce(p.email, p.username) as login,
       case when p.disabled_at is not null then 'disabled' when a.person_id is null then 'invited' when p.two_factor_enabled then 'second factor' else 'active' end as state,
       coalesce((select string_agg(m.role || '@' || coalesce(s.key, '*'), ', ' order by s.key nulls first, m.role) from membership m left join site s on s.id = m.site_id
         where m.person_id = p.id), '') as duties
     from person p left join lateral (select person_id from account where person_id = p.id limit 1) a on true order by p.name, p.id`,
  );

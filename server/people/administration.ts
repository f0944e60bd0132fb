/** People as administrators see and change them. An administrator of some sites sees who works there and gives roles there; the whole person takes all of their sites. */
import { type Changing, change } from "#/server/audit/change.ts";
import type { Db } from "#/server/db.ts";
import { isLookAlike } from "#/server/domain/naming.ts";
import { type Role, scopeOf } from "#/server/domain/permission.ts";
import { type FieldFault, Refusal } from "#/server/errors.ts";
import { canMail } from "#/server/identity/mail.ts";
import type { Permitted } from "#/server/identity/permit.ts";
import {
  insertPerson,
  type Membership,
  namesOfOthers,
  type PersonDetail,
  type PersonFields,
  type PersonRow,
  type Place,
  peopleRows,
  personRow,
  placeRows,
  replaceMemberships,
  type SessionRow,
  sessionRows,
  setDisabled,
  siteIdOf,
  siteNames,
  takenBy,
  updatePerson,
} from "./queries.ts";
import { isSeen, isWithin, membershipFaults, seenMemberships, type WantedMembership, whyNotWhole } from "./rules.ts";

export type Acting = Permitted<Changing & { db: Db }>;

export type ListedPerson = PersonRow & { /** Holds roles at sites that the viewer does not see. */ isElsewhere: boolean };

export type PeopleList = {
  people: ListedPerson[] /** How many there are; the first `mostPeople` of them are in the list. */;
  total: number;
  sites: { id: number; name: string }[];
};

/** Who works at the actor's sites, and the names of these. site: key of the only one that is meant. @throws Refusal NOT_FOUND: it is none of theirs */
export async function listPeople(ctx: Acting, { site, role }: { site: string | null; role: Role | null }): Promise<PeopleList> {
  const siteId = site === null ? null : await siteIdOf(ctx.db, site);
  if (site !== null) ctx.found(siteId === null ? null : { siteId }, `There is no site ${site}.`);
  const [{ people, total }, sites] = await Promise.all([peopleRows(ctx.db, ctx.scope, { siteId, role }), siteNames(ctx.db, ctx.scope)]);
  return { people: people.map((person) => listed(ctx, person)), total, sites };
}

function listed<Row extends PersonRow>(ctx: Acting, person: Row): Row & { isElsewhere: boolean } {
  const memberships = seenMemberships(ctx.scope, person.memberships);
  return { ...person, memberships, isElsewhere: memberships.length < person.memberships.length };
}

export type ShownPerson = PersonDetail & {
  isElsewhere: boolean;
  /** What of it the viewer can change: all, the roles at their sites, or nothing. */
  mine: "all" | "roles" | "nothing";
  /** Why not all of it, where some of it; else null. */
  whyNotAll: string | null;
  /** Empty where not all of it is the viewer's: from where somebody works is for who looks after them. */
  sessions: SessionRow[];
  isSelf: boolean;
  /** Of the viewer's sites. */
  sites: { id: number; name: string }[];
  /** Whether a link can be sent by mail. */
  canMail: boolean;
};

/** @throws Refusal NOT_FOUND, also for people of other sites */
export async function showPerson(ctx: Acting, id: string): Promise<ShownPerson> {
  const person = seen(ctx, await personRow(ctx.db, id));
  const scope = scopeOf(ctx.actor, "person.change");
  const reason = whyNotWhole(scope, person.name, person.memberships);
  const mine = reason === null ? "all" : scope.sites === "all" || scope.sites.length > 0 ? "roles" : "nothing";
  const sessions = mine === "all" ? await sessionRows(ctx.db, id, ctx.now()) : [];
  const whyNotAll = mine === "roles" ? reason : null;
  return { ...listed(ctx, person), mine, whyNotAll, sessions, isSelf: isSelf(ctx, id), sites: await siteNames(ctx.db, ctx.scope), canMail: canMail() };
}

const isSelf = ({ actor }: Acting, id: string): boolean => actor.kind === "person" && actor.id === id;

function seen(ctx: Acting, person: PersonDetail | null): PersonDetail {
  if (!person || !isSeen(ctx.scope, person.memberships)) throw new Refusal("NOT_FOUND", "There is no such person.");
  return person;
}

/** The sites at which the actor may give roles, with the lines that operators can have. everywhere: roles at all sites, too. */
export const places = async (ctx: Acting): Promise<{ everywhere: boolean; places: Place[] }> => ({
  everywhere: ctx.scope.sites === "all",
  places: await placeRows(ctx.db, ctx.scope),
});

export type PersonValues = PersonFields & { memberships: WantedMembership[] };

/** What a form holds of a person: what the actor can change; what there is not is empty. */
const formOf = (ctx: Acting, { name, email, username, memberships }: PersonDetail) => ({
  name,
  email: email ?? "",
  username: username ?? "",
  memberships: ours(ctx, memberships).map(({ role, siteId, lineIds }) => ({ role, siteId, lineIds })),
});
const ours = (ctx: Acting, memberships: readonly Membership[]): Membership[] => memberships.filter((one) => isWithin(ctx.scope, one) && !one.fromProvider);

/** No more than that: whether somebody of another site has it is not for everybody who may add people. */
const notUsable = "This cannot be used here. Choose another, or ask whoever looks after all sites.";

async function check(ctx: Acting, tx: Db, { memberships, ...fields }: PersonValues, before: PersonDetail | null): Promise<void> {
  const faults: FieldFault[] = membershipFaults(ctx.scope, memberships, await placeRows(tx, ctx.scope), before?.memberships ?? []);
  for (const path of await takenBy(tx, fields, before?.id ?? null)) faults.push({ path, sentence: notUsable });
  if (fields.name !== before?.name && (await namesOfOthers(tx, ctx.scope, before?.id ?? null)).some((name) => isLookAlike(name, fields.name)))
    faults.push({ path: "name", sentence: "This name reads as somebody else's and is written with other letters. Type it anew, with one alphabet." });
  if (faults.length > 0) throw new Refusal("INVALID", faults.map(({ sentence }) => sentence).join(" "), { fields: faults });
}

/** Somebody new, who cannot sign in before an invitation is taken. @throws Refusal INVALID */
export async function createPerson(ctx: Acting, values: PersonValues): Promise<{ id: string }> {
  if (values.memberships.length === 0 && ctx.scope.sites !== "all") {
    const fields = [{ path: "memberships", sentence: "Give at least one role at one of your sites." }];
    throw new Refusal("INVALID", "Give at least one role at one of your sites.", { fields });
  }
  return changed(ctx, "person.created", async (tx) => {
    await check(ctx, tx, values, null);
    const id = await insertPerson(tx, values);
    await replaceMemberships(tx, id, [], values.memberships);
    return { id };
  });
}

/** @throws Refusal CONFLICT with what is stored now where someone else saved first; INVALID, FORBIDDEN, RULE_BROKEN */
export async function changePerson(ctx: Acting, id: string, version: number, values: PersonValues): Promise<{ version: number }> {
  return changed(ctx, "person.changed", async (tx) => {
    const person = seen(ctx, await personRow(tx, id, { lock: true }));
    if (person.version !== version)
      throw new Refusal("CONFLICT", `Someone else just changed ${person.name}.`, { present: { version: person.version, values: formOf(ctx, person) } });
    const reason = whyNotWhole(ctx.scope, person.name, person.memberships);
    const isRenamed = values.name !== person.name || values.email !== person.email || values.username !== person.username;
    if (reason !== null && isRenamed) throw new Refusal("FORBIDDEN", reason);
    await check(ctx, tx, values, person);
    await updatePerson(tx, id, version, values);
    await replaceMemberships(tx, id, ours(ctx, person.memberships), values.memberships);
    return { version: version + 1 };
  });
}

/** The person, locked, where all of it is the actor's to change. @throws Refusal NOT_FOUND, FORBIDDEN */
export async function wholePerson(ctx: Acting, tx: Db, id: string): Promise<PersonDetail> {
  const person = seen(ctx, await personRow(tx, id, { lock: true }));
  const reason = whyNotWhole(ctx.scope, person.name, person.memberships);
  if (reason !== null) throw new Refusal("FORBIDDEN", reason);
  return person;
}

/** Who is disabled may not sign in and is signed out everywhere; what they did keeps their name. @throws Refusal RULE_BROKEN: oneself, or the last administrator */
export function setActive(ctx: Acting, id: string, isActive: boolean): Promise<void> {
  return changed(ctx, isActive ? "person.enabled" : "person.disabled", async (tx) => {
    await wholePerson(ctx, tx, id);
    if (!isActive && isSelf(ctx, id)) throw new Refusal("RULE_BROKEN", "You cannot disable yourself. Another administrator can.");
    if ((await setDisabled(tx, id, isActive ? null : ctx.now())) && !isActive)
      await tx.rows("-- people.endSessions\ndelete from session where person_id = $1", [id]);
  });
}

/** `change`, with the database's own refusals in words. */
export async function changed<Result>(ctx: Acting, action: string, work: (tx: Db) => Promise<Result>): Promise<Result> {
  try {
    return await change(ctx, { action }, work);
  } catch (error) {
    throw inWords(error);
  }
}

function inWords(error: unknown): unknown {
  const constraint = error instanceof Error && "constraint" in error ? error.constraint : null;
  if (constraint === "last_administrator")
    return new Refusal(
      "RULE_BROKEN",
      "This is the last administrator of all sites. Make somebody else one first: without one nobody could give roles any more.",
    );
  const path = constraint === "person_email_key" ? "email" : constraint === "person_username_key" ? "username" : null;
  if (path === null) return error;
  return new Refusal("INVALID", notUsable, { fields: [{ path, sentence: notUsable }] }); // two at the same instant
}

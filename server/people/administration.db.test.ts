// People as administrators see and change them: by site, with conflicts, and never without an administrator.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Actor, Grant, Role } from "#/server/domain/permission.ts";
import { Refusal } from "#/server/errors.ts";
import { grant, permitted, personWith } from "#/server/identity/testing.ts";
import { aDatabase, aLine, type TestDatabase, type TestLine } from "#/server/testing.ts";
import { endSessions, giveLink, takeSecondFactor, unlock } from "./access.ts";
import { changePerson, createPerson, listPeople, type PersonValues, places, setActive, showPerson } from "./administration.ts";

let db: TestDatabase;
let ours: TestLine;
let theirs: TestLine;

beforeAll(async () => {
  db = await aDatabase();
  process.env.DATABASE_URL = db.url; // changes go through the process's own pool
  process.env.AUTH_SECRET = "a secret of the tests that is long enough";
  [ours, theirs] = [await aLine(db), await aLine(db)];
});
afterAll(() => db.drop());
beforeEach(async () => {
  await db.asOwner.rows("truncate person cascade");
});

type Held = { role: Role; siteId: number | null; lineIds?: number[] };

/** Somebody in the database. canSignIn: with a password. */
async function aPerson(held: Held[], { name = "Ann Example", canSignIn = true } = {}): Promise<string> {
  const [person] = await db.rows<{ id: string }>("insert into person (name, email) values ($1, $2) returning id", [name, `${crypto.randomUUID()}@example.com`]);
  const id = person?.id ?? "";
  if (canSignIn) await db.rows("insert into account (person_id, provider_id, account_id, password) values ($1::uuid, 'credential', $1::text, 'hash')", [id]);
  for (const { role, siteId, lineIds = [] } of held) {
    await db.rows("insert into membership (person_id, role, site_id) values ($1, $2, $3)", [id, role, siteId]);
    await db.rows("insert into membership_line select m.id, x from membership m, unnest($3::int[]) x where m.person_id = $1 and m.role = $2", [
      id,
      role,
      lineIds,
    ]);
  }
  return id;
}

const reading = (...grants: Grant[]) => permitted(db, personWith(...grants), "person.read");
const changing = (actor: Actor) => permitted(db, actor, "person.change");
const boss = () => changing(personWith(grant("administrator")));
const here = () => changing(personWith(grant("administrator", ours.siteId)));

const nina = (memberships: PersonValues["memberships"]): PersonValues => ({ name: "Nina Neu", email: "nina@example.com", username: null, memberships });
const one = (role: Role, siteId: number | null, lineIds: number[] = []) => ({ role, siteId, lineIds });
const heldBy = (id: string) =>
  db.rows<{ role: Role; siteId: number | null; lines: number[] }>(
    `select role, site_id as "siteId", array(select line_id from membership_line l where l.membership_id = m.id order by 1) as lines from membership m
     where person_id = $1 order by role, site_id`,
    [id],
  );
const keyOf = async ({ siteId }: TestLine) => (await db.rows<{ key: string }>("select key from site where id = $1", [siteId]))[0]?.key ?? "";
const versionOf = async (id: string) => (await db.rows<{ version: number }>("select version from person where id = $1", [id]))[0]?.version ?? 0;

/** The refusal that the promise ends with. */
async function refusal(promise: Promise<unknown>): Promise<Refusal> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof Refusal) return error;
  throw error ?? new Error("Nothing was refused.");
}

describe("listPeople and showPerson", () => {
  it("show who works at one's sites, without their roles elsewhere", async () => {
    const mine = await aPerson([one("operator", ours.siteId, [ours.lineId])], { name: "Mine" });
    const both = await aPerson([one("viewer", ours.siteId), one("quality", theirs.siteId)], { name: "Both" });
    const all = await aPerson([one("executive", null)], { name: "All" });
    const other = await aPerson([one("viewer", theirs.siteId)], { name: "Other" });
    const nothing = await aPerson([], { name: "Nothing", canSignIn: false });
    const { people, total } = await listPeople(reading(grant("plant_manager", ours.siteId)), { site: null, role: null });
    expect(people.map(({ name }) => name)).toEqual(["All", "Both", "Mine"]);
    expect(total).toBe(3);
    expect(people.find(({ id }) => id === both)).toMatchObject({ isElsewhere: true, memberships: [{ role: "viewer", siteId: ours.siteId }] });
    expect(people.find(({ id }) => id === mine)).toMatchObject({ isElsewhere: false, memberships: [{ lineIds: [ours.lineId] }], state: "active" });
    for (const id of [other, nothing, crypto.randomUUID()])
      expect(await refusal(showPerson(reading(grant("administrator", ours.siteId)), id))).toMatchObject({
        code: "NOT_FOUND",
        message: "There is no such person.",
      });
    expect(await showPerson(reading(grant("administrator")), nothing)).toMatchObject({ state: "invited", mine: "all" });
    expect(await showPerson(reading(grant("administrator", ours.siteId)), all)).toMatchObject({ mine: "roles", sessions: [] });
    expect(await showPerson(reading(grant("plant_manager", ours.siteId)), mine)).toMatchObject({ mine: "nothing" });
  });

  it("find by site and role", async () => {
    await aPerson([one("operator", ours.siteId)], { name: "Operator here" });
    await aPerson([one("operator", theirs.siteId)], { name: "Operator there" });
    await aPerson([one("quality", ours.siteId)], { name: "Quality here" });
    const names = async (site: string | null, role: Role | null) =>
      (await listPeople(reading(grant("administrator")), { site, role })).people.map(({ name }) => name);
    expect(await names(await keyOf(ours), null)).toEqual(["Operator here", "Quality here"]);
    expect(await names(null, "operator")).toEqual(["Operator here", "Operator there"]);
    expect(await names(await keyOf(ours), "operator")).toEqual(["Operator here"]);
    expect(await refusal(listPeople(reading(grant("administrator", ours.siteId)), { site: await keyOf(theirs), role: null }))).toMatchObject({
      code: "NOT_FOUND",
    });
  });

  it("tell of places only where roles can be given", async () => {
    expect((await places(here())).places.map(({ siteId }) => siteId)).toEqual([ours.siteId]);
    expect((await places(boss())).places.map(({ siteId }) => siteId)).toEqual(expect.arrayContaining([ours.siteId, theirs.siteId]));
  });
});

describe("createPerson and changePerson", () => {
  it("makes and changes somebody, and writes down who did it", async () => {
    const { id } = await createPerson(here(), nina([one("operator", ours.siteId, [ours.lineId])]));
    expect(await heldBy(id)).toEqual([{ role: "operator", siteId: ours.siteId, lines: [ours.lineId] }]);
    const after = { ...nina([one("operator", ours.siteId), one("supervisor", ours.siteId)]), name: "Nina Alt" };
    expect(await changePerson(here(), id, 1, after)).toEqual({ version: 2 });
    expect(await heldBy(id)).toEqual([
      { role: "operator", siteId: ours.siteId, lines: [] },
      { role: "supervisor", siteId: ours.siteId, lines: [] },
    ]);
    const trail = await db.rows(
      "select distinct action from audit_entry where actor_kind = 'person' and subject_kind in ('person', 'membership', 'membership_line') order by 1",
    );
    expect(trail).toEqual([{ action: "person.changed" }, { action: "person.created" }]);
  });

  it("tells the second of two what the first stored", async () => {
    const id = await aPerson([one("viewer", ours.siteId)]);
    const values = { ...nina([one("viewer", ours.siteId)]), email: "ann@example.com" };
    await changePerson(here(), id, 1, { ...values, name: "First" });
    expect(await refusal(changePerson(here(), id, 1, { ...values, name: "Second" }))).toMatchObject({
      code: "CONFLICT",
      present: { version: 2, values: { name: "First", email: "ann@example.com", memberships: [one("viewer", ours.siteId)] } },
    });
  });

  it("refuses a taken address at its field, also of two at the same instant", async () => {
    await createPerson(boss(), nina([]));
    expect(await refusal(createPerson(boss(), nina([])))).toMatchObject({ code: "INVALID", fields: [{ path: "email" }] });
    await db.asOwner.rows("truncate person cascade");
    const both = await Promise.allSettled([createPerson(boss(), nina([])), createPerson(boss(), nina([]))]);
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    for (const { reason } of both.filter((result) => result.status === "rejected"))
      expect(reason).toMatchObject({ code: "INVALID", fields: [{ path: "email" }] });
  });

  it("refuses a name that reads as somebody else's in other letters; the same name is no deceit", async () => {
    await createPerson(boss(), { ...nina([]), name: "Amira Neu" });
    expect((await refusal(createPerson(boss(), { ...nina([]), email: "b@example.com", name: "Аmira Neu" }))).fields.map(({ path }) => path)).toEqual(["name"]);
    await createPerson(boss(), { ...nina([]), email: "c@example.com", name: "Amira Neu" });
    const other = await createPerson(boss(), { ...nina([]), email: "d@example.com", name: "Bea" });
    const renamed = changePerson(boss(), other.id, await versionOf(other.id), { ...nina([]), email: "d@example.com", name: "Amirа Neu" });
    expect((await refusal(renamed)).fields.map(({ path }) => path)).toEqual(["name"]);
  });

  it("says of people at other sites no more than that an address cannot be used, and nothing of their names", async () => {
    const far = await aPerson([one("viewer", theirs.siteId)], { name: "Amira Far" });
    await db.rows("update person set email = 'amira@example.com', username = 'amira' where id = $1", [far]);
    const same = await refusal(createPerson(here(), { ...nina([one("viewer", ours.siteId)]), email: "amira@example.com", username: "amira" }));
    const notUsable = "This cannot be used here. Choose another, or ask whoever looks after all sites.";
    expect(same.fields).toEqual([
      { path: "email", sentence: notUsable },
      { path: "username", sentence: notUsable },
    ]);
    await createPerson(here(), { ...nina([one("viewer", ours.siteId)]), name: "Аmira Far" }); // its reading is that of a name that this administrator does not see
    const everywhere = createPerson(boss(), { ...nina([]), email: "far@example.com", name: "Amirа Far" });
    expect((await refusal(everywhere)).fields.map(({ path }) => path)).toEqual(["name"]);
  });

  it("an administrator of one site gives roles there only, and takes none elsewhere", async () => {
    for (const siteId of [theirs.siteId, null])
      expect(await refusal(createPerson(here(), nina([one("viewer", siteId)])))).toMatchObject({ code: "INVALID", fields: [{ path: "memberships.0.siteId" }] });
    expect(await refusal(createPerson(here(), nina([])))).toMatchObject({ code: "INVALID" });
    const both = await aPerson([one("viewer", ours.siteId), one("quality", theirs.siteId), one("executive", null)], { name: "Both" });
    const [row] = await db.rows<{ email: string }>("select email from person where id = $1", [both]);
    const same = { name: "Both", email: row?.email ?? null, username: null };
    await changePerson(here(), both, 1, { ...same, memberships: [one("operator", ours.siteId)] });
    expect((await heldBy(both)).map(({ role }) => role)).toEqual(["executive", "operator", "quality"]);
    expect(await refusal(changePerson(here(), both, 2, { ...same, name: "Renamed", memberships: [] }))).toMatchObject({ code: "FORBIDDEN" });
    const other = await aPerson([one("viewer", theirs.siteId)]);
    expect(await refusal(changePerson(here(), other, 1, nina([one("viewer", ours.siteId)])))).toMatchObject({ code: "NOT_FOUND" });
    expect(await versionOf(other)).toBe(1);
  });
});

describe("the way in", () => {
  it("of somebody with roles elsewhere is not one site's to change", async () => {
    const both = await aPerson([one("viewer", ours.siteId), one("administrator", theirs.siteId)]);
    const other = await aPerson([one("viewer", theirs.siteId)]);
    const ways = (id: string) => [
      () => giveLink(here(), id, false),
      () => endSessions(here(), id, null),
      () => takeSecondFactor(here(), id),
      () => unlock(here(), id),
      () => setActive(here(), id, false),
    ];
    for (const way of ways(both)) expect(await refusal(way())).toMatchObject({ code: "FORBIDDEN" });
    for (const way of ways(other)) expect(await refusal(way())).toMatchObject({ code: "NOT_FOUND" });
    expect(await db.rows("select from one_time_link")).toEqual([]);
  });

  it("is an invitation first, a new password later, and one link at a time", async () => {
    const { id } = await createPerson(here(), nina([one("viewer", ours.siteId)]));
    const first = await giveLink(here(), id, true);
    expect(first).toMatchObject({ purpose: "invitation", mail: null, url: expect.stringMatching(/\/link#[\w-]{43}$/) });
    await giveLink(here(), id, false);
    expect(await db.rows("select purpose, revoked_at is null as good from one_time_link order by id")).toEqual([
      { purpose: "invitation", good: false },
      { purpose: "invitation", good: true },
    ]);
    expect(await showPerson(reading(grant("administrator")), id)).toMatchObject({ linkPurpose: "invitation", state: "invited" });
    const signedUp = await aPerson([one("viewer", ours.siteId)]);
    expect(await giveLink(here(), signedUp, false)).toMatchObject({ purpose: "password_reset" });
    expect(JSON.stringify(await db.rows("select before, after from audit_entry where subject_kind = 'one_time_link'"))).not.toContain(first.url.split("#")[1]);
  });

  it("ends with the person's being disabled, and begins again", async () => {
    const id = await aPerson([one("viewer", ours.siteId)]);
    await db.rows("insert into session (token, person_id, expires_at) values ('t', $1, now() + interval '1 day')", [id]);
    expect((await showPerson(reading(grant("administrator", ours.siteId)), id)).sessions).toHaveLength(1);
    await setActive(here(), id, false);
    expect(await db.rows("select from session")).toEqual([]);
    expect(await refusal(giveLink(here(), id, false))).toMatchObject({ code: "RULE_BROKEN" });
    await setActive(here(), id, true);
    expect(await showPerson(reading(grant("administrator", ours.siteId)), id)).toMatchObject({ state: "active" });
  });

  it("ends all sessions but the one in which that is asked, or one", async () => {
    const id = await aPerson([one("administrator", ours.siteId)]);
    const sessions = await db.rows<{ id: string }>(
      "insert into session (token, person_id, expires_at) select 't' || n, $1, now() + interval '1 day' from generate_series(1, 3) n returning id",
      [id],
    );
    const [own, second] = sessions.map((session) => session.id);
    const self = changing({ ...personWith(grant("administrator", ours.siteId)), id, sessionId: own ?? "" });
    expect(await endSessions(self, id, second ?? "")).toEqual({ ended: 1 });
    expect(await endSessions(self, id, null)).toEqual({ ended: 1 });
    expect(await db.rows("select id from session")).toEqual([{ id: own }]);
    expect(await refusal(setActive(self, id, false))).toMatchObject({ code: "RULE_BROKEN" });
  });

  it("is open again after too many tries, and without the lost second factor", async () => {
    const id = await aPerson([one("viewer", ours.siteId)]);
    await db.rows("insert into two_factor (person_id, secret, backup_codes, verified, locked_until) values ($1, 'x', 'x', true, now() + interval '1 hour')", [
      id,
    ]);
    await db.rows("update person set two_factor_enabled = true where id = $1", [id]);
    expect((await showPerson(reading(grant("administrator")), id)).lockedUntilAt).not.toBeNull();
    await unlock(boss(), id);
    expect((await showPerson(reading(grant("administrator")), id)).lockedUntilAt).toBeNull();
    await takeSecondFactor(boss(), id);
    expect(await showPerson(reading(grant("administrator")), id)).toMatchObject({ secondFactor: false });
    expect(await refusal(takeSecondFactor(boss(), id))).toMatchObject({ code: "RULE_BROKEN" });
  });
});

describe("the last administrator of all sites", () => {
  const demoted = async (id: string) => changePerson(boss(), id, await versionOf(id), { ...(await fields(id)), memberships: [one("viewer", null)] });
  const fields = async (id: string) => {
    const [row] = await db.rows<{ name: string; email: string | null; username: string | null }>("select name, email, username from person where id = $1", [
      id,
    ]);
    if (!row) throw new Error("no person");
    return row;
  };

  it("is neither demoted nor disabled, by whatever way", async () => {
    const id = await aPerson([one("administrator", null)]);
    await aPerson([one("administrator", null)], { canSignIn: false }); // an invitation is no administrator yet
    await aPerson([one("administrator", ours.siteId)]);
    for (const way of [() => demoted(id), () => setActive(boss(), id, false)])
      expect(await refusal(way())).toMatchObject({ code: "RULE_BROKEN", message: expect.stringContaining("last administrator") });
    await expect(db.rows("delete from membership where person_id = $1", [id])).rejects.toThrow("last administrator");
    expect(await heldBy(id)).toHaveLength(1);
  });

  it("remains when two take the right from each other at the same instant", async () => {
    for (const ways of [
      [demoted, demoted],
      [(id: string) => setActive(boss(), id, false), demoted],
    ]) {
      await db.asOwner.rows("truncate person cascade");
      const people = [await aPerson([one("administrator", null)]), await aPerson([one("administrator", null)])];
      const results = await Promise.allSettled(people.map((id, n) => ways[n]?.(id)));
      expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
      const [left] = await db.rows<{ n: number }>(
        "select count(*)::int as n from membership m join person p on p.id = m.person_id where m.role = 'administrator' and m.site_id is null and p.disabled_at is null",
      );
      expect(left?.n).toBe(1);
    }
  });

  it("can go once there is another", async () => {
    const [first] = [await aPerson([one("administrator", null)]), await aPerson([one("administrator", null)])];
    await demoted(first);
    expect((await heldBy(first)).map(({ role }) => role)).toEqual(["viewer"]);
  });
});

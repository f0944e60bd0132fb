// Shared terminals: registered, unlocked with a PIN, locked again, revoked; and what a PIN does not open.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { actorOf } from "#/server/identity/actor.ts";
import { ownNotices, putAwayNotice } from "#/server/identity/notices.ts";
import { choosePin, endOtherSessions } from "#/server/identity/service.ts";
import { grant, permitted, personWith } from "#/server/identity/testing.ts";
import { aSignIn, Browser } from "#/server/identity/testing-browser.ts";
import { beginTry, forgetTries } from "#/server/identity/tries.ts";
import { aDatabase, aLine, type TestDatabase, type TestLine } from "#/server/testing.ts";
import { changeTerminal, giveNewPin, letInWithPin, listPins, listTerminals, registerTerminal, revokeTerminal, terminalScreen } from "./service.ts";

let db: TestDatabase;
let here: TestLine;
let elsewhere: TestLine;
beforeAll(async () => {
  db = await aDatabase();
  process.env.DATABASE_URL = db.url;
  process.env.AUTH_SECRET = "a secret of the tests that is long enough";
  process.env.LOG_LEVEL = "silent";
  [here, elsewhere] = [await aLine(db), await aLine(db)];
});
afterAll(() => db.drop());
beforeEach(async () => {
  await db.asOwner.rows("truncate person, sign_in_try, terminal cascade");
});

const password = "a few words in a row";
const supervisor = () => permitted(db, { ...personWith(grant("supervisor", here.siteId)), id: boss }, "terminal.change");
let boss: string;
beforeEach(async () => {
  boss = await aSignIn({ name: "Bo Supervisor", username: "bo" });
});

const hold = async (personId: string, role: string, siteId: number | null, lineIds: number[] = []) => {
  const [held] = await db.rows<{ id: number }>("insert into membership (person_id, role, site_id) values ($1, $2, $3) returning id", [personId, role, siteId]);
  for (const lineId of lineIds) await db.rows("insert into membership_line values ($1, $2)", [held?.id, lineId]);
};

/** A browser that is a terminal at `here`. */
async function aTerminal({ lineIds = [] as number[], autoLockS = 60 } = {}): Promise<{ browser: Browser; id: number }> {
  const { id, secret } = await registerTerminal(supervisor(), { siteId: here.siteId, name: "Press, left", lineIds, autoLockS });
  const browser = new Browser("192.0.2.77", "terminal");
  browser.cookies.set("takt.terminal", secret);
  return { browser, id };
}
async function anOperator(pin = "4711", name = "Ole Operator"): Promise<string> {
  const id = await aSignIn({ name, username: name.split(" ")[0]?.toLowerCase() ?? "", pin });
  await hold(id, "operator", here.siteId, [here.lineId]);
  return id;
}
const inS = (seconds: number) => new Date(Date.now() + seconds * 1000);

describe("registering", () => {
  it("makes this browser a terminal and signs the supervisor out of it", async () => {
    const id = await aSignIn({ username: "sue", password });
    await hold(id, "supervisor", here.siteId);
    const browser = new Browser();
    await browser.signIn("sue", password);
    const body = { siteId: here.siteId, name: " Press,  left ", lineIds: [here.lineId], autoLockS: 60 };
    expect((await browser.post("/terminal/register", body)).status).toBe(200);
    expect(await browser.actor()).toBeNull();
    expect(browser.cookies.has("takt.terminal")).toBe(true);
    const [row] = await db.rows("select name, auto_lock_s from terminal");
    expect(row).toEqual({ name: "Press, left", auto_lock_s: 60 });
    const [stored] = await db.rows<{ row: string }>("select t::text as row from terminal t");
    expect(stored?.row).not.toContain(browser.cookies.get("takt.terminal"));
  });

  it("takes the duty at that site, and lines of that site", async () => {
    expect((await new Browser().post("/terminal/register", { siteId: here.siteId, name: "x", lineIds: [], autoLockS: 60 })).status).toBe(401);
    const id = await aSignIn({ username: "sue", password });
    await hold(id, "operator", here.siteId);
    const browser = new Browser();
    await browser.signIn("sue", password);
    expect((await browser.post("/terminal/register", { siteId: here.siteId, name: "x", lineIds: [], autoLockS: 60 })).status).toBe(403);
    await hold(id, "supervisor", here.siteId);
    expect((await browser.post("/terminal/register", { siteId: elsewhere.siteId, name: "x", lineIds: [], autoLockS: 60 })).status).toBe(403);
    expect((await browser.post("/terminal/register", { siteId: here.siteId, name: "x", lineIds: [elsewhere.lineId], autoLockS: 60 })).status).toBe(422);
    for (const bad of [{ name: "" }, { name: "x".repeat(101) }, { autoLockS: 0 }, { autoLockS: 1e9 }, { siteId: "1" }, { lineIds: ["' or 1=1"] }])
      expect((await browser.post("/terminal/register", { siteId: here.siteId, name: "x", lineIds: [], autoLockS: 60, ...bad })).status).toBe(400);
    expect(await db.rows("select from terminal")).toEqual([]);
  });
});

describe("a PIN", () => {
  it("unlocks the terminal for its person, whose actions carry the terminal, and locks again by itself", async () => {
    const { browser, id } = await aTerminal({ autoLockS: 60 });
    const ole = await anOperator();
    expect((await browser.post("/terminal/unlock", { personId: ole, pin: "4711" })).body).toEqual({ next: "in" });
    expect(await browser.actor()).toMatchObject({ id: ole, terminalId: id, grants: [{ role: "operator", site: here.siteId, lines: [here.lineId] }] });
    expect(await browser.actor(inS(50))).not.toBeNull(); // which is doing something
    expect(await browser.actor(inS(100))).not.toBeNull();
    expect(await browser.actor(inS(165))).toBeNull();
    await browser.post("/terminal/unlock", { personId: ole, pin: "4711" });
    const asked = await actorOf(browser.headers());
    expect(asked).toMatchObject({ actor: { id: ole, terminalId: id }, from: { address: "192.0.2.77", userAgent: `Shared terminal ${id}, terminal` } });
    const begun = await db.rows<{ after: unknown }>("select after from audit_entry where action = 'session.begun' and subject_id = $1", [ole]);
    expect(begun[0]).toEqual({ after: { method: "pin", secondFactor: false, terminalId: id } });
  });

  it("opens nothing in a browser that is no terminal, and nothing on a revoked one", async () => {
    const ole = await anOperator();
    expect(await new Browser().post("/terminal/unlock", { personId: ole, pin: "4711" })).toMatchObject({ status: 403, body: { code: "NO_TERMINAL" } });
    const forged = new Browser();
    forged.cookies.set("takt.terminal", "x".repeat(43));
    expect((await forged.post("/terminal/unlock", { personId: ole, pin: "4711" })).status).toBe(403);
    const { browser, id } = await aTerminal();
    await browser.post("/terminal/unlock", { personId: ole, pin: "4711" });
    await revokeTerminal(supervisor(), id);
    expect(await browser.actor()).toBeNull();
    expect((await browser.post("/terminal/unlock", { personId: ole, pin: "4711" })).status).toBe(403);
    expect(await terminalScreen(browser.headers(), null, new Date())).toBeNull();
  });

  it("that is wrong costs all at the terminal seconds, and nobody their way in", async () => {
    const { browser, id } = await aTerminal();
    const ole = await anOperator();
    const pia = await anOperator("8264", "Pia Operator");
    await hold(await aSignIn({ name: "Sue Supervisor", username: "sue" }), "supervisor", here.siteId);
    await hold(await aSignIn({ name: "Sam Elsewhere", username: "sam" }), "supervisor", elsewhere.siteId);
    const unlock = (personId: string, pin: string, more = {}) => browser.post("/terminal/unlock", { personId, pin, ...more });
    const statuses: number[] = [];
    for (const pin of ["0001", "0002", "0003", "0004", "0005"]) statuses.push((await unlock(ole, pin)).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401]);
    await db.rows("update sign_in_try set blocked_until = blocked_until + interval '9 seconds' where blocked_until is not null"); // the machine of a test may be slow
    for (const [who, pin] of [
      [ole, "4711"],
      [pia, "8264"],
    ] as const) {
      const paused = await unlock(who, pin);
      expect(paused).toMatchObject({ status: 429, body: { code: "WAIT", waitS: expect.any(Number) } });
    }
    const restedTerminal = () => forgetTries(db, [{ kind: "terminal", of: [String(id)] }]); // as half a minute does
    await restedTerminal();
    expect((await unlock(ole, "4711")).status).toBe(200); // the right one, after seconds
    await browser.post("/sign-out");
    for (let n = 0; n < 5; n++) {
      await restedTerminal();
      expect((await unlock(ole, `100${n}`)).status).toBe(401);
    }
    await restedTerminal();
    // Ten wrong ones, the right one between them: the owner waits, and is in when told.
    const later = async () => {
      await restedTerminal();
      await db.rows("update sign_in_try set blocked_until = blocked_until - interval '30 seconds' where blocked_until is not null"); // as half a minute does
    };
    await restedTerminal();
    const told = await unlock(ole, "4711");
    expect(told).toMatchObject({ status: 429, body: { code: "WAIT", waitS: expect.any(Number) } });
    expect(told.body.waitS).toBeGreaterThan(20);
    expect((await unlock(pia, "8264")).status).toBe(200);
    const another = await aTerminal();
    expect((await another.browser.post("/terminal/unlock", { personId: ole, pin: "4711" })).status).toBe(200);
    const notices = () => db.rows("select p.name, n.kind, n.by_name as by from person_notice n join person p on p.id = n.person_id order by n.id");
    const said = [
      { name: "Ole Operator", kind: "pin_closed", by: "Press, left" },
      { name: "Sue Supervisor", kind: "pin_tried", by: "Ole Operator (Press, left)" },
    ];
    expect(await notices()).toEqual(said);
    expect((await listPins(supervisor())).find((row) => row.id === ole)?.closedAt).toEqual(["Press, left"]);
    await later();
    expect((await unlock(ole, "4712")).status).toBe(401);
    expect(await notices()).toEqual(said); // not again before it is seen
    await later();
    expect(await unlock(ole, "4711")).toMatchObject({ status: 429 });
    await later();
    expect((await unlock(ole, "4711")).status).toBe(200);
    await letInWithPin(supervisor(), ole);
    expect((await listPins(supervisor())).find((row) => row.id === ole)?.closedAt).toEqual([]);
    expect((await unlock(ole, "4711")).status).toBe(200);
  });

  it("that was tried too often is opened again by its owner's password, and by no other", async () => {
    const { browser, id } = await aTerminal();
    const ole = await aSignIn({ name: "Ole Operator", username: "ole", pin: "4711", password });
    await hold(ole, "operator", here.siteId);
    for (let n = 0; n < 10; n++) await beginTry([{ kind: "pin", of: [String(id), ole] }], new Date());
    const unlock = (more = {}) => browser.post("/terminal/unlock", { personId: ole, pin: "4711", ...more });
    expect((await unlock()).body).toMatchObject({ code: "PIN_PASSWORD" });
    expect(await unlock({ password: "not the password" })).toMatchObject({ status: 401, body: { code: "PASSWORD_WRONG" } });
    expect((await browser.post("/terminal/unlock", { personId: ole, pin: "4712", password })).body).toMatchObject({ code: "PIN_WRONG" });
    expect((await unlock({ password })).status).toBe(200);
    await browser.post("/sign-out");
    expect((await unlock()).status).toBe(200);
  });

  it("belongs to who works there: others are not on the list and cannot use theirs", async () => {
    const { browser } = await aTerminal({ lineIds: [here.lineId] });
    await anOperator();
    const away = await aSignIn({ name: "Al Elsewhere", username: "al", pin: "4711" });
    await hold(away, "operator", elsewhere.siteId);
    const manager = await aSignIn({ name: "Mia Manager", username: "mia", pin: "4711" });
    await hold(manager, "plant_manager", here.siteId);
    const gone = await aSignIn({ name: "Gus Gone", username: "gus", pin: "4711" });
    await hold(gone, "operator", here.siteId);
    await db.rows("update person set disabled_at = now() where id = $1", [gone]);
    const screen = await terminalScreen(browser.headers(), "192.0.2.77", new Date());
    expect(screen?.people.map(({ name }) => name)).toEqual(["Ole Operator"]);
    for (const personId of [away, manager, gone, "00000000-0000-4000-8000-000000000000"])
      expect((await browser.post("/terminal/unlock", { personId, pin: "4711" })).status).toBe(401);
    expect((await browser.post("/terminal/unlock", { personId: "' or 1=1", pin: "4711" })).status).toBe(400);
  });

  it("opens the work on the floor at this site alone", async () => {
    const { browser } = await aTerminal();
    const ole = await anOperator();
    await hold(ole, "administrator", null);
    await hold(ole, "viewer", null);
    await hold(ole, "supervisor", elsewhere.siteId);
    await browser.post("/terminal/unlock", { personId: ole, pin: "4711" });
    expect((await browser.actor())?.grants).toEqual([
      { role: "operator", site: here.siteId, lines: [here.lineId] },
      { role: "viewer", site: here.siteId, lines: null },
    ]);
  });

  it("does not change who may: no password, no second factor, no PIN, no other session", async () => {
    const { browser } = await aTerminal();
    const ole = await anOperator();
    await browser.post("/terminal/unlock", { personId: ole, pin: "4711" });
    for (const path of ["/two-factor/enable", "/two-factor/disable", "/two-factor/generate-backup-codes"])
      expect((await browser.post(path, { password })).status).toBe(403);
    const actor = await browser.actor();
    if (!actor) throw new Error("locked");
    const own = { db, actor, from: { address: null, userAgent: null }, now: () => new Date() };
    expect(() => endOtherSessions(own)).toThrow("PIN");
    await expect(choosePin(own, { present: password, pin: "8264" })).rejects.toThrow("PIN");
  });

  it("that a supervisor gives is shown once, opens once, and is changed with it", async () => {
    const { browser } = await aTerminal();
    const ole = await anOperator();
    const { pin } = await giveNewPin(supervisor(), ole);
    expect(pin).toMatch(/^\d{6}$/);
    expect((await browser.post("/terminal/unlock", { personId: ole, pin: "4711" })).status).toBe(401);
    expect((await browser.post("/terminal/unlock", { personId: ole, pin })).body).toMatchObject({ code: "PIN_CHANGE" });
    expect(await browser.actor()).toBeNull();
    for (const [newPin, why] of [
      [pin, "same"],
      ["12", "shape"],
      ["1234", "easy"],
      ["7777", "easy"],
      ["1987", "easy"],
      ["१२३४", "shape"],
    ])
      expect((await browser.post("/terminal/unlock", { personId: ole, pin, newPin })).body).toMatchObject({ code: "PIN", why });
    expect((await browser.post("/terminal/unlock", { personId: ole, pin, newPin: "8264" })).status).toBe(200);
    await browser.post("/sign-out");
    expect((await browser.post("/terminal/unlock", { personId: ole, pin })).status).toBe(401);
    expect((await browser.post("/terminal/unlock", { personId: ole, pin: "8264" })).status).toBe(200);
    const [kept] = await db.rows<{ row: string }>("select string_agg(p::text, '') as row from person_pin p");
    expect(kept?.row).not.toMatch(/(?<![\w.-])8264(?![\w.-])/);
    const [trail] = await db.rows<{ text: string }>("select string_agg(coalesce(before::text, '') || coalesce(after::text, ''), '') as text from audit_entry");
    expect(trail?.text).not.toMatch(/(?<![\w.-])(8264|4711)(?![\w.-])/);
  });

  it("is given by nobody who could do more under that name, and to whom is said for every duty", async () => {
    const given: Record<string, boolean> = {};
    for (const role of ["operator", "storekeeper", "viewer", "supervisor", "technician", "quality"]) {
      const id = await aSignIn({ name: `Some ${role}`, username: `some.${role}`, pin: "4711" });
      await hold(id, role, here.siteId);
      const answer = await giveNewPin(supervisor(), id).catch((error: unknown) => error);
      given[role] = !(answer instanceof Error);
      if (answer instanceof Error) expect(answer).toMatchObject({ code: "FORBIDDEN", message: expect.stringContaining(`Some ${role} may do more`) });
    }
    expect(given).toEqual({ operator: true, storekeeper: true, viewer: true, supervisor: true, technician: false, quality: false });
    const listed = (await listPins(supervisor())).map(({ name, mayGive }) => [name, mayGive]);
    expect(listed.filter(([, may]) => !may)).toEqual([
      ["Some quality", false],
      ["Some technician", false],
    ]);
    const [kept] = await db.rows<{ n: number }>("select count(*)::int as n from person_pin n join person p on p.id = n.person_id where not n.must_change");
    expect(kept).toEqual({ n: 2 }); // theirs still open
    const chief = permitted(db, { ...personWith(grant("administrator", here.siteId)), id: boss }, "terminal.change");
    const [technician] = await db.rows<{ id: string }>("select id from person where username = 'some.technician'");
    expect((await giveNewPin(chief, technician?.id ?? "")).pin).toMatch(/^\d{6}$/);
  });

  it("that somebody gave is replaced with the owner's password where they have one, and they are told who gave it", async () => {
    const { browser } = await aTerminal();
    const ole = await aSignIn({ name: "Ole Operator", username: "ole", password });
    await hold(ole, "operator", here.siteId);
    const { pin } = await giveNewPin(supervisor(), ole);
    const unlock = (more: object) => browser.post("/terminal/unlock", { personId: ole, pin, ...more });
    expect((await unlock({})).body).toMatchObject({ code: "PIN_CHANGE", needsPassword: true });
    expect((await unlock({ newPin: "8264" })).body).toMatchObject({ code: "PIN_PASSWORD" }); // as the supervisor would
    expect((await unlock({ newPin: "8264", password: "not the password" })).body).toMatchObject({ code: "PASSWORD_WRONG" });
    expect(await browser.actor()).toBeNull();
    expect((await unlock({ newPin: "8264", password })).status).toBe(200);
    const actor = await browser.actor();
    if (!actor) throw new Error("locked");
    const [notice] = await ownNotices(db, ole);
    expect(notice).toMatchObject({ kind: "pin_given", byName: expect.any(String) });
    const asked = { db, actor, from: { address: null, userAgent: null }, now: () => new Date() };
    await expect(putAwayNotice(asked, notice?.id ?? 0)).rejects.toMatchObject({ code: "FORBIDDEN" }); // not by whoever has the PIN
    await putAwayNotice({ ...asked, actor: { ...actor, terminalId: null } }, notice?.id ?? 0);
    expect(await ownNotices(db, ole)).toEqual([]);
  });

  it("that somebody gave opens what it was given for, whatever its person may do later", async () => {
    const { browser } = await aTerminal();
    const ole = await aSignIn({ name: "Ole Operator", username: "ole" });
    await hold(ole, "operator", here.siteId);
    const { pin } = await giveNewPin(supervisor(), ole);
    expect((await browser.post("/terminal/unlock", { personId: ole, pin, newPin: "8264" })).status).toBe(200);
    await hold(ole, "quality", here.siteId);
    expect((await browser.actor())?.grants.map(({ role }) => role)).toEqual(["operator"]); // also what is open
    await db.rows("delete from membership where person_id = $1 and role = 'operator'", [ole]);
    await browser.post("/sign-out");
    expect(await browser.post("/terminal/unlock", { personId: ole, pin: "8264" })).toMatchObject({ status: 403, body: { code: "PIN_NOT_HERE" } });
  });

  it("is given to people of one's own sites only", async () => {
    const away = await aSignIn({ name: "Al Elsewhere", username: "al" });
    await hold(away, "operator", elsewhere.siteId);
    await anOperator();
    expect((await listPins(supervisor())).map(({ name }) => name)).toEqual(["Ole Operator"]);
    await expect(giveNewPin(supervisor(), away)).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});

describe("the list", () => {
  it("shows the terminals of one's sites, who has them open, and changes them", async () => {
    const { browser, id } = await aTerminal();
    const ole = await anOperator();
    await browser.post("/terminal/unlock", { personId: ole, pin: "4711" });
    await terminalScreen(browser.headers(), "192.0.2.77", new Date());
    expect(await listTerminals(supervisor())).toMatchObject([
      { id, name: "Press, left", unlockedBy: "Ole Operator", lastAddress: "192.0.2.77", createdBy: "Bo Supervisor" },
    ]);
    const [{ version = "" } = {}] = await listTerminals(supervisor());
    await changeTerminal(supervisor(), { id, version, name: "Press, right", lineIds: [here.lineId], autoLockS: 30 });
    expect(await listTerminals(supervisor())).toMatchObject([{ name: "Press, right", autoLockS: 30, lines: [{ id: here.lineId }] }]);
    const [stored] = await listTerminals(supervisor());
    await expect(changeTerminal(supervisor(), { id, version, name: "Second", lineIds: [], autoLockS: 30 })).rejects.toMatchObject({
      code: "CONFLICT",
      present: { version: stored?.version, values: { name: "Press, right", lineIds: [here.lineId], autoLockS: 30 } },
    });
    const { id: second } = await aTerminal();
    const [fresh] = (await listTerminals(supervisor())).filter((terminal) => terminal.id === second);
    const deceit = { id: second, version: fresh?.version ?? "", name: "Pr\u0435ss, right", lineIds: [], autoLockS: 60 }; // a Cyrillic e
    await expect(changeTerminal(supervisor(), deceit)).rejects.toMatchObject({ code: "INVALID", fields: [{ path: "name" }] });
    const other = permitted(db, personWith(grant("supervisor", elsewhere.siteId)), "terminal.change");
    expect(await listTerminals(other)).toEqual([]);
    await expect(revokeTerminal(other, id)).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(changeTerminal(other, { id, version, name: "x", lineIds: [], autoLockS: 60 })).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});

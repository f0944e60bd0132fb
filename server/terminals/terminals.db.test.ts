// Shared terminals: registered, unlocked with a PIN, locked again, revoked; and what a PIN does not open.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { actorOf } from "#/server/identity/actor.ts";
import { choosePin, endOtherSessions } from "#/server/identity/service.ts";
import { grant, permitted, personWith } from "#/server/identity/testing.ts";
import { aSignIn, Browser } from "#/server/identity/testing-browser.ts";
import { aDatabase, aLine, type TestDatabase, type TestLine } from "#/server/testing.ts";
import { changeTerminal, giveNewPin, listPins, listTerminals, registerTerminal, revokeTerminal, terminalScreen } from "./service.ts";

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

  it("is guessed five times, then waits longer each time; others go on meanwhile, and so does the person elsewhere", async () => {
    const { browser } = await aTerminal();
    const ole = await anOperator();
    const pia = await anOperator("8264", "Pia Operator");
    const statuses: number[] = [];
    for (const pin of ["0001", "0002", "0003", "0004", "0005", "4711"]) statuses.push((await browser.post("/terminal/unlock", { personId: ole, pin })).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
    expect((await browser.post("/terminal/unlock", { personId: pia, pin: "8264" })).status).toBe(200);
    const another = await aTerminal();
    expect((await another.browser.post("/terminal/unlock", { personId: ole, pin: "4711" })).status).toBe(200);
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
    await changeTerminal(supervisor(), { id, name: "Press, right", lineIds: [here.lineId], autoLockS: 30 });
    expect(await listTerminals(supervisor())).toMatchObject([{ name: "Press, right", autoLockS: 30, lines: [{ id: here.lineId }] }]);
    const other = permitted(db, personWith(grant("supervisor", elsewhere.siteId)), "terminal.change");
    expect(await listTerminals(other)).toEqual([]);
    await expect(revokeTerminal(other, id)).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(changeTerminal(other, { id, name: "x", lineIds: [], autoLockS: 60 })).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});

// Links that open once: invitations, new passwords by mail, the first administrator; and links that are used up, too old, taken back, made up.
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";
import { linkLastsS, makeLink, makeMailedLink, type Purpose, revokeLinks } from "./links.ts";
import { addPerson, commandLine, firstAdministratorLink, readMembership } from "./provision.ts";
import { aSignIn, Browser } from "./testing-browser.ts";

let db: TestDatabase;
const mails: { to: string; text: string }[] = [];
let arrived: (() => void) | null = null;
let isSinkFull = false;

/** A real mail server that keeps what it is given. */
const sink = new SMTPServer({
  authOptional: true,
  disabledCommands: ["STARTTLS"],
  onMailFrom: (_address, _session, done) => done(isSinkFull ? new Error("full") : undefined),
  onData(stream, session, done) {
    const parts: Buffer[] = [];
    stream.on("data", (part: Buffer) => parts.push(part));
    stream.on("end", () => {
      mails.push({ to: session.envelope.rcptTo.map(({ address }) => address).join(), text: Buffer.concat(parts).toString() });
      done();
      arrived?.();
    });
  },
});

beforeAll(async () => {
  db = await aDatabase();
  sink.listen(0, "127.0.0.1");
  await once(sink.server, "listening");
  process.env.DATABASE_URL = db.url;
  process.env.AUTH_SECRET = "a secret of the tests that is long enough";
  process.env.LOG_LEVEL = "silent";
  process.env.PUBLIC_URL = "http://localhost:3000";
  process.env.SMTP_URL = `smtp://127.0.0.1:${(sink.server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await new Promise<void>((done) => sink.close(done));
  await db.drop();
});
beforeEach(async () => {
  await db.asOwner.rows("truncate person, sign_in_try, one_time_link cascade");
  mails.length = 0;
});

const [password, another] = ["a few words in a row", "several other words here"];
const ctx = commandLine("test");
const secretOf = (url: string) => new URL(url).hash.slice(1);

/** The mail that comes, at the latest within 5 s. */
async function nextMail(): Promise<{ to: string; text: string }> {
  if (mails.length === 0)
    await Promise.race([new Promise<void>((done) => (arrived = done)), new Promise((_, no) => setTimeout(() => no(new Error("no mail")), 5_000))]);
  const mail = mails.shift();
  if (!mail) throw new Error("no mail");
  return {
    ...mail,
    text: mail.text
      .replace(/=\r\n/g, "")
      .replace(/=3D/g, "=")
      .replace(/=\r?\n/g, ""),
  };
}

async function linkFor(personId: string | null, purpose: Purpose, now = new Date()): Promise<string> {
  return secretOf((await makeLink(db, { purpose, personId, by: "test", now })).url);
}

describe("a new password by mail", () => {
  it("comes to the address, opens once, and signs out everywhere", async () => {
    const id = await aSignIn({ email: "ann@example.com", username: "ann", password });
    const thief = new Browser("203.0.113.9");
    await thief.signIn("ann", password);
    expect(await new Browser().post("/link/request", { login: "ANN@example.com" })).toMatchObject({ status: 200, body: { isAsked: true } });
    const mail = await nextMail();
    expect(mail.to).toBe("ann@example.com");
    const secret = /\/link#([\w-]{43})/.exec(mail.text)?.[1] ?? "";
    const [stored] = await db.rows<{ row: string }>("select l::text as row from one_time_link l");
    expect(stored?.row).not.toContain(secret);
    const browser = new Browser();
    expect((await browser.post("/link/read", { secret })).body).toEqual({ purpose: "password_reset", name: "Ann Example", login: "ann@example.com" });
    expect((await browser.post("/link/redeem", { secret, password: another })).body).toEqual({ purpose: "password_reset", isSignedIn: true });
    expect(await browser.actor()).toMatchObject({ id });
    expect(await thief.actor()).toBeNull();
    expect(await new Browser().post("/link/redeem", { secret, password })).toMatchObject({ status: 410, body: { code: "LINK_GONE", why: "used" } });
    expect((await new Browser("198.51.100.1").signIn("ann", another)).status).toBe(200);
    expect((await new Browser("198.51.100.2").signIn("ann", password)).status).toBe(401);
  });

  it("is answered alike for nobody, for who is disabled, has no address or was not here yet; and nobody of them gets mail", async () => {
    await aSignIn({ email: "ann@example.com", password });
    const gone = await aSignIn({ email: "gone@example.com", password });
    await db.rows("update person set disabled_at = now() where id = $1", [gone]);
    await aSignIn({ username: "no-mail", password });
    await aSignIn({ email: "invited@example.com" });
    for (const login of ["nobody@example.com", "gone@example.com", "no-mail", "invited@example.com", "x".repeat(900), "🦊", "a@b\r\nBcc: eve@example.com"])
      expect(await new Browser().post("/link/request", { login })).toMatchObject({ status: 200, body: { isAsked: true } });
    await new Browser().post("/link/request", { login: "ann@example.com" });
    expect((await nextMail()).to).toBe("ann@example.com");
    expect(mails).toEqual([]);
    expect(await db.rows("select from one_time_link")).toHaveLength(1);
  });

  it("asked for by a stranger again and again takes nothing away, fills no mailbox, and refuses nobody", async () => {
    const id = await aSignIn({ email: "ann@example.com", password });
    const given = await linkFor(id, "password_reset"); // by an administrator
    const ask = async () => (await new Browser("203.0.113.4").post("/link/request", { login: "ann@example.com" })).status;
    const statuses = await Promise.all(Array.from({ length: 12 }, ask));
    expect(statuses).toEqual(Array.from({ length: 12 }, () => 200));
    const mailed = /\/link#([\w-]{43})/.exec((await nextMail()).text)?.[1] ?? "";
    await ask();
    expect(mails).toEqual([]);
    for (const secret of [given, mailed]) expect((await new Browser().post("/link/read", { secret })).status).toBe(200);
    // The one that is used ends the others.
    expect((await new Browser().post("/link/redeem", { secret: given, password: another })).status).toBe(200);
    expect((await new Browser().post("/link/read", { secret: mailed })).body.why).toBe("revoked");
  });

  it("is in the mailbox at any time, good for ten minutes and more, whoever asks and however often; and goes twice an hour at most", async () => {
    const id = await aSignIn({ email: "ann@example.com", password });
    const from = Date.now();
    const made: number[] = [];
    for (let min = 0; min < 180; min += 1) {
      const now = new Date(from + min * 60_000);
      if (await makeMailedLink(db, id, now)) made.push(min);
      const [youngest] = await db.rows<{ leftMin: number }>(
        `select max(extract(epoch from expires_at - $2::timestamptz))::float8 / 60 as "leftMin" from one_time_link where person_id = $1 and revoked_at is null`,
        [id, now],
      );
      expect(youngest?.leftMin).toBeGreaterThanOrEqual(10);
    }
    for (const min of made) expect(made.filter((other) => other >= min && other < min + 60).length).toBeLessThanOrEqual(2);
    expect(made.slice(0, 3)).toEqual([0, 10, 60]);
  });

  it("that could not be sent leaves room for the next", async () => {
    const id = await aSignIn({ email: "ann@example.com", password });
    isSinkFull = true;
    await new Browser().post("/link/request", { login: "ann@example.com" });
    await expect.poll(() => db.rows("select from one_time_link where person_id = $1 and revoked_at is not null", [id])).toHaveLength(1);
    isSinkFull = false;
    await new Browser().post("/link/request", { login: "ann@example.com" });
    expect((await nextMail()).to).toBe("ann@example.com");
  });

  it("says who should know when the password changes by hand", async () => {
    const { changePassword } = await import("./service.ts");
    const id = await aSignIn({ email: "ann@example.com", password });
    const browser = new Browser();
    await browser.signIn("ann@example.com", password);
    const actor = await browser.actor();
    if (!actor) throw new Error("not signed in");
    const own = { db, actor, from: { address: null, userAgent: null }, now: () => new Date() };
    await expect(changePassword(own, { present: "wrong", password: another })).rejects.toMatchObject({ fields: [{ path: "present" }] });
    await expect(changePassword(own, { present: password, password: "password1234" })).rejects.toMatchObject({ fields: [{ path: "password" }] });
    await expect(changePassword(own, { present: password, password })).rejects.toMatchObject({ fields: [{ path: "password" }] });
    await changePassword(own, { present: password, password: another });
    expect((await nextMail()).text).toContain("was changed");
    expect(await browser.actor()).toMatchObject({ id }); // this session stays
  });
});

describe("a link", () => {
  it("opens nothing when it is made up, too old, taken back, used, or its person is disabled", async () => {
    const id = await aSignIn({ username: "ann", password });
    const now = new Date();
    const old = await linkFor(id, "password_reset", new Date(now.getTime() - linkLastsS.password_reset * 1000 - 1000));
    const revoked = await linkFor(id, "invitation");
    await revokeLinks(db, id, ["invitation"], now);
    const replaced = await linkFor(id, "invitation");
    const good = await linkFor(id, "invitation"); // replaces the one before
    const whys: unknown[] = [];
    for (const secret of [old, revoked, replaced, "x".repeat(43), good.slice(0, 42), `${good}x`, "", "' or 1=1 --", "../../x", "🦊"])
      whys.push((await new Browser().post("/link/redeem", { secret, password: another })).body.why);
    expect(whys).toEqual(["expired", "revoked", "revoked", "unknown", "unknown", "unknown", "unknown", "unknown", "unknown", "unknown"]);
    await db.rows("update person set disabled_at = now() where id = $1", [id]);
    expect((await new Browser().post("/link/redeem", { secret: good, password: another })).body.why).toBe("revoked");
    expect((await db.rows("select from one_time_link where used_at is not null")).length).toBe(0);
  });

  it("is used by one of many at once", async () => {
    const id = await aSignIn({ username: "ann" });
    const secret = await linkFor(id, "invitation");
    const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => new Browser().post("/link/redeem", { secret, password: `${another} ${n}` })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ body }) => body.why === "used")).toHaveLength(7);
  });

  it("is not used up by a password that is none", async () => {
    const id = await aSignIn({ username: "ann" });
    await db.asOwner.rows("insert into enterprise (key, name) values ('meridian', 'Meridian Works') on conflict do nothing");
    const secret = await linkFor(id, "invitation");
    const whys: unknown[] = [];
    for (const bad of ["short", "password1234", "aaaaaaaaaaaaaaaa", "annann example", "MeridianWorks1", "x".repeat(400)])
      whys.push((await new Browser().post("/link/redeem", { secret, password: bad })).body.why);
    expect(whys).toEqual(["tooShort", "common", "tooSimple", "aboutYou", "aboutYou", "tooLong"]);
    expect((await new Browser().post("/link/redeem", { secret, password })).status).toBe(200);
  });

  it("replaces the password, not the second factor", async () => {
    const id = await aSignIn({ username: "ann", password });
    await db.rows("insert into two_factor (person_id, secret, backup_codes, verified) values ($1, 'x', 'x', true)", [id]);
    await db.rows("update person set two_factor_enabled = true where id = $1", [id]);
    const browser = new Browser();
    const answer = await browser.post("/link/redeem", { secret: await linkFor(id, "password_reset"), password: another });
    expect(answer.body).toEqual({ purpose: "password_reset", isSignedIn: false });
    expect(await browser.actor()).toBeNull();
    expect((await browser.signIn("ann", another)).body).toEqual({ next: "code" });
  });
});

describe("the first administrator", () => {
  it("comes in by the printed link, once; then there is no such link any more, and those printed before open nothing", async () => {
    const [first, second] = [await firstAdministratorLink(ctx), await firstAdministratorLink(ctx)];
    const browser = new Browser();
    const body = { secret: secretOf(first?.url ?? ""), password, name: "  Ada   Löwe ", login: "Ada@Example.com" };
    expect((await browser.post("/link/read", { secret: body.secret })).body).toMatchObject({ purpose: "first_administrator", name: null });
    expect((await browser.post("/link/redeem", body)).body).toEqual({ purpose: "first_administrator", isSignedIn: true });
    expect(await browser.actor()).toMatchObject({ name: "Ada Löwe", grants: [{ role: "administrator", site: "all", lines: null }] });
    expect((await new Browser().post("/link/redeem", { ...body, secret: secretOf(second?.url ?? ""), login: "eve" })).body.why).toBe("used");
    expect(await firstAdministratorLink(ctx)).toBeNull();
  });

  it("is one, also when two open two links at once", async () => {
    const links = [await firstAdministratorLink(ctx), await firstAdministratorLink(ctx), await firstAdministratorLink(ctx)];
    const answers = await Promise.all(
      links.map((link, n) => new Browser().post("/link/redeem", { secret: secretOf(link?.url ?? ""), password, name: `Ada ${n}`, login: `ada${n}` })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await db.rows("select from person")).toHaveLength(1);
  });

  it.each([
    ["name", { name: "" }],
    ["name", { name: "   " }],
    ["name", { name: "x".repeat(101) }],
    ["name", { name: "\u202e\u202d" }],
    ["name", { name: "a\u0000b" }],
    ["name", { name: "Ann \u202egnp.exe" }],
    ["login", { login: "" }],
    ["login", { login: "a@" }],
    ["login", { login: "two words" }],
    ["login", { login: "-x" }],
    ["login", { login: "аdmin" }], // with a Cyrillic а
    ["login", { login: "x".repeat(41) }],
  ])("says at the %s what is wrong with %j", async (field, wrong) => {
    const link = await firstAdministratorLink(ctx);
    const answer = await new Browser().post("/link/redeem", { secret: secretOf(link?.url ?? ""), password, name: "Ada", login: "ada", ...wrong });
    expect(answer).toMatchObject({ status: 422, body: { code: "INVALID", field } });
  });

  it.each(["Ada 👩‍🏭", "محمد علي", "<b>Ada</b>", "Robert'); drop table person;--", "李小龍", "..", "O’Neill"].filter((name) => name !== ".."))(
    "may be called %s",
    async (name) => {
      const link = await firstAdministratorLink(ctx);
      const browser = new Browser();
      await browser.post("/link/redeem", { secret: secretOf(link?.url ?? ""), password, name, login: "ada" });
      expect((await browser.actor())?.name).toBe(name);
    },
  );
});

describe("from the command line", () => {
  it("adds people with duties, and refuses what is none", async () => {
    const { id, link } = await addPerson(ctx, { name: "Ole", login: "ole", memberships: [readMembership("viewer@*")], password: null, pin: null });
    const browser = new Browser();
    await browser.post("/link/redeem", { secret: secretOf(link?.url ?? ""), password });
    expect(await browser.actor()).toMatchObject({ id, grants: [{ role: "viewer", site: "all" }] });
    await expect(addPerson(ctx, { name: "Ole", login: "OLE", memberships: [], password: null, pin: null })).rejects.toThrow("already");
    await expect(
      addPerson(ctx, { name: "Eve", login: "eve", memberships: [{ role: "viewer", site: "nowhere", lines: [] }], password: null, pin: null }),
    ).rejects.toThrow("There is no site nowhere.");
    await expect(addPerson(ctx, { name: "Eve", login: "eve", memberships: [], password: "short", pin: null })).rejects.toThrow("12 characters");
    expect(() => readMembership("boss@*")).toThrow("is no role");
    expect(() => readMembership("viewer@x:a/b")).toThrow("operators");
  });
});

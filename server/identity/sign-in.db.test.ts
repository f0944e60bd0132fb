// Signing in with a password, as browsers do it: cookies, sessions, what is told to whom, and what is written down.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";
import { isDoing } from "./session.ts";
import { aSignIn, Browser } from "./testing-browser.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await aDatabase();
  process.env.DATABASE_URL = db.url;
  process.env.AUTH_SECRET = "a secret of the tests that is long enough";
  process.env.LOG_LEVEL = "silent";
});
afterAll(() => db.drop());
beforeEach(async () => {
  await db.asOwner.rows("truncate person, sign_in_try cascade");
});

const password = "a few words in a row";
/** Actions about this person, in their order. */
const actionsOf = async (id: string) =>
  (await db.rows<{ action: string }>("select action from audit_entry where subject_kind = 'person' and subject_id = $1 order by seq", [id])).map(
    ({ action }) => action,
  );
const inHours = (hours: number) => new Date(Date.now() + hours * 3600_000);
const session = "takt.session_token";

describe("signing in", () => {
  it("takes an address or a user name, however it is written", async () => {
    const id = await aSignIn({ email: "ann@example.com", username: "ann", password });
    for (const login of ["ann@example.com", " ANN@Example.com ", "Ann", "ａｎｎ"]) {
      const browser = new Browser();
      expect(await browser.signIn(login, password)).toMatchObject({ status: 200, body: { next: "in" } });
      expect(await browser.actor()).toMatchObject({ kind: "person", id, name: "Ann Example", terminalId: null });
    }
    expect((await actionsOf(id)).filter((action) => action === "session.begun")).toHaveLength(4);
  });

  it("gives a cookie that no script reads and no other site sends, and no token in the answer", async () => {
    await aSignIn({ username: "ann", password });
    const { headers, body } = await new Browser().signIn("ann", password, true);
    const cookie = headers.getSetCookie().find((one) => one.startsWith(`${session}=`)) ?? "";
    expect(cookie).toMatch(/; HttpOnly/i);
    expect(cookie).toMatch(/; SameSite=Lax/i);
    expect(cookie).toMatch(/; Path=\//i);
    expect(body).toEqual({ next: "in" });
    expect(headers.get("cache-control")).toBe("no-store");
  });

  it("says so where a text has what no database keeps, whoever asks, in bodies and in cookies", async () => {
    for (const text of ["a\u0000b", "\ud83d"]) {
      expect(await new Browser().signIn(text, password)).toMatchObject({
        status: 422,
        body: { code: "INVALID", field: "login", message: expect.stringContaining("cannot be kept") },
      });
      for (const path of ["/link/read", "/link/redeem", "/link/request", "/terminal/unlock", "/two-factor/verify-backup-code"])
        expect((await new Browser().post(path, { secret: text, login: text, password: text, name: text, personId: text, pin: text, code: text })).status).toBe(
          422,
        );
    }
    const browser = new Browser();
    for (const name of [session, "takt.terminal", "takt.device", "takt.two_factor", "takt.oauth_state"]) browser.cookies.set(name, "a%00b.c%00");
    expect((await browser.signIn("nobody", password)).status).toBe(401);
    expect((await browser.post("/two-factor/verify-totp", { code: "123456" })).status).toBe(401);
    expect(await browser.actor()).toBeNull();
  });

  it("says the same of a wrong password, of nobody, of who is disabled and of who has no password yet", async () => {
    await aSignIn({ username: "ann", password });
    const gone = await aSignIn({ username: "gone", password });
    await db.rows("update person set disabled_at = now() where id = $1", [gone]);
    await aSignIn({ username: "invited" });
    const answers = await Promise.all(
      [
        ["ann", "not the password"],
        ["nobody", password],
        ["gone", password],
        ["invited", password],
        ["", ""],
        ["x".repeat(900), password],
        ["' or 1=1 --", "' or 1=1 --"],
        ["👩‍🏭 ‮nna", "<script>alert(1)</script>"],
        ["../../etc/passwd", "\u0001"],
      ].map(([login = "", typed = ""], n) => new Browser(`192.0.2.${n + 1}`).signIn(login, typed)),
    );
    for (const { status, body, headers } of answers) {
      expect({ status, body }).toEqual({ status: 401, body: { code: "WRONG", message: "This user name or password is not right." } });
      expect(headers.getSetCookie()).toEqual([]);
    }
  });

  it("takes as long for nobody as for somebody", async () => {
    await aSignIn({ username: "ann", password });
    const time = async (login: string, address: string) => {
      const from = performance.now();
      await new Browser(address).signIn(login, "not the password");
      return performance.now() - from;
    };
    const [known, unknown]: [number[], number[]] = [[], []];
    for (let n = 0; n < 4; n++) {
      known.push(await time("ann", `198.51.100.${n}`));
      unknown.push(await time("nobody", `203.0.113.${n}`));
    }
    const ratio = Math.min(...unknown) / Math.min(...known);
    // Without the hash that is made for nobody, it is below a tenth.
    expect(ratio).toBeGreaterThan(0.4);
    expect(ratio).toBeLessThan(2.5);
  });

  it("writes down what failed, and never what was typed", async () => {
    const id = await aSignIn({ username: "ann", password });
    await new Browser().signIn("ann", "a typed secret");
    await new Browser().signIn("my-password-in-the-wrong-field", "a typed secret");
    expect(await actionsOf(id)).toContain("session.refused");
    const [row] = await db.rows<{ text: string }>("select string_agg(e::text, '') as text from audit_entry e");
    expect(row?.text).not.toMatch(/typed secret|wrong-field|a few words/);
    const [tries] = await db.rows<{ text: string }>("select string_agg(t::text, '') as text from sign_in_try t");
    expect(tries?.text).not.toMatch(/ann|wrong-field/);
  });

  it("keeps nothing from which a password or a session could be read", async () => {
    await aSignIn({ username: "ann", password });
    const browser = new Browser();
    await browser.signIn("ann", password);
    const [account] = await db.rows<{ password: string }>("select password from account");
    expect(account?.password).toMatch(/^[0-9a-f]{32}:[0-9a-f]{128}$/);
    const [stored] = await db.rows<{ token: string }>("select token from session");
    const thief = new Browser();
    thief.cookies.set(session, stored?.token ?? "");
    expect(await thief.actor()).toBeNull();
    thief.cookies.set(session, encodeURIComponent(`${stored?.token}.${Buffer.alloc(32).toString("base64")}`));
    expect(await thief.actor()).toBeNull();
  });
});

describe("a session", () => {
  it("is another one after signing in: what was planted before opens nothing", async () => {
    await aSignIn({ username: "ann", password });
    await aSignIn({ username: "eve", password });
    const eve = new Browser();
    await eve.signIn("eve", password);
    const planted = eve.cookies.get(session) ?? "";
    const ann = new Browser();
    ann.cookies.set(session, planted);
    await ann.signIn("ann", password);
    expect(ann.cookies.get(session)).not.toBe(planted);
    expect(await ann.actor()).toMatchObject({ name: "Ann Example" });
    expect(await eve.actor()).toBeNull(); // the session that it replaced is over
  });

  it("ends without doing anything for 8 hours, and after a day in any case", async () => {
    await aSignIn({ username: "ann", password });
    const browser = new Browser();
    await browser.signIn("ann", password);
    expect(await browser.actor(inHours(7))).not.toBeNull(); // which is doing something
    expect(await browser.actor(inHours(14))).not.toBeNull();
    expect(await browser.actor(inHours(23))).toBeNull();
    const busy = new Browser();
    await busy.signIn("ann", password);
    for (const hour of [6, 12, 18, 23]) expect(await busy.actor(inHours(hour))).not.toBeNull();
    expect(await busy.actor(inHours(24.1))).toBeNull();
  });

  it("lasts longer where that was asked for: a week without doing anything, 30 days in all", async () => {
    await aSignIn({ username: "ann", password });
    const browser = new Browser();
    await browser.signIn("ann", password, true);
    for (let day = 6; day < 30; day += 6) expect(await browser.actor(inHours(24 * day))).not.toBeNull();
    expect(await browser.actor(inHours(24 * 30.1))).toBeNull();
    const idle = new Browser();
    await idle.signIn("ann", password, true);
    expect(await idle.actor(inHours(24 * 7.1))).toBeNull();
  });

  it("ends with signing out, on the server too", async () => {
    const id = await aSignIn({ username: "ann", password });
    const browser = new Browser();
    await browser.signIn("ann", password);
    const thief = new Browser();
    thief.cookies.set(session, browser.cookies.get(session) ?? "");
    expect((await browser.post("/sign-out")).status).toBe(200);
    expect(browser.cookies.has(session)).toBe(false);
    expect(await thief.actor()).toBeNull();
    expect(await actionsOf(id)).toContain("session.ended");
  });

  it("ends when the person is disabled, and opens again for nobody", async () => {
    const id = await aSignIn({ username: "ann", password });
    const browser = new Browser();
    await browser.signIn("ann", password);
    await db.rows("update person set disabled_at = now() where id = $1", [id]);
    expect(await browser.actor()).toBeNull();
  });

  it("does not live on what a page asks for by itself", () => {
    const asks = (headers: Record<string, string>) => isDoing(new Headers(headers));
    expect(asks({ "sec-fetch-dest": "document" })).toBe(true);
    expect(asks({ "sec-fetch-dest": "empty", rsc: "1" })).toBe(true); // a link inside the app
    expect(asks({ "sec-fetch-dest": "empty", "content-type": "application/json" })).toBe(true); // a button
    expect(asks({ "sec-fetch-dest": "empty" })).toBe(false); // a query that is asked again and again, a stream
    expect(asks({ "sec-fetch-dest": "empty", rsc: "1", "next-router-prefetch": "1" })).toBe(false);
    expect(asks({})).toBe(true); // a program
  });
});

describe("from outside", () => {
  it("only what is used is there", async () => {
    const browser = new Browser();
    const closed = ["/sign-up/email", "/sign-in/email", "/update-user", "/change-password", "/delete-user", "/request-password-reset", "/reset-password"];
    const more = ["/revoke-sessions", "/link-social", "/unlink-account", "/two-factor/get-totp-uri", "/two-factor/send-otp", "/verify-password", "/__proto__"];
    for (const path of [...closed, ...more]) expect([path, (await browser.post(path)).status]).toEqual([path, 404]);
    for (const path of ["/get-session", "/list-sessions", "/ok", "/error", "/reset-password/x", "/sign-in/username"])
      expect([path, (await browser.get(path)).status]).toEqual([path, 404]);
  });

  it("no other site signs anybody in or out", async () => {
    await aSignIn({ username: "ann", password });
    const browser = new Browser();
    await browser.signIn("ann", password);
    const hostile: Record<string, string>[] = [{ "sec-fetch-site": "cross-site" }, { origin: "https://evil.example" }, { "content-type": "text/plain" }];
    for (const headers of hostile) {
      expect((await browser.post("/sign-out", {}, headers)).status).toBe(403);
      expect((await new Browser().post("/sign-in/username", { login: "ann", password }, headers)).status).toBe(403);
    }
    expect(await browser.actor()).not.toBeNull();
  });

  it("too much and what is no request are refused", async () => {
    const browser = new Browser();
    expect((await browser.signIn("ann", "x".repeat(20_000))).status).toBe(413);
    expect((await browser.post("/sign-in/username", { login: ["ann"], password: { a: 1 } })).status).toBe(400);
    expect((await browser.post("/sign-in/username", null)).status).toBe(400);
  });
});

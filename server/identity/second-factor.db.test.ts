// The second factor: set up, asked for, lost, and what rests without it.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aDatabase, aLine, type TestDatabase } from "#/server/testing.ts";
import { resetSecondFactor } from "./reset.ts";
import { setStrict, strictSites } from "./strict-sites.ts";
import { grant, permitted } from "./testing.ts";
import { aSignIn, Browser } from "./testing-browser.ts";
import { codeOf } from "./testing-totp.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await aDatabase();
  process.env.DATABASE_URL = db.url;
  process.env.AUTH_SECRET = "a secret of the tests that is long enough";
  process.env.LOG_LEVEL = "silent";
});
afterAll(() => db.drop());
beforeEach(async () => {
  await db.asOwner.rows("truncate person, sign_in_try, verification cascade");
});

const password = "a few words in a row";

/** Ann, with a second factor. */
async function withSecondFactor(): Promise<{ id: string; browser: Browser; uri: string; codes: string[] }> {
  const id = await aSignIn({ username: "ann", password });
  const browser = new Browser();
  await browser.signIn("ann", password);
  const begun = await browser.post("/two-factor/enable", { password });
  const { totpURI: uri, backupCodes: codes } = begun.body as { totpURI: string; backupCodes: string[] };
  expect((await browser.post("/two-factor/verify-totp", { code: codeOf(uri) })).status).toBe(200);
  return { id, browser, uri, codes };
}

describe("setting it up", () => {
  it("takes the password and a code, ends in another session, and is written down", async () => {
    const id = await aSignIn({ username: "ann", password });
    const browser = new Browser();
    await browser.signIn("ann", password);
    expect((await browser.post("/two-factor/enable", { password: "another one" })).status).toBe(400);
    const begun = await browser.post("/two-factor/enable", { password });
    const uri = String(begun.body.totpURI);
    expect(begun.body.backupCodes).toHaveLength(10);
    expect((await browser.post("/two-factor/verify-totp", { code: "000000" })).status).toBe(401);
    const stranger = new Browser("198.51.100.1");
    expect((await stranger.signIn("ann", password)).body).toEqual({ next: "in" }); // not on before the first code was right
    const before = browser.cookies.get("takt.session_token");
    expect(await browser.post("/two-factor/verify-totp", { code: codeOf(uri) })).toMatchObject({ status: 200, body: {} });
    expect(browser.cookies.get("takt.session_token")).not.toBe(before);
    expect(await browser.actor()).toMatchObject({ id });
    const rows = await db.rows("select from audit_entry where subject_kind = 'person' and action = 'person.second_factor_on' and subject_id = $1", [id]);
    expect(rows.length).toBeGreaterThan(0);
    const [stored] = await db.rows<{ secret: string; backupCodes: string }>('select secret, backup_codes as "backupCodes" from two_factor');
    expect(stored?.secret).not.toContain(new URL(uri).searchParams.get("secret"));
    expect(stored?.backupCodes).not.toContain((begun.body.backupCodes as string[])[0]);
  });

  it("needs somebody who signed in, and not with a PIN", async () => {
    for (const path of ["/two-factor/enable", "/two-factor/disable", "/two-factor/generate-backup-codes"])
      expect((await new Browser().post(path, { password })).status).toBe(401);
  });

  it("bounds the tries at the password, for this session", async () => {
    await aSignIn({ username: "ann", password });
    const browser = new Browser();
    await browser.signIn("ann", password);
    for (let n = 0; n < 5; n++) expect((await browser.post("/two-factor/enable", { password: `wrong ${n}` })).status).toBe(400);
    expect(await browser.post("/two-factor/enable", { password })).toMatchObject({ status: 429, body: { code: "WAIT" } });
  });
});

describe("signing in with it", () => {
  it("asks for a code after the password, and there is no session before it", async () => {
    const { uri } = await withSecondFactor();
    const browser = new Browser("198.51.100.2");
    expect((await browser.signIn("ann", password)).body).toEqual({ next: "code" });
    expect(await browser.actor()).toBeNull();
    expect((await browser.post("/two-factor/verify-totp", { code: "123456" })).body).toMatchObject({ code: "CODE_WRONG" });
    const answer = await browser.post("/two-factor/verify-totp", { code: codeOf(uri, 1) });
    expect(answer).toMatchObject({ status: 200, body: { next: "in" } });
    expect(JSON.stringify(answer.body)).not.toContain("token");
    expect(await browser.actor()).toMatchObject({ name: "Ann Example" });
    const [session] = await db.rows("select method, second_factor from session order by created_at desc limit 1");
    expect(session).toEqual({ method: "password", second_factor: true });
  });

  it("takes no code twice, not even by somebody else who saw it", async () => {
    const { uri } = await withSecondFactor();
    const code = codeOf(uri, 1); // and no browser is trusted to come without one
    const [ann, eve] = [new Browser("198.51.100.2"), new Browser("203.0.113.1")];
    await ann.signIn("ann", password);
    await eve.signIn("ann", password);
    expect((await ann.post("/two-factor/verify-totp", { code, trustDevice: true })).status).toBe(200);
    expect([...ann.cookies.keys()].join()).not.toContain("trust");
    expect((await ann.signIn("ann", password)).body).toEqual({ next: "code" });
    expect((await eve.post("/two-factor/verify-totp", { code })).body).toMatchObject({ code: "CODE_USED" });
    expect(await eve.actor()).toBeNull();
  });

  it("stops who guesses codes, and not the person in a browser of theirs", async () => {
    const { uri, browser: own } = await withSecondFactor();
    await own.post("/sign-out");
    const eve = new Browser("203.0.113.1");
    const statuses: number[] = [];
    for (let n = 0; n < 7; n++) {
      if (n % 4 === 0) await eve.signIn("ann", password);
      statuses.push((await eve.post("/two-factor/verify-totp", { code: String(100_000 + n) })).status);
    }
    expect(statuses.slice(0, 5)).toEqual([401, 401, 401, 401, 401]);
    expect(statuses.at(-1)).toBe(429);
    expect((await own.signIn("ann", password)).body).toEqual({ next: "code" });
    expect((await own.post("/two-factor/verify-totp", { code: codeOf(uri, 1) })).status).toBe(200);
  });

  it("takes a recovery code, once", async () => {
    const { codes } = await withSecondFactor();
    const code = codes[3] ?? "";
    const browser = new Browser("198.51.100.3");
    await browser.signIn("ann", password);
    expect((await browser.post("/two-factor/verify-backup-code", { code: ` ${code} ` })).status).toBe(200);
    expect(await browser.actor()).not.toBeNull();
    const again = new Browser("198.51.100.4");
    await again.signIn("ann", password);
    expect((await again.post("/two-factor/verify-backup-code", { code })).status).toBe(401);
    expect(await again.actor()).toBeNull();
  });

  it("a code without the password before it opens nothing", async () => {
    const { uri } = await withSecondFactor();
    const answer = await new Browser("198.51.100.5").post("/two-factor/verify-totp", { code: codeOf(uri, 1) });
    expect(answer).toMatchObject({ status: 401, body: { code: "SIGN_IN_AGAIN" } });
  });

  it("is switched off with the password alone by who is signed in, and reset by others for a lost phone", async () => {
    const { browser } = await withSecondFactor();
    expect((await browser.post("/two-factor/disable", { password: "wrong" })).status).toBe(400);
    expect((await browser.post("/two-factor/disable", { password })).status).toBe(200);
    expect((await new Browser("198.51.100.6").signIn("ann", password)).body).toEqual({ next: "in" });
    await db.asOwner.rows("truncate person, sign_in_try cascade");
    const lost = await withSecondFactor();
    expect(await resetSecondFactor(db, lost.id)).toBe(true);
    expect((await new Browser("198.51.100.7").signIn("ann", password)).body).toEqual({ next: "in" });
  });
});

describe("a site that asks its administrators for it", () => {
  it("lets their administrator's rights rest until they have one, and no others'", async () => {
    const [strict, other] = [await aLine(db), await aLine(db)];
    await db.rows("update site set requires_second_factor = true where id = $1", [strict.siteId]);
    const id = await aSignIn({ username: "ann", password });
    const hold = (role: string, site: number | null) => db.rows("insert into membership (person_id, role, site_id) values ($1, $2, $3)", [id, role, site]);
    await hold("administrator", strict.siteId);
    await hold("administrator", other.siteId);
    await hold("supervisor", strict.siteId);
    const browser = new Browser();
    await browser.signIn("ann", password);
    expect(await browser.actor()).toMatchObject({
      secondFactorMissing: true,
      grants: [
        { role: "administrator", site: other.siteId },
        { role: "supervisor", site: strict.siteId },
      ],
    });
    await hold("administrator", null);
    expect((await browser.actor())?.grants).not.toContainEqual({ role: "administrator", site: "all", lines: null });
    const begun = await browser.post("/two-factor/enable", { password });
    await browser.post("/two-factor/verify-totp", { code: codeOf(String(begun.body.totpURI)) });
    const actor = await browser.actor();
    expect(actor?.secondFactorMissing).toBeUndefined();
    expect(actor?.grants).toHaveLength(4);
    expect((await browser.post("/two-factor/disable", { password })).status).toBe(200);
    expect((await browser.actor())?.secondFactorMissing).toBe(true);
    await db.rows("update site set requires_second_factor = false");
    expect((await browser.actor())?.grants).toHaveLength(4);
  });

  it("is made one by who has one themselves, for their own sites", async () => {
    const [ours, theirs] = [await aLine(db), await aLine(db)];
    const { id, browser } = await withSecondFactor();
    await db.rows("insert into membership (person_id, role, site_id) values ($1, 'administrator', $2)", [id, ours.siteId]);
    const other = await aSignIn({ username: "bea", password });
    await db.rows("insert into membership (person_id, role) values ($1, 'administrator')", [other]);
    const actor = await browser.actor();
    if (!actor) throw new Error("not signed in");
    const ctx = permitted(db, actor, "person.change");
    expect(await strictSites(ctx)).toMatchObject([{ id: ours.siteId, isStrict: false, administrators: 2, without: 1 }]);
    await setStrict(ctx, ours.siteId, true);
    expect(await strictSites(ctx)).toMatchObject([{ isStrict: true }]);
    await expect(setStrict(ctx, theirs.siteId, true)).rejects.toMatchObject({ code: "NOT_FOUND" });
    const without = new Browser("198.51.100.9");
    await without.signIn("bea", password);
    const bea = { ...(await without.actor()), grants: [grant("administrator")] } as typeof actor;
    await expect(setStrict(permitted(db, bea, "person.change"), theirs.siteId, true)).rejects.toMatchObject({ code: "RULE_BROKEN" });
    await db.rows("update site set requires_second_factor = false");
  });
});

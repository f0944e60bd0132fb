// Signing in with an OpenID Connect provider: a real one, on a port of its own, with browsers that follow its redirects.
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import Provider from "oidc-provider";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aDatabase, aLine, type TestDatabase, type TestLine } from "#/server/testing.ts";
import { readMemberships } from "./provider-memberships.ts";
import { aSignIn, Browser } from "./testing-browser.ts";

let db: TestDatabase;
let line: TestLine;
let issuer: string;

type Account = { name?: string; email?: string; email_verified?: boolean; groups?: string[]; amr?: string[] };
let accounts: Record<string, Account>;

const server = createServer((request, response) => void handle(request, response));
let provider: Provider;
const handle = async (request: IncomingMessage, response: ServerResponse) => {
  const url = new URL(request.url ?? "/", issuer);
  if (!url.pathname.startsWith("/interaction/")) return provider.callback()(request, response);
  // The provider's own sign-in page, as somebody has filled it in: ?as=who
  const accountId = url.searchParams.get("as") ?? "";
  if (accountId === "nobody")
    return provider.interactionFinished(request, response, { error: "access_denied", error_description: "called off" }, { mergeWithLastSubmission: false });
  const grant = new provider.Grant({ accountId, clientId: "takt" });
  grant.addOIDCScope("openid profile email groups");
  const login = { accountId, amr: accounts[accountId]?.amr ?? ["pwd"] };
  return provider.interactionFinished(request, response, { login, consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: false });
};

beforeAll(async () => {
  db = await aDatabase();
  line = await aLine(db);
  const [site] = await db.rows<{ key: string }>("select key from site where id = $1", [line.siteId]);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = {
    client_id: "takt",
    client_secret: "a secret between Takt and the provider",
    redirect_uris: ["http://localhost:3000/api/auth/callback/oidc"],
  };
  provider = new Provider(issuer, {
    clients: [client],
    pkce: { required: () => true },
    scopes: ["openid", "profile", "email", "groups"],
    claims: { openid: ["sub", "amr"], profile: ["name"], email: ["email", "email_verified"], groups: ["groups"] },
    findAccount: (_ctx, id) => ({ accountId: id, claims: async () => ({ sub: id, ...accounts[id], amr: undefined }) }),
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    cookies: { keys: ["of the test"] },
    ttl: { Session: 600, Interaction: 600, Grant: 600, AccessToken: 600, IdToken: 600 },
  });
  Object.assign(process.env, {
    DATABASE_URL: db.url,
    AUTH_SECRET: "a secret of the tests that is long enough",
    LOG_LEVEL: "silent",
    PUBLIC_URL: "http://localhost:3000",
    OIDC_ISSUER: issuer,
    OIDC_CLIENT_ID: client.client_id,
    OIDC_CLIENT_SECRET: client.client_secret,
    OIDC_NAME: "Works login",
    OIDC_SCOPES: "openid profile email groups",
    OIDC_MEMBERSHIPS: `line-team = operator@${site?.key}; chiefs = administrator@*; lost = viewer@no-such-site`,
  });
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await db.drop();
});
beforeEach(async () => {
  await db.asOwner.rows("truncate person, sign_in_try, verification cascade");
  accounts = {};
});

const password = "a few words in a row";

/** Follows the provider's redirects until it sends the browser back to Takt: the address of that. */
async function atProvider(start: string, as: string): Promise<string> {
  const cookies = new Map<string, string>();
  let at = start;
  for (let n = 0; n < 10; n++) {
    const url = new URL(at);
    if (url.origin === "http://localhost:3000") return url.pathname.slice("/api/auth".length) + url.search;
    if (url.pathname.startsWith("/interaction/")) url.searchParams.set("as", as);
    const answer = await fetch(url, { redirect: "manual", headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") } });
    for (const set of answer.headers.getSetCookie()) {
      const [name = "", value = ""] = set.split(";")[0]?.split("=") ?? [];
      cookies.set(name, value);
    }
    const location = answer.headers.get("location");
    if (!location) throw new Error(`${at} answered ${answer.status}: ${await answer.text()}`);
    at = new URL(location, url).href;
  }
  throw new Error("no end of redirects");
}

async function signInAs(as: string, browser = new Browser()): Promise<{ browser: Browser; location: URL; callback: string }> {
  const begun = await browser.post("/sign-in/social", { provider: "oidc", callbackURL: "/data-health", errorCallbackURL: "/sign-in", disableRedirect: true });
  expect(begun.status).toBe(200);
  const callback = await atProvider(String(begun.body.url), as);
  const answer = await browser.get(callback);
  expect(answer.status).toBe(302);
  return { browser, callback, location: new URL(answer.headers.get("location") ?? "", "http://localhost:3000") };
}

const holdings = (id: string) => db.rows("select role, site_id, from_provider from membership where person_id = $1 order by role", [id]);

describe("signing in with the provider", () => {
  it("uses the code flow with PKCE, state and nonce, and leaves no token of the provider behind", async () => {
    accounts.ann = { name: "Ann", email: "ann@example.com", email_verified: true, groups: ["line-team"] };
    const begun = await new Browser().post("/sign-in/social", { provider: "oidc", callbackURL: "/", disableRedirect: true });
    const asked = new URL(String(begun.body.url)).searchParams;
    expect(Object.fromEntries(asked)).toMatchObject({ response_type: "code", client_id: "takt", code_challenge_method: "S256" });
    for (const name of ["state", "nonce", "code_challenge"]) expect(asked.get(name)?.length).toBeGreaterThan(20);
    const { browser } = await signInAs("ann");
    expect(await browser.actor()).not.toBeNull();
    expect(await db.rows("select provider_id, account_id, access_token, refresh_token, id_token, password from account")).toEqual([
      { provider_id: "oidc", account_id: "ann", access_token: null, refresh_token: null, id_token: null, password: null },
    ]);
  });

  it("knows who is there already by a verified address, keeps their name, and goes on to where they wanted", async () => {
    const id = await aSignIn({ name: "Ann Example", email: "ann@example.com", password });
    accounts.a1 = { name: "Somebody Else", email: "Ann@Example.com", email_verified: true };
    const { browser, location } = await signInAs("a1");
    expect(location.pathname).toBe("/data-health");
    expect(await browser.actor()).toMatchObject({ id, name: "Ann Example" });
    const [session] = await db.rows("select method, second_factor from session");
    expect(session).toEqual({ method: "provider", second_factor: false });
  });

  it("ends every way in that was made before it: whoever prepared the account keeps nothing of it", async () => {
    const boss = await aSignIn({ name: "Bea Boss", email: "bea@example.com", password, pin: "4711" });
    await db.rows("insert into membership (person_id, role, site_id) values ($1, 'operator', $2)", [boss, line.siteId]);
    const attacker = new Browser("203.0.113.66");
    expect((await attacker.signIn("bea@example.com", password)).status).toBe(200);
    await attacker.post("/two-factor/enable", { password });
    await db.rows(
      `insert into api_token (name, hash, owner_id, all_sites, site_ids, actions, created_at, expires_at)
       values ('kept', sha256('x'), $1, true, '{}', '{board.read}', now(), now() + interval '1 day')`,
      [boss],
    );
    await db.rows(
      "insert into one_time_link (purpose, person_id, secret_hash, created_by, expires_at) values ('password_reset', $1, 'x', 'Eve', now() + interval '1 day')",
      [boss],
    );
    accounts.b1 = { name: "Bea", email: "bea@example.com", email_verified: true, groups: ["chiefs"] };
    const { browser } = await signInAs("b1");
    expect(await browser.actor()).toMatchObject({ id: boss, grants: expect.arrayContaining([{ role: "administrator", site: "all", lines: null }]) });
    expect(await attacker.actor()).toBeNull();
    expect((await attacker.signIn("bea@example.com", password)).status).toBe(401);
    const left = await db.rows(
      `select (select count(*) from session where person_id = p.id)::int as sessions, (select count(*) from person_pin where person_id = p.id)::int as pins,
         (select count(*) from two_factor where person_id = p.id)::int as factors, (select count(*) from known_device where person_id = p.id)::int as devices,
         (select count(*) from api_token where owner_id = p.id and revoked_at is null)::int as tokens,
         (select count(*) from one_time_link where person_id = p.id and revoked_at is null)::int as links,
         array(select provider_id from account where person_id = p.id) as accounts from person p where p.id = $1`,
      [boss],
    );
    expect(left).toEqual([{ sessions: 1, pins: 0, factors: 0, devices: 1, tokens: 0, links: 0, accounts: ["oidc"] }]); // the browser that came by the provider
    const [entry] = await db.rows(
      "select after from audit_entry where action = 'person.provider_linked' and subject_id = $1 and after is not null and after::jsonb ? 'ended'",
      [boss],
    );
    expect(entry).toEqual({ after: { ended: ["password", "pin", "second_factor", "sessions", "links", "tokens"] } });
    expect(await db.rows("select kind, by_name from person_notice where person_id = $1", [boss])).toEqual([{ kind: "provider_linked", by_name: null }]);
    await signInAs("b1", browser); // nothing ends the second time
    expect(await db.rows("select from person_notice where person_id = $1", [boss])).toHaveLength(1);
  });

  it("gives what its claim gives to sessions that it let in, and not to a password", async () => {
    const ann = await aSignIn({ email: "ann@example.com" });
    await db.rows("insert into membership (person_id, role, site_id) values ($1, 'viewer', $2)", [ann, line.siteId]);
    accounts.a1 = { name: "Ann", email: "ann@example.com", email_verified: true, groups: ["chiefs"] };
    const { browser } = await signInAs("a1");
    expect((await browser.actor())?.grants.map(({ role }) => role)).toEqual(["viewer", "administrator"]);
    const { setPassword } = await import("./reset.ts");
    await setPassword(db, ann, password); // as by a link that somebody else made
    const other = new Browser("203.0.113.66");
    expect((await other.signIn("ann@example.com", password)).status).toBe(200);
    expect((await other.actor())?.grants.map(({ role }) => role)).toEqual(["viewer"]);
  });

  it("joins no second account of the provider to a person, and ends nothing by trying", async () => {
    const ann = await aSignIn({ email: "ann@example.com" });
    accounts.a1 = { name: "Ann", email: "ann@example.com", email_verified: true };
    accounts.a2 = { name: "Another", email: "ann@example.com", email_verified: true };
    const { browser } = await signInAs("a1");
    const second = await signInAs("a2");
    expect(second.location.searchParams.get("error")).toBeTruthy();
    expect([(await browser.actor())?.id, await second.browser.actor()]).toEqual([ann, null]);
  });

  it("does not hand an account to who merely claims its address", async () => {
    await aSignIn({ email: "ann@example.com", password });
    accounts.eve = { name: "Eve", email: "ann@example.com", email_verified: false };
    const { browser, location } = await signInAs("eve");
    expect(location.pathname).toBe("/sign-in");
    expect(location.searchParams.get("error")).toBe("account_not_linked");
    expect(await browser.actor()).toBeNull();
  });

  it("lets strangers in only by a claim that gives them something here, and follows it at every sign-in", async () => {
    accounts.new = { name: "Nina Neu", email: "nina@example.com", email_verified: true, groups: ["another", "lost"] };
    const refused = await signInAs("new");
    expect(refused.location.pathname).toBe("/sign-in");
    expect(refused.location.searchParams.get("error")).toBe("stranger");
    expect(await db.rows("select from person")).toEqual([]);
    accounts.new.groups = ["line-team", "lost"];
    const { browser } = await signInAs("new");
    const actor = await browser.actor();
    expect(actor).toMatchObject({ name: "Nina Neu", grants: [{ role: "operator", site: line.siteId, lines: null }] });
    await db.rows("insert into membership (person_id, role) values ($1, 'viewer')", [actor?.id]);
    accounts.new.groups = ["chiefs"];
    await signInAs("new");
    expect(await holdings(actor?.id ?? "")).toEqual([
      { role: "administrator", site_id: null, from_provider: true },
      { role: "viewer", site_id: null, from_provider: false },
    ]);
    accounts.new.groups = [];
    await signInAs("new"); // the last administrator, who keeps it
    expect(await holdings(actor?.id ?? "")).toHaveLength(2);
    const chief = await aSignIn({ name: "Other chief", username: "chief", password });
    await db.rows("insert into membership (person_id, role) values ($1, 'administrator')", [chief]);
    await signInAs("new");
    expect(await holdings(actor?.id ?? "")).toEqual([{ role: "viewer", site_id: null, from_provider: false }]);
  });

  it("lets nobody in who is disabled", async () => {
    const id = await aSignIn({ email: "ann@example.com", password });
    accounts.a1 = { name: "Ann", email: "ann@example.com", email_verified: true };
    await signInAs("a1");
    await db.rows("update person set disabled_at = now() where id = $1", [id]);
    const { browser, location } = await signInAs("a1");
    expect(location.searchParams.get("error")).toBe("disabled");
    expect(await browser.actor()).toBeNull();
  });

  it("takes the provider's word for a second factor", async () => {
    const id = await aSignIn({ email: "ann@example.com" });
    await db.rows("insert into membership (person_id, role, site_id) values ($1, 'administrator', $2)", [id, line.siteId]);
    await db.rows("update site set requires_second_factor = true where id = $1", [line.siteId]);
    accounts.a1 = { email: "ann@example.com", email_verified: true, amr: ["pwd"] };
    expect(await (await signInAs("a1")).browser.actor()).toMatchObject({ grants: [], secondFactorMissing: true });
    accounts.a1.amr = ["pwd", "otp", "mfa"];
    expect(await (await signInAs("a1")).browser.actor()).toMatchObject({ grants: [{ role: "administrator", site: line.siteId }] });
    await db.rows("update site set requires_second_factor = false");
  });

  it("comes back to the sign-in page with what went wrong", async () => {
    const { location } = await signInAs("nobody");
    expect([location.pathname, location.searchParams.get("error")]).toEqual(["/sign-in", "access_denied"]);
  });

  it("refuses what was not begun here: a made-up state, another browser's, one used before, a made-up code", async () => {
    accounts.a1 = { name: "Ann", email: "ann@example.com", email_verified: true, groups: ["line-team"] };
    const { callback } = await signInAs("a1");
    const state = new URL(callback, "http://localhost:3000").searchParams.get("state") ?? "";
    const victim = new Browser("203.0.113.7");
    for (const path of [
      callback,
      "/callback/oidc?code=x&state=made-up",
      `/callback/oidc?code=made-up&state=${state}`,
      "/callback/oidc",
      "/callback/oidc?state=x",
    ]) {
      const answer = await victim.get(path);
      expect(answer.status).toBe(302);
      expect(answer.headers.get("location")).toMatch(/\/sign-in\?error=/);
    }
    // Begun in another browser: logging a victim in as somebody else.
    const attacker = new Browser();
    const begun = await attacker.post("/sign-in/social", { provider: "oidc", callbackURL: "/", errorCallbackURL: "/sign-in", disableRedirect: true });
    await victim.get(await atProvider(String(begun.body.url), "a1"));
    expect(await victim.actor()).toBeNull();
  });

  it("takes no token that a browser brings along", async () => {
    const answer = await new Browser().post("/sign-in/social", { provider: "oidc", callbackURL: "/", idToken: { token: "x.y.z" }, disableRedirect: true });
    expect(answer.body).toMatchObject({ url: expect.stringContaining(issuer) }); // begun anew, at the provider
  });

  it("goes on to no other site", async () => {
    for (const callbackURL of ["https://evil.example/", "//evil.example", "/\\evil.example"]) {
      const answer = await new Browser().post("/sign-in/social", { provider: "oidc", callbackURL, disableRedirect: true });
      expect([callbackURL, answer.status]).toEqual([callbackURL, 403]);
    }
  });
});

describe("readMemberships", () => {
  it("reads what the environment says, and says what it cannot read", () => {
    expect(readMemberships("a b = operator@x ; c=viewer@*;")).toEqual([
      { value: "a b", role: "operator", siteKey: "x" },
      { value: "c", role: "viewer", siteKey: null },
    ]);
    expect(readMemberships("a=boss@*")).toMatch(/names the role "boss"/);
    expect(readMemberships("a")).toMatch(/"a" is none/);
  });
});

// The web app as it is started, asked over HTTP: what its answers carry, which cookies it sets, and what it refuses.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import Provider from "oidc-provider";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildWeb } from "#/scripts/build.ts";
import { handlerDoors, identityDoors } from "#/server/domain/doors.ts";
import { aSignIn } from "#/server/identity/testing-browser.ts";
import { codeOf } from "#/server/identity/testing-totp.ts";
import { rates } from "#/server/limits/rates.ts";
import { aWorld, fingerprint, type World } from "#/server/permissions/world.ts";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";
import { ask } from "./testing.ts";
import { startWeb, Visitor, type Web } from "./testing-web.ts";

const origin = "https://takt.example";
const host = "takt.example";
const password = "a few words in a row";
const pin = "73919264";

let db: TestDatabase;
let world: World;
let web: Web;
let ann: Visitor;
const provider = createServer();

beforeAll(async () => {
  await buildWeb({ always: false });
  db = await aDatabase();
  Object.assign(process.env, { DATABASE_URL: db.url, AUTH_SECRET: "a secret of the tests that is long enough", LOG_LEVEL: "silent" });
  world = await aWorld(db);
  provider.listen(0, "127.0.0.1");
  await once(provider, "listening");
  const issuer = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
  provider.on("request", providerAt(issuer));
  web = await startWeb({
    DATABASE_URL: db.url,
    AUTH_SECRET: process.env.AUTH_SECRET ?? "",
    PUBLIC_URL: origin,
    LOG_LEVEL: "warn",
    OIDC_ISSUER: issuer,
    OIDC_CLIENT_ID: "takt",
    OIDC_CLIENT_SECRET: "between Takt and the provider",
  });
  await hold(await aSignIn({ name: "Ann", username: "ann", email: "ann@example.com", password }), "administrator", null);
  ann = await signedIn("ann");
}, 600_000);
afterAll(async () => {
  await web?.stop();
  provider.closeAllConnections();
  provider.close();
  await db?.drop();
});

const hold = (personId: string, role: string, siteId: number | null) =>
  db.rows("insert into membership (person_id, role, site_id) values ($1, $2, $3)", [personId, role, siteId]);
const visitor = () => new Visitor(web.port, origin);
async function signedIn(login: string): Promise<Visitor> {
  const browser = visitor();
  expect((await browser.signIn(login, password)).text).toBe('{"next":"in"}');
  return browser;
}

/** A provider that signs in whoever comes as Ann. */
function providerAt(issuer: string) {
  const provider = new Provider(issuer, {
    clients: [{ client_id: "takt", client_secret: "between Takt and the provider", redirect_uris: [`${origin}/api/auth/callback/oidc`] }],
    claims: { openid: ["sub"], profile: ["name"], email: ["email", "email_verified"] },
    findAccount: (_ctx, id) => ({ accountId: id, claims: async () => ({ sub: id, name: "Pat", email: "pat@example.com", email_verified: true }) }),
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    cookies: { keys: ["of the test"] },
    ttl: { Session: 600, Interaction: 600, Grant: 600, AccessToken: 600, IdToken: 600 },
  });
  return async (...[request, response]: Parameters<ReturnType<Provider["callback"]>>) => {
    if (!request.url?.startsWith("/interaction/")) return provider.callback()(request, response);
    const grant = new provider.Grant({ accountId: "ann", clientId: "takt" });
    grant.addOIDCScope("openid profile email");
    return provider.interactionFinished(request, response, { login: { accountId: "ann" }, consent: { grantId: await grant.save() } });
  };
}

/** Through the provider's pages and back: the address at which the browser comes back to Takt. */
async function throughProvider(from: string): Promise<string> {
  const cookies = new Map<string, string>();
  for (let url = from; ; ) {
    const answer = await fetch(url, { redirect: "manual", headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") } });
    for (const set of answer.headers.getSetCookie()) cookies.set(set.split("=")[0] ?? "", set.split(";")[0]?.split("=").slice(1).join("=") ?? "");
    url = new URL(answer.headers.get("location") ?? "", url).href;
    if (url.startsWith(origin)) return url.slice(origin.length);
  }
}

const carried = {
  "strict-transport-security": /^max-age=63072000$/,
  "content-security-policy": /frame-ancestors 'none'/,
  "x-content-type-options": /^nosniff$/,
  "x-frame-options": /^DENY$/,
  "referrer-policy": /^(same-origin|no-referrer)$/,
  "cross-origin-opener-policy": /^same-origin$/,
  "cross-origin-resource-policy": /^same-origin$/,
  "permissions-policy": /camera=\(\)/,
  "cache-control": /no-store|must-revalidate|max-age/,
};

describe("every answer", () => {
  it("carries the headers that browsers go by, whatever it is", async () => {
    const file = /\/_next\/static\/[^"]+\.js/.exec((await ann.get("/")).text)?.[0] ?? "";
    const seen = new Map<string, number>();
    const look = async (name: string, path: string, asked: Parameters<typeof ask>[2] = {}) => {
      const { status, headers, text } = await ann.ask(path, asked);
      seen.set(name, status);
      for (const [header, value] of Object.entries(carried)) expect(headers[header], `${header} of ${name}`).toMatch(value);
      expect(headers["x-powered-by"], name).toBeUndefined();
      expect(headers["access-control-allow-origin"], name).toBeUndefined();
      if (text !== "")
        expect(headers["content-type"], `content-type of ${name}`).toMatch(
          /^(application\/(json|javascript|manifest\+json)|text\/(html|plain|x-component)|image\/)/,
        );
    };
    await look("a page", "/");
    await look("a page's data", "/", { headers: { rsc: "1" } });
    await look("a page for nobody", "/people", { headers: { cookie: "" } });
    await look("no page", "/nowhere");
    await look("no board", "/board/a/b/c");
    await look("a file", file);
    await look("no file", "/_next/static/chunks/nowhere.js");
    await look("the icon", "/icon.svg");
    await look("the manifest", "/manifest.webmanifest");
    await look("a procedure", "/api/trpc/boards.lines");
    await look("no procedure", "/api/trpc/no.such");
    await look("a program", "/api/v1/lines", { headers: { cookie: "" } });
    await look("the document", "/api/v1/openapi.json");
    await look("health", "/api/health", { headers: { host: "10.0.0.7" } });
    await look("a forged display", `/display/${"x".repeat(43)}.${"x".repeat(22)}`);
    await look("a provider's refusal", "/api/auth/callback/oidc?error=access_denied&state=x");
    await look("no address", "/%E0%A4%A");
    await look("an address with a zero in it", "/board/%00/b/c");
    await look("another verb", "/", { method: "DELETE" });
    await look("another host", "/", { headers: { host: "evil.example" } });
    await look("only the head", "/", { method: "HEAD" });
    expect(Object.fromEntries(seen)).toMatchObject({
      "a page": 200,
      "a page for nobody": 307,
      "no page": 404,
      "a file": 200,
      "a procedure": 200,
      "a program": 401,
      health: 200,
      "a forged display": 303,
      "no address": 400,
      "an address with a zero in it": 400,
      "another verb": 405,
      "another host": 421,
    });
  });

  it("that is a page has a policy of its own, with a new nonce each time and no inline script", async () => {
    const policies = await Promise.all([1, 2].map(async () => String((await ann.get("/")).headers["content-security-policy"])));
    for (const policy of policies) {
      expect(policy).toMatch(/script-src 'self' 'nonce-[A-Za-z0-9+/=]{20,}' 'strict-dynamic';/);
      expect(policy.match(/script-src[^;]*/)?.[0]).not.toMatch(/unsafe|http/);
      expect(policy).toMatch(/object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'/);
    }
    expect(policies[0]).not.toBe(policies[1]);
  });

  it("that is a file is one of the app's own", async () => {
    const hidden = [
      "/.git/HEAD",
      "/.env",
      "/package.json",
      "/server.js",
      "/messages/en.json",
      "/prisma/migrations",
      "/_next/server/app",
      "/_next/static/..%2f..%2fpackage.json",
    ];
    for (const path of [...hidden, "/icons/..%2f..%2fserver.js", "/../../etc/passwd"]) expect((await ann.get(path)).status, path).toBe(404);
  });

  it("leads to no other site, whatever address it is asked for", async () => {
    for (const path of [
      "//evil.example",
      "//evil.example/%2e%2e",
      "/\\evil.example",
      "/sign-in?next=//evil.example",
      "/sign-in?next=https://evil.example",
      "/%5Cevil.example",
    ]) {
      const { headers } = await ann.ask(path);
      const to = headers.location === undefined ? origin : new URL(headers.location, `${origin}/`).origin;
      expect(to, path).toBe(origin);
    }
  });
});

describe("cookies", () => {
  /** Preferences that hold no secret; the pages' own program sets them, too. */
  const preferences = ["takt-locale"];

  it("of every way of signing in are for this host by TLS alone, out of the reach of scripts and of other sites", async () => {
    const browsers: Visitor[] = [];
    const door = () => browsers[browsers.push(visitor()) - 1] ?? visitor();

    const second = await aSignIn({ name: "Sue", username: "sue", password });
    await hold(second, "supervisor", world.own.siteId);
    await db.rows("update person set locale = 'de' where id = $1", [second]);
    const sue = door();
    await sue.signIn("sue", password);
    const { totpURI, backupCodes } = JSON.parse((await sue.post("/api/auth/two-factor/enable", { password })).text);
    expect((await sue.post("/api/auth/two-factor/verify-totp", { code: codeOf(totpURI) })).status).toBe(200);
    const withCode = door();
    expect((await withCode.signIn("sue", password)).text).toBe('{"next":"code"}');
    expect((await withCode.post("/api/auth/two-factor/verify-totp", { code: codeOf(totpURI, 1) })).text).toBe('{"next":"in"}');
    const withBackup = door();
    await withBackup.signIn("sue", password);
    expect((await withBackup.post("/api/auth/two-factor/verify-backup-code", { code: backupCodes[0] })).text).toBe('{"next":"in"}');
    expect((await sue.post("/api/auth/two-factor/disable", { password })).status).toBe(200);

    const floor = await aSignIn({ name: "Ole", username: "ole", pin });
    await hold(floor, "operator", world.own.siteId);
    const tablet = door();
    await tablet.signIn("sue", password);
    const terminal = { siteId: world.own.siteId, name: "Press", lineIds: [], autoLockS: 60 };
    expect((await tablet.post("/api/auth/terminal/register", terminal)).text).toBe('{"isRegistered":true}');
    expect((await tablet.post("/api/auth/terminal/unlock", { personId: floor, pin })).text).toBe('{"next":"in"}');
    expect((await tablet.post("/api/auth/sign-out", {})).status).toBe(200);

    const invited = door();
    const made = JSON.parse((await ann.post("/api/trpc/people.giveLink", { json: { id: second, byMail: false } })).text);
    const secret = /[A-Za-z0-9_-]{43}/.exec(JSON.stringify(made))?.[0];
    expect((await invited.post("/api/auth/link/redeem", { secret, password: "other words in a row" })).text).toContain('"isSignedIn":true');

    await hold(await aSignIn({ name: "Pat", email: "pat@example.com" }), "viewer", world.own.siteId);
    const byProvider = door();
    const social = JSON.parse((await byProvider.post("/api/auth/sign-in/social", { provider: "oidc", callbackURL: "/start" })).text);
    const back = await byProvider.ask(await throughProvider(social.url));
    expect([back.status, back.headers.location]).toEqual([302, "/start"]);

    const wall = door();
    const display = JSON.parse(
      (
        await ann.post("/api/trpc/displays.create", {
          json: {
            siteId: world.own.siteId,
            name: "Wall",
            theme: "dark",
            locale: null,
            raiseAfterS: null,
            raiseForS: null,
            boards: [{ lineId: world.own.lineId, shownS: 30 }],
            expiresInDays: null,
          },
        })
      ).text,
    );
    expect((await wall.get(`/display/${display.result.data.json.token}`)).headers.location).toBe("/display");
    const beat = { json: { screenId: "s", width: 1920, height: 1080, pixelRatio: 1, page: "", build: "x" } };
    expect((await wall.post("/display/api/displays.beat", beat)).status).toBe(200);

    const sent = [...browsers, ann].flatMap((browser) => browser.sent);
    const paths = new Set(sent.map(({ path }) => path.replace(/^\/display\/(?!api).*/, "/display/link")));
    expect([...paths].sort()).toEqual([
      "/api/auth/callback/oidc",
      "/api/auth/link/redeem",
      "/api/auth/sign-in/social",
      "/api/auth/sign-in/username",
      "/api/auth/sign-out",
      "/api/auth/terminal/register",
      "/api/auth/terminal/unlock",
      "/api/auth/two-factor/disable",
      "/api/auth/two-factor/verify-backup-code",
      "/api/auth/two-factor/verify-totp",
      "/display/api/displays.beat",
      "/display/link",
    ]);
    for (const { path, cookie } of sent) {
      const [pair = "", ...attributes] = cookie.split(/; */);
      const name = pair.split("=")[0] ?? "";
      const has = attributes.map((attribute) => attribute.toLowerCase());
      const about = `${name} of ${path}: ${attributes.join("; ")}`;
      expect(has, about).toContain("secure");
      expect(
        has.find((attribute) => attribute.startsWith("samesite=")),
        about,
      ).toMatch(/=(lax|strict)$/);
      expect(
        has.find((attribute) => attribute.startsWith("domain")),
        about,
      ).toBeUndefined();
      if (preferences.includes(name)) continue;
      expect(has, about).toContain("httponly");
      expect(name, about).toMatch(/^__(Secure|Host)-/);
    }
  });
});

describe("requests that other sites send by a visitor's browser", () => {
  const forged: Record<string, Record<string, string>> = {
    "a script": { "content-type": "application/json", origin: "https://evil.example", "sec-fetch-site": "cross-site" },
    "a script of an old browser": { "content-type": "application/json", origin: "https://evil.example" },
    "a neighbour's page": { "content-type": "application/json", origin: "https://other.takt.example", "sec-fetch-site": "same-site" },
    "a sandboxed frame": { "content-type": "application/json", origin: "null" },
    "a form": { "content-type": "application/x-www-form-urlencoded" },
    "a form with files": { "content-type": "multipart/form-data; boundary=x" },
    "a form of text": { "content-type": "text/plain" },
    "a beacon of another name": { "content-type": "application/json", origin: "https://evil.example", "x-forwarded-host": "evil.example" },
  };

  async function mutations(): Promise<string[]> {
    const { appRouter } = await import("#/server/router.ts");
    const procedures = Object.entries(appRouter._def.procedures as unknown as Record<string, { _def: { type: string } }>);
    return procedures.filter(([, { _def }]) => _def.type === "mutation").map(([path]) => path);
  }

  it("change nothing, in no way that there is", async () => {
    const procedures = await mutations();
    expect(procedures.length).toBeGreaterThan(30);
    const ways = [
      ...procedures.flatMap((path) => [`/api/trpc/${path}`, `/display/api/${path}`]),
      ...Object.keys(identityDoors).flatMap((door) => (door.startsWith("POST ") ? [`/api/auth${door.slice(5)}`] : [])),
    ];
    // Procedures and ways to sign in are walked one by one; everything else that takes something, by its address.
    const others = Object.keys(handlerDoors).filter((door) => door.startsWith("POST ") && !/trpc|auth/.test(door));
    expect(others).toEqual(["POST /api/plant/import/[sheet]"]);
    ways.push("/api/plant/import/machines?apply=yes");
    const before = await fingerprint(db);
    for (const [kind, headers] of Object.entries(forged)) {
      for (const path of ways) {
        const { status } = await ann.ask(path, { method: "POST", headers, body: "{}" });
        expect(status, `${path} by ${kind}`).toBe(403);
      }
    }
    for (const path of procedures) {
      const { status } = await ann.ask(`/api/trpc/${path}?input=${encodeURIComponent('{"json":{}}')}`, { headers: { "sec-fetch-site": "cross-site" } });
      expect(status, `${path} by a link`).toBe(405);
    }
    expect(await fingerprint(db)).toBe(before);
    // The same by a page of Takt's own is heard: refused for what it says, not for where it comes from.
    expect((await ann.post("/api/trpc/displays.create", { json: {} })).status).toBe(400);
    expect((await ann.get("/")).status).toBe(200);
  });

  it("sign nobody out by a link to it", async () => {
    const answer = await ann.ask("/sign-out", { headers: { "sec-fetch-site": "cross-site", "sec-fetch-dest": "document" } });
    expect([answer.status, answer.headers["set-cookie"]]).toEqual([200, undefined]);
    expect((await ann.get("/people")).status).toBe(200);
  });
});

describe("how much", () => {
  it("a body may hold is said in words, with its length said or not", async () => {
    const long = JSON.stringify({ login: "ann", password: "x".repeat(20_000) });
    const { status, text } = await visitor().post("/api/auth/sign-in/username", long);
    expect([status, JSON.parse(text).message]).toEqual([413, "This is longer than the 16 kB that are taken here."]);
    const headers = { "content-type": "application/json", host };
    const chunked = (path: string, body: string[]) => ask(web.port, path, { method: "POST", headers, body });
    expect((await chunked("/api/auth/sign-in/username", [long])).status).toBe(413);
    const huge = await chunked("/api/trpc/plant.put", Array(60).fill("x".repeat(100_000)));
    expect([huge.status, JSON.parse(huge.text).error.json.message]).toEqual([413, "This is longer than the 4 MB that are taken here."]);
    expect((await chunked("/api/v1/lines", ["x"])).status).toBe(405);
    const inPieces = await chunked("/api/auth/sign-in/username", ['{"login":"ann",', `"password":"${password}"}`]);
    expect([inPieces.status, inPieces.text]).toEqual([200, '{"next":"in"}']);
  });

  it("a program may ask is bounded: 429, and when to come back", async () => {
    const headers = { host, authorization: "Bearer takt_nothing" };
    const answers = [];
    for (let n = 0; n <= rates.token.burst * 2 && answers.at(-1)?.status !== 429; n += 1) answers.push(await ask(web.port, "/api/v1/lines", { headers }));
    const last = answers.at(-1);
    expect(last?.status).toBe(429);
    expect(last?.text).toContain(`Try again in ${last?.headers["retry-after"]} s.`);
    expect((await ann.get("/")).status).toBe(200);
  });
});

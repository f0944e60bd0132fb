// What leaves Takt when things break, and what stands in its logs: marked secrets in every place, sign-ins with them, faults of every kind, addresses that hold them.
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SMTPServer } from "smtp-server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildWeb } from "#/scripts/build.ts";
import { migrate } from "#/scripts/migrate.ts";
import { pageDoors } from "#/server/domain/doors.ts";
import type { Actor } from "#/server/domain/permission.ts";
import { aSignIn } from "#/server/identity/testing-browser.ts";
import { codeOf } from "#/server/identity/testing-totp.ts";
import { type Example, type Examples, examples } from "#/server/permissions/examples.ts";
import { aWorld, type World } from "#/server/permissions/world.ts";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";
import type { Answer } from "./testing.ts";
import { freePort, type Program, start, startWeb, until, Visitor, type Web } from "./testing-web.ts";

const origin = "http://takt.example";
/** By what each is; no word of any language holds one. */
const secrets = new Map<string, string>();
const secret = (what: string, value = `qz${what.replace(/\W/g, "")}zq${crypto.randomUUID().replaceAll("-", "")}`): string => {
  secrets.set(what, value);
  return value;
};

const folder = mkdtempSync(join(tmpdir(), "takt-secrets-"));
const inFile = (what: string, value: string): string => {
  const file = join(folder, what);
  writeFileSync(file, `${value}\n`, { mode: 0o600 });
  return file;
};
const mails: string[] = [];
const sink = new SMTPServer({
  authOptional: true,
  disabledCommands: ["STARTTLS"],
  allowInsecureAuth: true,
  onAuth: (_given, _session, done) => done(null, { user: "takt" }),
  onData(stream, _session, done) {
    let text = "";
    stream.on("data", (part) => (text += part));
    stream.on("end", () => {
      mails.push(text);
      done();
    });
  },
});

let db: TestDatabase;
let world: World;
let web: Web;
let ann: Visitor;
/** The other programs. */
const others: Program[] = [];
const log = () => web.out();

beforeAll(async () => {
  await buildWeb({ always: false });
  db = await aDatabase();
  await migrate(db.ownerUrl, { application: db.url, log: () => undefined }); // with the queue of the jobs
  sink.listen(0, "127.0.0.1");
  await once(sink.server, "listening");
  const authSecret = secret("auth secret");
  secret("database password", decodeURIComponent(new URL(db.url).password));
  Object.assign(process.env, { DATABASE_URL: db.url, AUTH_SECRET: authSecret, LOG_LEVEL: "silent" });
  world = await aWorld(db);
  web = await startWeb({
    DATABASE_URL_FILE: inFile("database", db.url),
    AUTH_SECRET_FILE: inFile("auth", authSecret),
    SMTP_URL: `smtp://takt:${secret("smtp password")}@127.0.0.1:${(sink.server.address() as AddressInfo).port}`,
    OIDC_ISSUER: "http://127.0.0.1:1",
    OIDC_CLIENT_ID: "takt",
    OIDC_CLIENT_SECRET_FILE: inFile("oidc", secret("client secret")),
    PUBLIC_URL: origin,
    LOG_LEVEL: "trace",
  });
  const id = await aSignIn({ name: "Ann", username: "ann", email: "ann@example.com", password: secret("password"), pin: secret("pin", "73919264") });
  await db.rows("insert into membership (person_id, role) values ($1, 'administrator')", [id]);
}, 600_000);
afterAll(async () => {
  await Promise.all([web, ...others].map((program) => program?.stop("SIGKILL")));
  await new Promise<void>((done) => sink.close(done));
  rmSync(folder, { recursive: true, force: true });
  await db?.drop();
});

const given = (what: string): string => secrets.get(what) ?? "";
const json = (answer: Answer) => JSON.parse(answer.text);

/** Signs in and takes what is secret from there: cookies, codes, links, tokens. */
async function everySignIn(): Promise<void> {
  ann = new Visitor(web.port, origin);
  expect((await ann.signIn("ann", given("password"))).status).toBe(200);
  await new Visitor(web.port, origin).signIn("ann", secret("wrong password"));
  await new Visitor(web.port, origin).signIn(secret("password in place of the name"), "x");
  const { totpURI, backupCodes } = json(await ann.post("/api/auth/two-factor/enable", { password: given("password") }));
  secret("totp secret", new URL(totpURI).searchParams.get("secret") ?? "");
  for (const [n, code] of backupCodes.entries()) secret(`backup code ${n}`, code);
  expect((await ann.post("/api/auth/two-factor/verify-totp", { code: codeOf(totpURI) })).status).toBe(200);
  expect((await ann.post("/api/auth/two-factor/disable", { password: given("password") })).status).toBe(200);
  for (const [name, cookie] of ann.cookies) {
    const [value = ""] = decodeURIComponent(cookie).split(".");
    if (value.length > 20) secret(`cookie ${name}`, value);
  }

  await new Visitor(web.port, origin).post("/api/auth/link/request", { login: "ann" });
  await until(() => mails.length > 0);
  secret(
    "link of a mail",
    /#([A-Za-z0-9_-]{43})/.exec(
      mails
        .join("")
        .replace(/=\r?\n/g, "")
        .replaceAll("=3D", "="),
    )?.[1],
  );
  await new Visitor(web.port, origin).post("/api/auth/link/redeem", { secret: given("link of a mail"), password: given("password").toUpperCase() });
  secret("new password", given("password").toUpperCase());
  await ann.signIn("ann", given("new password"));

  const settings = { name: "Wall", theme: "dark", locale: null, raiseAfterS: null, raiseForS: null, boards: [{ lineId: world.own.lineId, shownS: 30 }] };
  const wall = json(await ann.post("/api/trpc/displays.create", { json: { siteId: world.own.siteId, ...settings, expiresInDays: null } }));
  secret("display link", wall.result.data.json.token);
  const token = json(await ann.post("/api/trpc/tokens.create", { json: { name: "ERP", sites: [world.own.siteId], actions: ["board.read"], days: 30 } }));
  secret("token", token.result.data.json.token);
}

type Call = { what: string; ask: () => Promise<Answer> };

/** One call of each procedure, with what it takes. */
async function procedureCalls(): Promise<Call[]> {
  const { appRouter } = await import("#/server/router.ts");
  const procedures = appRouter._def.procedures as unknown as Record<string, { _def: { type: string } }>;
  const actor: Actor = { kind: "person", id: world.own.personId, name: "Ann", grants: [], sessionId: "", terminalId: null };
  const calls: Call[] = [];
  for (const [path, of] of Object.entries(examples as Record<string, Examples>)) {
    const [example] = "about" in of ? [of as Example] : Object.values(of);
    const input = JSON.stringify({ json: await example?.ask(world.own, world, { name: "Ann", actor }) });
    const url = `/api/trpc/${path}`;
    const isMutation = procedures[path]?._def.type === "mutation";
    if (/sign|password|Pin|endOther|disable/i.test(path) && isMutation) continue; // of Ann's own sign-in, which is to last
    calls.push({
      what: path,
      ask: isMutation ? () => ann.post(url, input) : () => ann.ask(`${url}?input=${encodeURIComponent(input)}`, { patienceMs: 500 }),
    });
  }
  return calls;
}

/** Pages, ways to sign in, programs, displays. */
function otherCalls(): Call[] {
  const visit = () => new Visitor(web.port, origin);
  const pages = Object.keys(pageDoors).map((path) => path.replace(/\[\.\.\.\w+\]|\[\w+\]/g, "x"));
  const bearer = { authorization: `Bearer ${given("token")}` };
  const post = (path: string, body: unknown): Call => ({ what: path, ask: () => visit().post(path, body) });
  const get = (path: string, headers: Record<string, string> = {}): Call => ({
    what: path.split("?")[0] ?? "",
    ask: () => visit().ask(path, { headers, patienceMs: 1_000 }),
  });
  return [
    ...pages.flatMap((path) => [
      { what: path, ask: () => ann.get(path) },
      { what: `data of ${path}`, ask: () => ann.ask(path, { headers: { rsc: "1" } }) },
    ]),
    { what: "a page's data, with a header that is none", ask: () => ann.ask("/", { headers: { rsc: "1", "next-router-state-tree": given("password") } }) },
    post("/api/auth/sign-in/username", { login: "ann", password: given("new password") }),
    post("/api/auth/sign-in/username", `{"login":"ann","password":"${given("password")}`),
    post("/api/auth/link/read", { secret: given("link of a mail") }),
    post("/api/auth/link/request", { login: "ann@example.com" }),
    post("/api/auth/terminal/unlock", { personId: world.own.personId, pin: given("pin") }),
    post("/api/auth/sign-in/social", { provider: "oidc", callbackURL: `/${given("password")}` }),
    post(`/api/trpc/${given("token")}`, `{"json":"${given("password")}"`),
    post("/api/trpc/boards.line", `{"json":{"site":"${given("password")}\u0000"}}`),
    get(`/api/trpc/boards.line?input=${encodeURIComponent(JSON.stringify({ json: { site: given("password"), area: "\u0000", line: "'" } }))}`, bearer),
    get(`/api/auth/callback/oidc?code=${given("password")}&state=${given("token")}`),
    get("/api/v1/lines", bearer),
    get("/api/v1/sources", { authorization: `Basic ${given("password")}` }),
    get(`/api/v1/board/${given("password")}/%00/'`, bearer),
    get(`/display/${given("display link")}`),
    get("/display", { cookie: `takt-display=${given("display link")}` }),
    get("/display/api/displays.own", { cookie: `takt-display=${given("display link")}` }),
    get("/api/health"),
  ];
}

/** Addresses and headers with each secret in them, as a mistaken link or a curious person makes them. */
function badAddresses(): Call[] {
  const get = (path: string, headers: Record<string, string> = {}): Call => ({
    what: path.split("?")[0] ?? "",
    ask: () => new Visitor(web.port, origin).ask(path, { headers }),
  });
  // Of the ten recovery codes the first.
  return [...secrets].flatMap(([what, one]) =>
    /^backup code [1-9]/.test(what)
      ? []
      : [
          get(`/api/v1/${one}?token=${one}`),
          get(`/display/${one}?x=${one}`),
          get(`/${one}/%E0%A4%A?token=${one}`),
          get(`/_next/image?url=${one}&w=1&q=1`),
          get(`/_next/static/${one}?${one}`),
          get(`/sign-in?next=/${one}`, { cookie: `takt.session_token=${one}.x; takt-locale=${one}`, host: "takt.example" }),
          get(`/?${one}`, { host: `${one.slice(0, 30)}.example`, "user-agent": one }),
        ],
  );
}

/** What must not be in an answer: a stack, a statement, the database's own words, a folder of the server. */
const leaks = [
  /\n\s+at .*[(/]/,
  /node_modules|\.next\/(server|standalone)|\bnode:internal|\.(ts|js):\d+:\d+/,
  /relation "|column "|permission denied for|does not exist|violates|syntax error|invalid (input|byte)|current transaction|not currently accepting|terminating connection/i,
  /-- [a-z]\w+\.[a-z]\w+/,
  /\b(select|insert into|update|delete from) [\w"., ()*]+ (from|values|set|where) /,
];

let seen = { answers: 0, faults: 0 };
/** Asks all of it, and looks at each answer. */
async function lookAtAll(calls: readonly Call[]): Promise<Map<number, number>> {
  const byStatus = new Map<number, number>();
  for (const { what, ask } of calls) {
    const { status, text } = await ask();
    seen = { answers: seen.answers + 1, faults: seen.faults + (status >= 500 ? 1 : 0) };
    byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
    for (const leak of leaks) expect(text.match(leak)?.[0], `${what}: ${status} ${text.slice(0, 500)}`).toBeUndefined();
    const ids = [...text.matchAll(/"(?:errorId|id|digest)\\?":\\?"([0-9a-f]{8}|\d{5,12})\\?"/g)].map(([, id]) => id ?? "");
    if (status >= 500 && what.startsWith("/api/") && what !== "/api/health")
      expect(ids.length, `${what} names its fault: ${text.slice(0, 300)}`).toBeGreaterThan(0);
    for (const id of ids) await until(() => log().includes(`"errorId":"${id}"`));
  }
  return byStatus;
}

describe("while things break", { timeout: 300_000 }, () => {
  let calls: Call[] = [];

  it("all is well: no answer says how Takt is made", async () => {
    await everySignIn();
    const procedures = await procedureCalls();
    await lookAtAll([...otherCalls(), ...procedures, ...badAddresses()]);
    // Made anew: the first ones were done.
    calls = [...(await procedureCalls()), ...otherCalls()];
  });

  it("the other programs do their work, or fail at it", async () => {
    const smtp = `smtp://takt:${given("smtp password")}@127.0.0.1:1`;
    const [mqttPassword, wrong] = [secret("mqtt password"), secret("wrong database password")];
    const wrongUrl = Object.assign(new URL(db.url), { password: wrong }).href;
    const level = { LOG_LEVEL: "trace", INGEST_HTTP_PORT: "0", JOBS_HTTP_PORT: "0" };
    const worker = { ...level, INGEST_NAME: "secrets", INGEST_TOPICS: `takt/v1/${world.own.site}/#`, SPARKPLUG_GROUPS: "none", MQTT_USERNAME: "takt" };
    const heads = { AUDIT_HEAD_MAIL: "heads@example.com", SMTP_URL: smtp, AUDIT_HEAD_TOPIC: "audit/heads", MQTT_USERNAME: "takt" };
    const jobs = { ...level, ...heads, MQTT_URL: "mqtt://127.0.0.1:1", MQTT_PASSWORD_FILE: inFile("mqtt", mqttPassword) };
    const [workerMain, jobsMain] = [["ingest-worker/main.ts"], ["server/jobs/main.ts"]];
    const webMain = async () => ["scripts/start.ts", "--port", String(await freePort())];
    const running = [
      {
        program: start(workerMain, {
          ...worker,
          DATABASE_URL_FILE: join(folder, "database"),
          MQTT_URL: process.env.MQTT_URL ?? "",
          MQTT_PASSWORD: mqttPassword,
        }),
        until: /connected to mqtt/,
      },
      {
        program: start(workerMain, { ...worker, INGEST_NAME: "lost", DATABASE_URL: wrongUrl, MQTT_URL: `mqtt://takt:${mqttPassword}@127.0.0.1:1` }),
        until: /refuses the sign-in/,
      },
      { program: start(jobsMain, { ...jobs, DATABASE_URL: db.url }), until: /heads of the audit trail could not be published/ },
      { program: start(jobsMain, { ...jobs, DATABASE_URL: wrongUrl }), until: /refuses the sign-in/ },
      {
        program: start(await webMain(), { DATABASE_URL: wrongUrl, AUTH_SECRET: given("auth secret"), LOG_LEVEL: "trace" }),
        until: /password authentication failed/,
      },
      { program: start(await webMain(), { DATABASE_URL: `mysql://takt:${wrong}@db`, AUTH_SECRET: given("auth secret") }), until: /DATABASE_URL must begin/ },
      {
        program: start(await webMain(), { DATABASE_URL: db.url, AUTH_SECRET: given("auth secret").slice(0, 30), SMTP_URL: `mailto:${given("smtp password")}` }),
        until: /AUTH_SECRET must have/,
      },
      { program: start(jobsMain, { ...jobs, DATABASE_URL: db.url, SMTP_URL: `mailto:${given("smtp password")}` }), until: /SMTP_URL must begin/ },
      { program: start(workerMain, { ...worker, DATABASE_URL: db.url, MQTT_URL: `http://takt:${mqttPassword}@broker` }), until: /MQTT_URL must be/ },
    ];
    others.push(...running.map(({ program }) => program));
    await Promise.all(running.map(({ program, until: said }) => program.says(said)));
    await Promise.all(others.map((program) => program.stop("SIGKILL")));
  });

  it("the plant's tables are gone: words and a number of the log's, no statement, no stack", async () => {
    await db.asOwner.rows(
      `do $$ declare t text; begin
         for t in select tablename from pg_tables where schemaname = 'public'
           and tablename not in ('person', 'session', 'account', 'membership', 'membership_line', 'two_factor', 'verification', 'known_device', 'sign_in_try', 'schema_migration', 'site')
         loop execute format('alter table %I rename to %I', t, t || '_gone'); end loop;
       end $$`,
    );
    const byStatus = await lookAtAll(calls);
    expect(byStatus.get(500)).toBeGreaterThan(30);
  });

  it("who is who cannot be found out: the same", async () => {
    for (const table of ["session", "person", "sign_in_try", "account"]) await db.asOwner.rows(`alter table ${table} rename to ${table}_gone`);
    const byStatus = await lookAtAll(calls);
    expect(byStatus.get(500)).toBeGreaterThan(50);
  });

  it("the database is away: the same", async () => {
    await db.asAdmin.rows("update pg_database set datallowconn = false where datname = current_database()");
    await db.asAdmin.rows("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()");
    await lookAtAll([...calls, ...badAddresses()]);
    expect(seen.faults).toBeGreaterThan(100);
    process.stdout.write(`${seen.answers} answers looked at, ${seen.faults} of them faults.\n`);
  });

  it("and no log has a secret", async () => {
    await web.stop();
    const all = [log(), ...others.map((program) => program.out())].join("\n");
    expect(all.length).toBeGreaterThan(100_000);
    expect(secrets.size).toBeGreaterThan(20);
    const found = [...secrets].flatMap(([what, value]) => {
      expect(value.length, what).toBeGreaterThan(7);
      return [value, Buffer.from(value).toString("base64").replace(/=+$/, "")]
        .filter((text) => all.includes(text))
        .map((text) => {
          const at = all.indexOf(text);
          return `${what}: ${all.slice(Math.max(0, at - 300), at + text.length + 100)}`;
        });
    });
    expect(found).toEqual([]);
  });
});

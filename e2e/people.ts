/** Somebody of each duty, who can sign in: made by setup.ts, used by every spec. */
import { createHash, randomBytes } from "node:crypto";
import { type Browser, type BrowserContext, type BrowserContextOptions, expect, type Page, request } from "@playwright/test";
import { awake } from "./open.ts";

export const password = "a few words in a row";
/** For the operators, on shared terminals. */
export const pin = "4711";
/** What the web app signs with; PINs are keyed with it, too. */
export const authSecret = "a secret of the browser tests, long enough to be one";

/** User name and duty; the names on screen begin with it in capital letters. Sites are those of setup.ts. */
export const people = {
  administrator: "administrator@*",
  plant_manager: "plant_manager@works",
  supervisor: "supervisor@works",
  technician: "technician@works",
  storekeeper: "storekeeper@works",
  quality: "quality@works",
  operator: "operator@works:hall/live",
  executive: "executive@*",
  viewer: "viewer@*",
} as const;
export type Login = keyof typeof people;

export const nameOf = (login: Login): string => `${login.charAt(0).toUpperCase()}${login.slice(1).replace("_", " ")} Example`;

/** What a spec has of the web app under test. */
type Served = { url: string };
/** And of its database. */
type Stored = Served & { rows<R extends object>(sql: string, values?: unknown[]): Promise<R[]> };

type Cookies = Awaited<ReturnType<BrowserContext["cookies"]>>;
const kept = new Map<string, Promise<Cookies>>();

async function cookiesOf({ url }: Served, login: string): Promise<Cookies> {
  const asked = await request.newContext();
  try {
    const answer = await asked.post(`${url}/api/auth/sign-in/username`, { data: { login, password }, headers: { origin: url } });
    expect(answer.status(), await answer.text()).toBe(200);
    return (await asked.storageState()).cookies;
  } finally {
    await asked.dispose();
  }
}

function keptCookiesOf(stage: Served, login: Login): Promise<Cookies> {
  const key = `${stage.url} ${login}`;
  const cookies = kept.get(key) ?? cookiesOf(stage, login);
  kept.set(key, cookies);
  return cookies;
}

/** Signs in a browser without its screens: who that is, is signed in once for a run of the web app. */
export async function signIn(where: BrowserContext | Page, stage: Served, login: Login): Promise<void> {
  const context = "context" in where ? where.context() : where;
  await context.addCookies(await keptCookiesOf(stage, login));
}

/** A browser of its own in which somebody is signed in. The caller closes it. */
export async function signedIn(stage: Served, browser: Browser, login: Login, options: BrowserContextOptions = {}): Promise<BrowserContext> {
  const context = await browser.newContext(options);
  await signIn(context, stage, login);
  return context;
}

/** The same for a program: what it sends as its Cookie header. */
export async function cookieOf(stage: Served, login: Login): Promise<string> {
  return (await keptCookiesOf(stage, login)).map(({ name, value }) => `${name}=${value}`).join("; ");
}

/** Somebody of a test's own, without a password. The id. */
export async function somebody(stage: Stored, login: string, role = "viewer"): Promise<string> {
  const [person] = await stage.rows<{ id: string }>(
    "with p as (insert into person (name, username, email) values ($1, $2, $3) returning id) insert into membership (person_id, role) select id, $4 from p returning person_id as id",
    [`${login} Example`, login, `${login}@example.com`, role],
  );
  return person?.id ?? "";
}

/** An invitation's address, as an administrator hands it on. */
export async function invitation(stage: Stored, personId: string): Promise<string> {
  const secret = randomBytes(32).toString("base64url");
  await stage.rows(
    "insert into one_time_link (purpose, person_id, secret_hash, created_by, expires_at) values ('invitation', $1, $2, 'test', now() + interval '1 day')",
    [personId, createHash("sha256").update(secret).digest()],
  );
  return `${stage.url}/link#${secret}`;
}

/** On the page of signing in. */
export async function fillIn(page: Page, login: string, typed: string) {
  await awake(page);
  await page.getByLabel("E-mail address or user name").fill(login);
  await page.getByLabel("Password", { exact: true }).fill(typed);
  await page.getByRole("button", { name: "Sign in" }).click();
}

// What the pages are measured on: the demo's plant, live, with a history and with people, displays and tokens of a plant of its size; and who looks at them.
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type APIRequestContext, type BrowserContext, request } from "@playwright/test";
import pg from "pg";
import type { Console } from "#/scripts/demo/console.ts";
import { forget, type RunningPlant, startPlant } from "#/scripts/demo/plant.ts";
import { freePort } from "#/scripts/embedded/processes.ts";
import { env } from "#/scripts/env.ts";
import { Trouble } from "#/scripts/trouble.ts";

export type Cookies = Awaited<ReturnType<BrowserContext["cookies"]>>;
/** Whose browser it is: a person's, a wall display's, a shared terminal's, or that of somebody who is not signed in. */
export type Who = "administrator" | "display" | "terminal" | "nobody";

/** Addresses that pages are about. line: the one with the most machines. */
export type Subjects = { line: string; machine: string; pattern: string; personId: string /** Below the web app's address. */; link: string };

export type WebStage = { url: string; cookies: Record<Who, Cookies>; subjects: Subjects; stop(): Promise<void> };

/** A shift's length and a bit: the boards look back as far. */
const history = "12h";
/** Besides those of the demo. */
const [morePeople, displays, tokens] = [60, 4, 6];

export async function openStage(say: (line: string) => void): Promise<WebStage> {
  const folder = join(env.stateDir, "bench", `web-${process.pid}`);
  const dataDir = join(folder, "data");
  mkdirSync(folder, { recursive: true });
  const filled = Promise.withResolvers<void>();
  const console: Console = {
    say: (line) => say(line.trim()),
    step: async (title, work) => {
      say(title);
      return work();
    },
    progress: (_title, share) => {
      if (share === null) filled.resolve(); // in, or ended before that, which has been said
    },
  };
  const plant = startPlant({ dataDir, logDir: join(folder, "logs"), port: await freePort(), web: "built", history, own: true, console });
  const stop = async () => {
    await plant.stop();
    await forget(dataDir);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const running = await plant.ready;
    const { cookies, subjects } = await furnish(running);
    say(`waiting for the history of ${history}`);
    await filled.promise;
    return { url: running.url, cookies, subjects, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Asks as a browser does. */
class Asker {
  private readonly http: APIRequestContext;
  private constructor(http: APIRequestContext) {
    this.http = http;
  }

  static open = async (url: string): Promise<Asker> => new Asker(await request.newContext({ baseURL: url, extraHTTPHeaders: { origin: url } }));

  async post(path: string, data: unknown): Promise<unknown> {
    const answer = await this.http.post(path, { data });
    if (!answer.ok()) throw new Trouble(`${path} answers ${answer.status()}: ${(await answer.text()).slice(0, 500)}`);
    return answer.json();
  }

  /** A change by its procedure; what it answers. */
  async change<T>(procedure: string, json: unknown): Promise<T> {
    const { result } = (await this.post(`/api/trpc/${procedure}`, { json })) as { result: { data: { json: T } } };
    return result.data.json;
  }

  async get(path: string): Promise<void> {
    const answer = await this.http.get(path);
    if (!answer.ok()) throw new Trouble(`${path} answers ${answer.status()}.`);
  }

  cookies = async (): Promise<Cookies> => (await this.http.storageState()).cookies;
  close = (): Promise<void> => this.http.dispose();
}

async function furnish({ url, databaseUrl, people }: RunningPlant): Promise<{ cookies: Record<Who, Cookies>; subjects: Subjects }> {
  const first = people[0];
  if (!first) throw new Trouble("The plant has nobody who can sign in.");
  const askers: Asker[] = [];
  const asker = async (login: string | null): Promise<Asker> => {
    const one = await Asker.open(url);
    askers.push(one);
    if (login !== null) await one.post("/api/auth/sign-in/username", { login, password: first.password });
    return one;
  };
  try {
    const administrator = await asker(first.login);
    const { siteId, lineIds, line, machine, pattern } = await lookUp(databaseUrl);
    const ids: string[] = [];
    for (let n = 1; n <= morePeople; n++) {
      const values = { name: `Person ${n} Example`, email: null, username: `person-${n}`, memberships: [{ role: "operator", siteId, lineIds: [] }] };
      ids.push((await administrator.change<{ id: string }>("people.create", { values })).id);
    }
    const personId = ids[0] ?? "";
    const { url: link } = await administrator.change<{ url: string }>("people.giveLink", { id: personId, byMail: false });
    const settings = { siteId, theme: "dark", locale: null, raiseAfterS: null, raiseForS: null, expiresInDays: null };
    const boards = lineIds.map((lineId) => ({ lineId, shownS: 3_600 })); // one board stays while it is measured
    let displayToken = "";
    for (let n = 1; n <= displays; n++)
      displayToken = (await administrator.change<{ token: string }>("displays.create", { ...settings, name: `Hall ${n}`, boards })).token;
    for (let n = 1; n <= tokens; n++) await administrator.change("tokens.create", { name: `Program ${n}`, sites: "all", actions: ["board.read"], days: 30 });
    const display = await asker(null);
    await display.get(`/display/${displayToken}`);
    const terminal = await asker(first.login); // registering signs this session out
    await terminal.post("/api/auth/terminal/register", { siteId, name: "Hall 1", lineIds: [], autoLockS: 600 });
    const { pathname, hash } = new URL(link);
    return {
      cookies: { administrator: await administrator.cookies(), display: await display.cookies(), terminal: await terminal.cookies(), nobody: [] },
      subjects: { line, machine, pattern, personId, link: pathname + hash },
    };
  } finally {
    await Promise.all(askers.map((one) => one.close()));
  }
}

type Found = { siteId: number; lineIds: number[]; line: string; machine: string; pattern: string };

/** The line with the most machines, its first machine, and the site's first shift pattern. The site's lines, that one first. */
async function lookUp(databaseUrl: string): Promise<Found> {
  const db = new pg.Client({ connectionString: databaseUrl, application_name: "takt-bench" });
  await db.connect();
  try {
    const { rows } = await db.query<Found>(
      `-- bench.webSubjects
       with busiest as (
         select l.id, a.site_id, s.key || '/' || a.key || '/' || l.key as address, min(m.key) as machine
         from line l join area a on a.id = l.area_id join site s on s.id = a.site_id join machine m on m.line_id = l.id
         group by l.id, a.site_id, s.key, a.key, l.key order by count(*) desc, l.id limit 1
       )
       select b.site_id::int as "siteId", b.address as line, b.address || '/' || b.machine as machine,
         (select array_agg(l.id::int order by l.id <> b.id, l.id) from line l join area a on a.id = l.area_id where a.site_id = b.site_id) as "lineIds",
         (select s.key || '/' || p.key from shift_pattern p join site s on s.id = p.site_id where s.id = b.site_id order by p.id limit 1) as pattern
       from busiest b`,
    );
    const [found] = rows;
    if (!found) throw new Trouble("The plant has no machines.");
    return found;
  } finally {
    await db.end();
  }
}

// All pages and route handlers over HTTP, with real cookies, for all roles, at their own site and at another: against docs/permissions.md, which is held to the map.
import { createHmac, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "@playwright/test";
import { authSecret } from "./people.ts";
import { Stage } from "./stage.ts";

const root = resolve(import.meta.dirname, "..");
const roles = ["operator", "supervisor", "technician", "storekeeper", "quality", "plant_manager", "executive", "administrator", "viewer"] as const;
type Role = (typeof roles)[number];
/** No word of any language holds these: what shows them shows a row of that site. */
const marks = { own: "qxaaxq", other: "qxbbxq" } as const;

// ---- the map, as the document says it

const documented = readFileSync(join(root, "docs/permissions.md"), "utf8");
/** Cells of the rows of the table whose head begins so. */
function rowsOf(head: string): string[][] {
  const lines = documented.slice(documented.indexOf(`| ${head} |`)).split("\n");
  const end = lines.findIndex((line) => !line.startsWith("|"));
  return lines.slice(2, end).map((line) => line.slice(2, -2).split(" | "));
}
const plain = (cell: string | undefined) => (cell ?? "").replaceAll("`", "");
const duties = new Map(
  rowsOf("What").map((cells) => [plain(cells[1]), { isSelf: cells[2] === "oneself", roles: roles.filter((_, n) => cells[3 + n]?.trim() === "yes") }]),
);
/** The action; null: open to everybody, or each question asks for itself. */
const doors = (head: string) => rowsOf(head).map(([what, door]) => ({ path: plain(what), action: door?.startsWith("`") ? plain(door) : null }));

// ---- who asks

type Who = { name: string; roles: readonly Role[]; cookie: string };
let stage: Stage;
const site = { own: 0, other: 0 };
const line = { own: 0, other: 0 };
const person = { own: "", other: "" };
let everybody: Who[] = [];

const idOf = async (sql: string, ...parameters: unknown[]): Promise<number> => (await stage.rows<{ id: number }>(sql, parameters))[0]?.id ?? 0;

/** Somebody with these roles, signed in. */
async function somebody(name: string, held: { role: Role; siteId: number | null; lineId?: number }[]): Promise<{ id: string; cookie: string }> {
  const [row] = await stage.rows<{ id: string }>("insert into person (name, email) values ($1, $2) returning id", [
    name,
    `${randomBytes(6).toString("hex")}@example.com`,
  ]);
  const id = row?.id ?? "";
  await stage.rows("insert into account (person_id, provider_id, account_id, password) values ($1::uuid, 'credential', $1::text, 'none')", [id]);
  for (const { role, siteId, lineId } of held) {
    const membership = await idOf("insert into membership (person_id, role, site_id) values ($1, $2, $3) returning id", id, role, siteId);
    if (lineId !== undefined) await stage.rows("insert into membership_line values ($1, $2)", [membership, lineId]);
  }
  const token = randomBytes(24).toString("base64url");
  await stage.rows("insert into session (token, person_id, expires_at) values ($1, $2, now() + interval '1 hour')", [token, id]);
  const signature = createHmac("sha256", authSecret).update(token).digest("base64");
  return { id, cookie: `takt.session_token=${encodeURIComponent(`${token}.${signature}`)}` };
}

async function aLine(siteId: number, mark: string): Promise<number> {
  const area = await idOf("insert into area (site_id, key, name) values ($1, 'walked', $2) returning id", siteId, `${mark} area`);
  const made = await idOf("insert into line (area_id, key, name) values ($1, 'walked', $2) returning id", area, `${mark} line`);
  await stage.rows("insert into machine (line_id, key, name) values ($1, 'walked', $2)", [made, `${mark} machine`]);
  return made;
}

test.beforeAll(async () => {
  stage = await Stage.open({ worker: false });
  site.own = await idOf("select id from site where key = 'works'");
  site.other = await idOf(
    "insert into site (enterprise_id, key, name, zone) select enterprise_id, 'elsewhere', $1, zone from site where key = 'works' returning id",
    `${marks.other} site`,
  );
  for (const which of ["own", "other"] as const) {
    line[which] = await aLine(site[which], marks[which]);
    person[which] = (await somebody(`${marks[which]} colleague`, [{ role: "viewer", siteId: site[which] }])).id;
  }
  const at = async (name: string, ...held: { role: Role; siteId: number | null; lineId?: number }[]): Promise<Who> => ({
    name,
    roles: held.map(({ role }) => role),
    cookie: (await somebody("walker", held)).cookie,
  });
  everybody = [];
  for (const role of roles) everybody.push(await at(role, { role, siteId: site.own }));
  everybody.push(await at("operator of a line", { role: "operator", siteId: site.own, lineId: line.own }));
  everybody.push(await at("two roles", { role: "technician", siteId: site.own }, { role: "quality", siteId: site.own }));
  everybody.push(await at("no role"));
  everybody.push({ name: "nobody", roles: [], cookie: "" });
  everybody.push({ name: "forged session", roles: [], cookie: "takt.session_token=forged.c2lnbmF0dXJl" });
});
test.afterAll(async () => {
  const walked = "(select l.id from line l join area a on a.id = l.area_id where a.key = 'walked')";
  for (const sql of [
    "delete from person where name like 'qx%' or name = 'walker'",
    `delete from machine where line_id in ${walked}`,
    `delete from line where id in ${walked}`,
    "delete from area where key = 'walked'",
    "delete from site where key = 'elsewhere'",
  ])
    await stage.rows(sql);
  await stage.close();
});

const isSignedIn = ({ name }: Who) => name !== "nobody" && name !== "forged session";
function may(who: Who, action: string): boolean {
  const duty = duties.get(action);
  if (!duty) throw new Error(`docs/permissions.md does not say who may ${action}.`);
  return duty.isSelf ? isSignedIn(who) : who.roles.some((role) => duty.roles.includes(role));
}

// ---- what is asked

/** An address of each page: at the own site, and of something at another. A page without one fails. */
const pageAddresses: Record<string, { own: string; other?: string /** The first answer names what is there. */; shows?: true }> = {
  "/": { own: "/", shows: true },
  "/account": { own: "/account" },
  "/account/second-factor": { own: "/account/second-factor" },
  "/audit": { own: "/audit?site=works", other: "/audit?site=elsewhere" },
  "/audit/signatures": { own: "/audit/signatures" },
  "/board/[site]/[area]/[line]": { own: "/board/works/walked/walked", other: "/board/elsewhere/walked/walked", shows: true },
  "/data-health": { own: "/data-health" },
  "/devices": { own: "/devices" },
  "/display": { own: "/display" },
  "/forgot-password": { own: "/forgot-password" },
  "/link": { own: "/link" },
  "/people": { own: "/people", other: "/people?site=elsewhere", shows: true },
  "/people/[id]": { own: "/people/{person.own}", other: "/people/{person.other}", shows: true },
  "/people/new": { own: "/people/new" },
  "/plant": { own: "/plant", shows: true },
  "/plant/[kind]/[...address]": { own: "/plant/line/works/walked/walked", other: "/plant/line/elsewhere/walked/walked", shows: true },
  "/plant/import": { own: "/plant/import" },
  "/plant/new/[kind]": { own: "/plant/new/area?under=works", other: "/plant/new/area?under=elsewhere" },
  "/plant/new/device": { own: "/plant/new/device?under=works", other: "/plant/new/device?under=elsewhere" },
  "/screens": { own: "/screens" },
  "/sign-in": { own: "/sign-in" },
  "/sign-out": { own: "/sign-out" },
  "/start": { own: "/start" },
  "/terminal": { own: "/terminal" },
  "/terminals": { own: "/terminals" },
  "/tokens": { own: "/tokens" },
};
const addressOf = (pattern: string) => pattern.replace("{person.own}", person.own).replace("{person.other}", person.other);

const get = (path: string, who: Who, headers: Record<string, string> = {}) =>
  fetch(stage.url + path, { redirect: "manual", headers: { ...(who.cookie ? { cookie: who.cookie } : {}), ...headers } });

const faults: string[] = [];
let checks = 0;
const table = new Map<string, string[]>();

/** Notes what is not as the document says. */
function note(route: string, who: Who, where: string, isOpen: boolean, fault: string | null): void {
  checks += 1;
  const row = table.get(route) ?? [];
  table.set(route, row);
  const column = everybody.indexOf(who);
  row[column] = (row[column] ?? "") + (isOpen ? "+" : "·");
  if (fault !== null) faults.push(`${route}, ${who.name}, ${where}: ${fault}`);
}

async function pageFault(
  who: Who,
  action: string | null,
  address: string,
  where: "own" | "other",
  shows = false,
): Promise<{ isOpen: boolean; fault: string | null }> {
  const response = await get(address, who);
  const text = await response.text();
  const isOpen = action === null || may(who, action);
  const shown = Object.values(marks).filter((mark) => text.includes(mark));
  if (text.includes(marks.other)) return { isOpen, fault: "shows what is at another site" };
  if (action === null) return { isOpen, fault: response.status < 400 ? null : `answers ${response.status}` };
  if (!isSignedIn(who)) {
    const isLed = response.status === 307 && response.headers.get("location")?.startsWith("/sign-in") === true;
    return { isOpen, fault: isLed && shown.length === 0 ? null : `answers ${response.status} ${response.headers.get("location")}` };
  }
  if (!isOpen) {
    // The frame of the 403 page is the person's own; what they may see at their site is in it.
    return { isOpen, fault: response.status === 403 ? null : `answers ${response.status}` };
  }
  if (where === "own" && shows && !text.includes(marks.own)) return { isOpen, fault: "does not show what is there" };
  if (where === "own") return { isOpen, fault: response.status < 400 ? null : `answers ${response.status}` };
  return { isOpen: false, fault: null }; // it showed nothing of the other site
}

test("every page is open to whom the map opens it, and shows nothing of another site", async () => {
  test.setTimeout(240_000);
  const found = doors("Page");
  expect(found.map(({ path }) => path).sort()).toEqual(Object.keys(pageAddresses).sort());
  for (const { path, action } of found) {
    const { own, other, shows } = pageAddresses[path] ?? { own: path };
    await Promise.all(
      everybody.map(async (who) => {
        const here = await pageFault(who, action, addressOf(own), "own", shows);
        note(path, who, "own site", here.isOpen, here.fault);
        if (other === undefined) return;
        const there = await pageFault(who, action, addressOf(other), "other");
        note(path, who, "other site", there.isOpen, there.fault);
      }),
    );
  }
});

test("what a page's program asks for behind the page is closed to the same people", async () => {
  // A link inside the app fetches what differs from where the browser is: the page alone, without the layout that asks first.
  const page = ["__PAGE__", {}, null, null, 0];
  const treeTo = (name: string) =>
    JSON.stringify(["", { children: ["(inside)", { children: [name, { children: page }, null, "refetch", 0] }, null, null, 4] }, null, null, 24]);
  for (const [name, action] of [
    ["people", "person.read"],
    ["plant", "plant.read"],
  ] as const)
    for (const who of everybody) {
      const headers = { rsc: "1", "next-router-state-tree": encodeURIComponent(treeTo(name)) };
      // The server leads to the address that is right for these headers.
      const led = await get(`/${name}`, who, headers);
      const response = led.headers.get("location")?.startsWith(`/${name}?_rsc=`) ? await get(led.headers.get("location") ?? "", who, headers) : led;
      const text = await response.text();
      const isOpen = may(who, action);
      const shows = text.includes(marks.own);
      const isFrame = text.includes('"narrow":');
      const fault =
        shows !== isOpen ? (shows ? "shows what it may not" : "does not show what is there") : text.includes(marks.other) ? "shows another site" : null;
      note(`/${name} by a link`, who, "own site", isOpen, isFrame ? "comes with its layout: this test then says nothing" : fault);
    }
});

test("every route handler is open to whom the map opens it", async () => {
  test.setTimeout(120_000);
  const input = (value: unknown) => encodeURIComponent(JSON.stringify({ json: value }));
  /** What is asked of each handler that lets every question ask for itself, with the action that it needs. A handler without an example fails. */
  const questions: Record<string, { own: string; other?: string; action: string /** It concerns all sites: with one there is no way. */; isOfAll?: true }[]> = {
    "GET /api/plant/import/[sheet]": [{ own: "/api/plant/import/machines?format=csv", action: "plant.change" }],
    "GET /audit/export": [{ own: "/audit/export?format=csv&site=works", other: "/audit/export?format=csv&site=elsewhere", action: "audit.read" }],
    "GET /plant/export": [{ own: "/plant/export", action: "plant.read", isOfAll: true }],
    "GET /api/trpc/[trpc]": [
      { own: "/api/trpc/boards.lines", action: "board.read" },
      { own: "/api/trpc/dataHealth.sources", action: "data_health.read" },
      { own: "/api/trpc/account.own", action: "account.own" },
      {
        own: `/api/trpc/people.show?input=${input({ id: person.own })}`,
        other: `/api/trpc/people.show?input=${input({ id: person.other })}`,
        action: "person.read",
      },
    ],
    "GET /api/v1/[...path]": [
      { own: "/api/v1/lines", action: "board.read" },
      { own: "/api/v1/board/works/walked/walked", other: "/api/v1/board/elsewhere/walked/walked", action: "board.read" },
      { own: "/api/v1/displays", action: "screen.read" },
    ],
  };
  const open: Record<string, string> = {
    "GET /api/health": "/api/health",
    "GET /api/v1/openapi.json": "/api/v1/openapi.json",
    "GET /display/[link]": "/display/nothing",
  };
  /** Asked below by their own test, or by the same function as the other method. */
  const elsewhere = [
    "GET /api/auth/[...all]",
    "POST /api/auth/[...all]",
    "POST /api/trpc/[trpc]",
    "GET /display/api/[trpc]",
    "POST /display/api/[trpc]",
    "POST /api/plant/import/[sheet]",
  ];
  const handlers = doors("Handler");
  for (const { path, action } of handlers) {
    const asked = questions[path] ?? [];
    if (action !== null && path.startsWith("GET ")) expect(asked, path).not.toEqual([]);
    if (asked.length === 0 && !elsewhere.includes(path)) expect(Object.keys(open)).toContain(path);
    for (const question of asked)
      for (const who of everybody) {
        const isOpen = may(who, question.action) && !question.isOfAll;
        const response = await get(question.own, who);
        const text = await response.text();
        const wanted = isOpen ? 200 : isSignedIn(who) ? 403 : 401;
        note(
          `${path} ${question.action}`,
          who,
          "own site",
          isOpen,
          response.status !== wanted ? `answers ${response.status}, not ${wanted}` : text.includes(marks.other) ? "shows what is at another site" : null,
        );
        if (question.other === undefined) continue;
        const there = await get(question.other, who);
        const isHidden = !(await there.text()).includes(marks.other) && there.status === (isOpen ? 404 : wanted);
        note(`${path} ${question.action}`, who, "other site", false, isHidden ? null : `answers ${there.status}`);
      }
  }
  for (const [handler, path] of Object.entries(open))
    for (const who of everybody) note(handler, who, "anywhere", true, (await get(path, who)).status < 400 ? null : "is closed");
});

test("a person's cookie opens nothing of a display's, and the questions below /api/auth are closed as the map says", async () => {
  for (const who of everybody) {
    const response = await get("/display/api/boards.lines", who);
    note("GET /display/api/[trpc]", who, "anywhere", false, response.status === 401 ? null : `answers ${response.status}`);
  }
  for (const who of everybody) {
    const headers = { "content-type": "text/csv", ...(who.cookie ? { cookie: who.cookie } : {}) };
    const body = `line,key,name\nelsewhere/walked/walked,new,New\n`;
    const response = await fetch(`${stage.url}/api/plant/import/machines?apply=yes`, { method: "POST", headers, body });
    const answer = await response.text();
    const isOpen = may(who, "plant.change");
    const isRefused = isOpen ? !answer.includes(marks.other) : response.status === (isSignedIn(who) ? 403 : 401);
    note("POST /api/plant/import/[sheet]", who, "other site", false, isRefused ? null : `answers ${response.status} ${answer.slice(0, 200)}`);
  }
  expect(await stage.rows("select id from machine where line_id = $1 and key = 'new'", [line.other])).toEqual([]);
  for (const { path: request, action } of doors("Request")) {
    const [method = "", path = ""] = request.split(" ");
    if (action === null || method !== "POST") continue;
    for (const who of everybody) {
      const response = await fetch(`${stage.url}/api/auth${path}`, {
        method,
        headers: { "content-type": "application/json", ...(who.cookie ? { cookie: who.cookie } : {}) },
        body: JSON.stringify(path === "/terminal/register" ? { siteId: site.other, name: "x", lineIds: [], autoLockS: 60 } : {}),
      });
      await response.text();
      const isOpen = may(who, action) && path !== "/terminal/register"; // which is asked for at the other site
      const isRight = isSignedIn(who)
        ? path === "/terminal/register"
          ? response.status === 403
          : response.status >= 400 && response.status < 500
        : response.status === 401;
      note(`POST /api/auth${path}`, who, "other site", isOpen, isRight ? null : `answers ${response.status}`);
    }
  }
  expect(await stage.rows("select id from terminal where site_id = $1", [site.other])).toEqual([]);
});

test("a session that has ended, or whose person was disabled, opens nothing", async () => {
  const { id, cookie } = await somebody("walker", [{ role: "administrator", siteId: site.own }]);
  const who = { name: "ended", roles: [], cookie };
  expect((await get("/people", who)).status).toBe(200);
  await stage.rows("update person set disabled_at = now() where id = $1", [id]);
  expect((await get("/people", who)).status).toBe(307);
  await stage.rows("update person set disabled_at = null where id = $1", [id]);
  await stage.rows("update session set expires_at = now() - interval '1 s' where person_id = $1", [id]);
  expect((await get("/people", who)).status).toBe(307);
});

test("all of it, as a table", () => {
  const width = Math.max(...[...table.keys()].map((route) => route.length));
  const letter = (n: number) => String.fromCharCode("A".charCodeAt(0) + n);
  const head = everybody.map(({ name }, n) => `${letter(n)} ${name}`).join(", ");
  const rows = [...table].map(([route, cells]) => `${route.padEnd(width)}  ${everybody.map((_, n) => (cells[n] ?? "").padEnd(6)).join(" ")}`);
  console.log(
    `own site, then another: + open, · closed or empty\n${head}\n${"".padEnd(width)}  ${everybody.map((_, n) => letter(n).padEnd(6)).join(" ")}\n${rows.join("\n")}`,
  );
  console.log(`${table.size} pages and handlers, ${everybody.length} who ask: ${checks} checks, ${faults.length} of them not as the map says.`);
  expect(faults).toEqual([]);
});

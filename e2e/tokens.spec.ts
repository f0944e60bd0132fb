import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import { expect, type Page, test } from "@playwright/test";
import { signedIn } from "./people.ts";
import { Stage } from "./stage.ts";

let stage: Stage;
let staff: Page;
test.beforeAll(async ({ browser }) => {
  stage = await Stage.open();
  await stage.say("live/press", { state: "EXECUTE", ts: Date.now() - 10_000 });
  await stage.say("live/press", { pieces: 3 });
  staff = await (await signedIn(stage, browser, "administrator")).newPage();
});
test.afterAll(async () => {
  await staff.context().close();
  await stage.close();
});

/** Makes a token on its page, with these actions beside "See boards". The token as it is shown this once. */
async function make(name: string, actions: string[] = []): Promise<string> {
  await staff.goto(`${stage.url}/tokens`);
  await staff.getByRole("button", { name: "New token" }).click();
  const dialog = staff.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Name" }).fill(name);
  await dialog.getByRole("checkbox", { name: "Works" }).check();
  for (const action of actions) await dialog.getByRole("checkbox", { name: action }).check();
  await dialog.getByRole("button", { name: "Make the token" }).click();
  const token = await staff.getByRole("textbox", { name: "Token", exact: true }).inputValue();
  await staff.getByRole("button", { name: "I have kept it" }).click();
  await expect(staff.getByRole("row").filter({ hasText: name })).toContainText("Good");
  return token;
}
/** In both appearances. */
async function noFaultsForAxe() {
  for (const colorScheme of ["dark", "light"] as const) {
    await staff.emulateMedia({ colorScheme });
    await staff.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => null))));
    const { violations } = await new AxeBuilder({ page: staff }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]).analyze();
    expect(violations.map(({ id, nodes }) => ({ id, where: nodes.map((node) => `${node.target} ${node.html} ${node.failureSummary}`) }))).toEqual([]);
  }
}
type Said = { error?: { code: string; message: string } };
async function ask(path: string, token?: string): Promise<{ status: number; said: Said; headers: Headers }> {
  const answer = await fetch(`${stage.url}/api/v1${path}`, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
  return { status: answer.status, said: (await answer.json()) as Said, headers: answer.headers };
}

test("the examples of docs/api.md work as they stand there", async () => {
  const token = await make("Examples", ["See data health", "See wall displays"]);
  const surroundings: Record<string, string> = { TAKT_URL: stage.url, TAKT_TOKEN: token };
  const filled = (text: string) => text.replaceAll(/\$(\w+)/g, (_, name: string) => surroundings[name] ?? "");
  const examples = [...readFileSync(resolve(import.meta.dirname, "../docs/api.md"), "utf8").matchAll(/```sh\n(curl .*)\n```/g)].map(([, line]) => line ?? "");
  expect(examples.length).toBe(5);
  const answers: Record<string, unknown> = {};
  for (const example of examples) {
    const [, header, url = ""] = /^curl -sS (?:-H "([^"]+)" )?"([^"]+)"$/.exec(example) ?? [];
    const [name = "", value = ""] = filled(header ?? "").split(": ");
    const answer = await fetch(filled(url), { headers: name ? { [name]: value } : {} });
    expect([example, answer.status]).toEqual([example, 200]);
    answers[url.split("/").at(-1) ?? ""] = await answer.json();
  }
  expect(answers).toMatchObject({
    lines: {
      lines: expect.arrayContaining([{ address: "works/hall/live", name: "Live line", site: "Works", area: "Hall", zone: "Europe/Berlin", machines: 3 }]),
    },
    live: {
      line: { address: "works/hall/live" },
      trouble: null,
      machines: [{ key: "press", state: "run", pieces_this_hour: expect.any(Number) }, { key: "oven" }, { key: "packer" }],
    },
    sources: { sources: expect.arrayContaining([expect.objectContaining({ address: "works/hall/live/press", is_silent: false })]) },
    displays: { displays: expect.any(Array) },
    "openapi.json": { openapi: "3.1.0", paths: { "/lines": expect.anything() } },
  });
});

test("a token that is missing, forged, revoked, expired, or whose owner lost the right is refused, and told why", async () => {
  const token = await make("ERP", ["See data health"]);
  expect((await ask("/lines", token)).status).toBe(200);
  await expect(staff.getByRole("row").filter({ hasText: "ERP" })).toContainText("127.0.0.1", { timeout: 40_000 });
  const nobody = await ask("/lines");
  expect([nobody.status, nobody.said.error?.code, nobody.headers.get("www-authenticate")]).toEqual([401, "SIGNED_OUT", 'Bearer realm="takt"']);
  expect((await ask("/lines", `${token.slice(0, -1)}x`)).status).toBe(401);
  const scope = await ask("/displays", token);
  expect([scope.status, scope.said.error?.message]).toEqual([403, 'The token "ERP" does not allow this (screen.read).']);
  expect((await ask("/board/elsewhere/hall/live", token)).status).toBe(404);
  expect((await ask("/nothing", token)).status).toBe(404);
  expect((await ask(`/board/works/hall/${"x".repeat(65)}`, token)).status).toBe(400);
  // it changes nothing, has no account, and opens no page
  const trpc = (path: string, method = "GET") =>
    fetch(`${stage.url}/api/trpc/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(method === "POST" ? { body: '{"json":{"id":1}}' } : {}),
    });
  expect([(await trpc("displays.revoke", "POST")).status, (await trpc("tokens.list")).status, (await trpc("boards.lines")).status]).toEqual([403, 403, 200]);
  expect((await fetch(`${stage.url}/`, { headers: { authorization: `Bearer ${token}` }, redirect: "manual" })).status).not.toBe(500);

  // its owner: an administrator of the site, who becomes an operator, and then may no longer sign in
  await stage.rows(`with p as (insert into person (name, username) values ('Owner', 'owner') returning id),
    m as (insert into membership (person_id, role, site_id) select p.id, 'administrator', s.id from p, site s where s.key = 'works')
    update api_token set owner_id = p.id from p where api_token.name = 'ERP'`);
  expect((await ask("/sources", token)).status).toBe(200);
  await stage.rows("update membership set role = 'operator' where person_id = (select id from person where username = 'owner')");
  expect([(await ask("/sources", token)).status, (await ask("/lines", token)).status]).toEqual([403, 200]);
  await stage.rows("update person set disabled_at = now() where username = 'owner'");
  expect((await ask("/lines", token)).status).toBe(401);
  await stage.rows("update person set disabled_at = null where username = 'owner'");

  await stage.rows("update api_token set created_at = now() - interval '2 days', expires_at = now() - interval '1 day' where name = 'ERP'");
  expect((await ask("/lines", token)).status).toBe(401);
  const other = await make("Conveyors");
  await staff.getByRole("button", { name: "Revoke Conveyors" }).click();
  await staff.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await expect(staff.getByRole("row").filter({ hasText: "Conveyors" })).toContainText("Revoked");
  expect((await ask("/lines", other)).status).toBe(401);
});

test("the page and its dialogs are without faults for axe", async () => {
  await make("Clean");
  await staff.getByRole("button", { name: "Clean", exact: true }).click();
  await expect(staff.getByText("API token made").first()).toBeVisible();
  await noFaultsForAxe();
  await staff.getByRole("button", { name: "New token" }).click();
  await staff.getByRole("dialog").getByRole("button", { name: "Make the token" }).click();
  await expect(staff.getByText("The token needs a name")).toBeVisible();
  await noFaultsForAxe();
});

test("a program that asks too much is told to wait, and no other one with it", async () => {
  const [wild, calm] = [await make("Wild"), await make("Calm")];
  const answers = await Promise.all(Array.from({ length: 130 }, () => ask("/lines", wild)));
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThan(10);
  expect(Number(refused[0]?.headers.get("retry-after"))).toBeGreaterThan(0);
  expect((await ask("/lines", calm)).status).toBe(200);
});

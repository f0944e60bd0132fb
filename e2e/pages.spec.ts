import { expect, test } from "@playwright/test";
import { axeFaults, complaints } from "./faults.ts";
import { open } from "./open.ts";
import { cookieOf, nameOf, signedIn, signIn } from "./people.ts";
import { Stage } from "./stage.ts";

let stage: Stage;
test.beforeAll(async () => {
  stage = await Stage.open();
  await speak();
  await stage.publish("takt/v1/works/hall/live/press/unheard-of", { ts: Date.now(), value: 1 });
});
test.afterAll(() => stage?.close());
test.beforeEach(({ context }) => signIn(context, stage, "administrator"));

/** One machine runs, one is down. What was said a minute ago is no longer shown. */
async function speak(): Promise<void> {
  await stage.say("live/press", { state: "EXECUTE", pieces: 12 });
  await stage.say("live/oven", { state: "ABORTED", fault: "F7" });
}

const pages = [
  "/",
  "/data-health",
  "/data-health?source=works%2Fhall%2Flive%2Fpress",
  "/board/works/hall/live",
  "/board/works/hall/live?theme=light",
  "/board/works/hall/empty",
  "/board/works/hall/nowhere",
  "/nowhere",
];

for (const scheme of ["light", "dark"] as const) {
  for (const path of pages) {
    test(`${path} in ${scheme}: no complaint of the browser, no fault that axe finds`, async ({ browser }) => {
      const context = await signedIn(stage, browser, "administrator", { colorScheme: scheme, viewport: { width: 1440, height: 900 } });
      const page = await context.newPage();
      const said = complaints(page);
      await speak();
      await open(page, stage.url + path);
      await expect(page.locator("h1").first()).toBeVisible();
      await page.waitForLoadState("load");
      if (path.includes("source=")) await expect(page.getByRole("dialog").getByRole("row")).not.toHaveCount(0);
      expect(await axeFaults(page)).toEqual([]);
      // The missing pages answer 404, which the browser counts as an error of loading.
      expect(said.filter((text) => !/status of 404/.test(text))).toEqual([]);
      await context.close();
    });
  }
}

test("loads nothing from another host", async ({ page }) => {
  const hosts = new Set<string>();
  page.on("request", (request) => hosts.add(new URL(request.url()).host));
  for (const path of pages) await open(page, stage.url + path);
  expect([...hosts]).toEqual([new URL(stage.url).host]);
});

test("the first paint carries the data", async ({ browser }) => {
  await speak();
  const headers = { cookie: await cookieOf(stage, "administrator") };
  const served = async (path: string) => (await fetch(stage.url + path, { headers })).text();
  await expect.poll(() => served("/board/works/hall/live")).toContain("Chute jammed");
  await expect.poll(() => served("/")).toContain("1 of 3 running");
  const context = await signedIn(stage, browser, "administrator", { javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${stage.url}/board/works/hall/live`);
  await expect(page.getByRole("article", { name: "Oven" })).toContainText("Chute jammed");
  await page.goto(`${stage.url}/`);
  await expect(page.getByRole("link", { name: /Live line/ })).toContainText("1 of 3 running");
  await context.close();
});

test("speaks German where the browser does, and where it is asked to", async ({ browser }) => {
  const context = await signedIn(stage, browser, "administrator", { locale: "de-DE" });
  const page = await context.newPage();
  const said = complaints(page);
  await open(page, `${stage.url}/data-health`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Datenlage");
  await page.getByRole("button", { name: new RegExp(`^${nameOf("administrator")}`) }).click();
  await page.getByRole("menuitem", { name: "English" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Data health");
  await speak();
  await open(page, `${stage.url}/board/works/hall/live`);
  await expect(page.getByRole("article", { name: "Oven" })).toContainText("Down");
  expect(said).toEqual([]);
  await context.close();
});

test("light and dark can be switched, with dialogs that still have their styles", async ({ page }) => {
  const said = complaints(page);
  await open(page, `${stage.url}/data-health`);
  const mapTo = page.getByRole("button", { name: /Map to/ }).first();
  await mapTo.click();
  await expect(page.getByRole("dialog")).toBeVisible();
  expect(await axeFaults(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toBeHidden();
  await page.getByRole("button", { name: new RegExp(`^${nameOf("administrator")}`) }).click();
  await page.getByRole("menuitem", { name: "Dark" }).click();
  await expect(page.locator("html")).toHaveAttribute("data-mantine-color-scheme", "dark");
  await open(page, page.url());
  await expect(page.locator("html")).toHaveAttribute("data-mantine-color-scheme", "dark");
  await mapTo.click();
  await expect(page.getByRole("dialog")).toBeVisible();
  expect(await axeFaults(page)).toEqual([]);
  expect(said).toEqual([]);
});

test("what is pressed before the page's program runs is done when it does", async ({ browser }) => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const said = complaints(page);
  const programs = Promise.withResolvers<void>();
  await page.route("**/*.js", async (route) => {
    await programs.promise;
    await route.continue();
  });
  await page.goto(`${stage.url}/sign-in`, { waitUntil: "domcontentloaded" });
  await page.getByRole("button", { name: "Dark" }).click();
  await expect(page.locator("html")).toHaveAttribute("data-mantine-color-scheme", "light");
  programs.resolve();
  await expect(page.locator("html")).toHaveAttribute("data-mantine-color-scheme", "dark");
  await expect(page.getByRole("button", { name: "Light" })).toBeVisible();
  expect(said).toEqual([]);
  await context.close();
});

test("the keyboard reaches everything, and the content first", async ({ page }) => {
  await open(page, `${stage.url}/data-health`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Data health");
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await page.waitForLoadState("load");
  await page.locator("body").press("Tab");
  await expect(page.getByRole("link", { name: "Skip to the content" })).toBeFocused();
  await open(page, `${stage.url}/`);
  await page.getByRole("link", { name: /Live line/ }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Live line");
});

test.describe("answers to programs", () => {
  const map = async (headers: Record<string, string>) =>
    fetch(`${stage.url}/api/trpc/dataHealth.discardLetter`, {
      method: "POST",
      headers: { ...headers, cookie: await cookieOf(stage, "administrator") },
      body: JSON.stringify({ json: { id: "999999999", statusAt: "2026-01-01" } }),
    });

  test("a policy with a new nonce for each page, and no inline script", async () => {
    const policies = await Promise.all([1, 2].map(async () => (await fetch(`${stage.url}/sign-in`)).headers.get("content-security-policy") ?? ""));
    for (const policy of policies) expect(policy).toMatch(/script-src 'self' 'nonce-[A-Za-z0-9+/=]{20,}' 'strict-dynamic';/);
    expect(policies[0]).not.toBe(policies[1]);
    expect(policies[0]?.match(/script-src[^;]*/)?.[0]).not.toContain("unsafe");
    const { headers } = await fetch(`${stage.url}/sign-in`);
    expect([headers.get("x-content-type-options"), headers.get("x-frame-options"), headers.get("referrer-policy"), headers.get("x-powered-by")]).toEqual([
      "nosniff",
      "DENY",
      "same-origin",
      null,
    ]);
  });

  test("changes that come from other sites are refused", async () => {
    expect((await map({ "content-type": "application/json", origin: "http://evil.example" })).status).toBe(403);
    expect((await map({ "content-type": "application/json", "sec-fetch-site": "cross-site" })).status).toBe(403);
    expect((await map({ "content-type": "text/plain" })).status).toBe(403);
    const own = await map({ "content-type": "application/json" });
    expect(own.status).toBe(404);
    expect(JSON.stringify(await own.json())).toContain("This letter is no longer there.");
  });

  test("a fault shows a number, and neither stack nor SQL", async () => {
    const broken = await fetch(`${stage.url}/api/trpc/dataHealth.retryLetter`, {
      method: "POST",
      headers: { "content-type": "application/json", cookie: await cookieOf(stage, "administrator") },
      body: JSON.stringify({ json: { id: "1", statusAt: "no time at all" } }),
    });
    expect(broken.status).toBe(500);
    const text = await broken.text();
    expect(text).toContain("Something went wrong on the server.");
    expect(text).toMatch(/"errorId":"[0-9a-f]{8}"/);
    expect(text).not.toMatch(/at .*\.(ts|js)|select|update|dead_letter|timestamptz/i);
    const wrong = await fetch(`${stage.url}/api/trpc/dataHealth.payload?input=${encodeURIComponent('{"json":{"id":"x\' or 1=1"}}')}`, {
      headers: { cookie: await cookieOf(stage, "administrator") },
    });
    expect(wrong.status).toBe(400);
  });

  test("health: 200 with a database, 503 without one that has its migrations", async () => {
    const health = async () => {
      const answer = await fetch(`${stage.url}/api/health`);
      return { status: answer.status, ...((await answer.json()) as object) };
    };
    await expect.poll(health).toMatchObject({
      status: 200,
      ok: true,
      database: { ok: true },
      migrations: { ok: true, missing: [] },
      workers: [{ name: "ingest", alive: true }],
    });
    await stage.asOwner("alter table schema_migration rename to schema_migration_away");
    try {
      expect(await health()).toMatchObject({ status: 503, ok: false, migrations: { ok: false } });
    } finally {
      await stage.asOwner("alter table schema_migration_away rename to schema_migration");
    }
  });
});

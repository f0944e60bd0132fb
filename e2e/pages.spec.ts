import AxeBuilder from "@axe-core/playwright";
import { expect, type Page, test } from "@playwright/test";
import { Stage } from "./stage.ts";

let stage: Stage;
test.beforeAll(async () => {
  stage = await Stage.open();
  await stage.say("live/press", { state: "EXECUTE", pieces: 12 });
  await stage.say("live/oven", { state: "ABORTED", fault: "F7" });
  await stage.publish("takt/v1/works/hall/live/press/unheard-of", { ts: Date.now(), value: 1 });
});
test.afterAll(() => stage.close());

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

/** What the browser complains of: errors, and everything that its content security policy refused. */
function complaints(page: Page): string[] {
  const said: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || /Content Security Policy|hydrat/i.test(message.text())) said.push(message.text());
  });
  page.on("pageerror", (error) => said.push(error.message));
  return said;
}

for (const scheme of ["light", "dark"] as const) {
  for (const path of pages) {
    test(`${path} in ${scheme}: no complaint of the browser, no fault that axe finds`, async ({ browser }) => {
      const context = await browser.newContext({ colorScheme: scheme, viewport: { width: 1440, height: 900 } });
      const page = await context.newPage();
      const said = complaints(page);
      await page.goto(stage.url + path);
      await expect(page.locator("h1").first()).toBeVisible();
      await page.waitForLoadState("load");
      if (path.includes("source=")) await expect(page.getByRole("dialog").getByRole("row")).not.toHaveCount(0);
      await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => null))));
      const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]).analyze();
      expect(violations.map(({ id, nodes }) => ({ id, where: nodes.map((node) => `${node.target} ${node.failureSummary}`) }))).toEqual([]);
      // The missing pages answer 404, which the browser counts as an error of loading.
      expect(said.filter((text) => !/status of 404/.test(text))).toEqual([]);
      await context.close();
    });
  }
}

test("loads nothing from another host", async ({ page }) => {
  const hosts = new Set<string>();
  page.on("request", (request) => hosts.add(new URL(request.url()).host));
  for (const path of pages) await page.goto(stage.url + path);
  expect([...hosts]).toEqual([new URL(stage.url).host]);
});

test("the first paint carries the data", async ({ browser }) => {
  await stage.say("live/press", { state: "EXECUTE", pieces: 1 });
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${stage.url}/board/works/hall/live`);
  await expect(page.getByRole("article", { name: "Oven" })).toContainText("Chute jammed");
  await page.goto(`${stage.url}/`);
  await expect(page.getByRole("link", { name: /Live line/ })).toContainText("1 of 3 running");
  await context.close();
});

test("speaks German where the browser does, and where it is asked to", async ({ browser }) => {
  const context = await browser.newContext({ locale: "de-DE" });
  const page = await context.newPage();
  const said = complaints(page);
  const awake = page.waitForRequest(/dataHealth\.changes/); // the page's own program runs
  await page.goto(`${stage.url}/data-health`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Datenlage");
  await awake;
  await page.getByLabel("Sprache").selectOption({ label: "English" });
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Data health");
  await page.goto(`${stage.url}/board/works/hall/live`);
  await expect(page.getByRole("article", { name: "Oven" })).toContainText("Down");
  expect(said).toEqual([]);
  await context.close();
});

test("light and dark can be switched, with dialogs that still have their styles", async ({ page }) => {
  const said = complaints(page);
  await page.goto(`${stage.url}/data-health`);
  await page.getByRole("button", { name: "Switch between light and dark" }).click();
  await expect(page.locator("html")).toHaveAttribute("data-mantine-color-scheme", "dark");
  await page.reload();
  await expect(page.locator("html")).toHaveAttribute("data-mantine-color-scheme", "dark");
  await page
    .getByRole("button", { name: /Map to/ })
    .first()
    .click();
  await expect(page.getByRole("dialog")).toBeVisible();
  expect(said).toEqual([]);
});

test("the keyboard reaches everything, and the content first", async ({ page }) => {
  await page.goto(`${stage.url}/data-health`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Data health");
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await page.waitForLoadState("load");
  await page.locator("body").press("Tab");
  await expect(page.getByRole("link", { name: "Skip to the content" })).toBeFocused();
  await page.goto(`${stage.url}/`);
  await page.getByRole("link", { name: /Live line/ }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Live line");
});

test.describe("answers to programs", () => {
  const map = (headers: Record<string, string>) =>
    fetch(`${stage.url}/api/trpc/dataHealth.discardLetter`, {
      method: "POST",
      headers,
      body: JSON.stringify({ json: { id: "999999999", statusAt: "2026-01-01" } }),
    });

  test("a policy with a new nonce for each page, and no inline script", async () => {
    const policies = await Promise.all([1, 2].map(async () => (await fetch(`${stage.url}/`)).headers.get("content-security-policy") ?? ""));
    for (const policy of policies) expect(policy).toMatch(/script-src 'self' 'nonce-[A-Za-z0-9+/=]{20,}' 'strict-dynamic';/);
    expect(policies[0]).not.toBe(policies[1]);
    expect(policies[0]?.match(/script-src[^;]*/)?.[0]).not.toContain("unsafe");
    const { headers } = await fetch(`${stage.url}/`);
    expect([headers.get("x-content-type-options"), headers.get("x-frame-options"), headers.get("referrer-policy"), headers.get("x-powered-by")]).toEqual([
      "nosniff",
      "SAMEORIGIN",
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
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ json: { id: "1", statusAt: "no time at all" } }),
    });
    expect(broken.status).toBe(500);
    const text = await broken.text();
    expect(text).toContain("Something went wrong on the server.");
    expect(text).toMatch(/"errorId":"[0-9a-f]{8}"/);
    expect(text).not.toMatch(/at .*\.(ts|js)|select|update|dead_letter|timestamptz/i);
    const wrong = await fetch(`${stage.url}/api/trpc/dataHealth.payload?input=${encodeURIComponent('{"json":{"id":"x\' or 1=1"}}')}`);
    expect(wrong.status).toBe(400);
  });

  test("health: 200 with a database, 503 without one that has its migrations", async () => {
    const good = await fetch(`${stage.url}/api/health`);
    expect(good.status).toBe(200);
    expect(await good.json()).toMatchObject({
      ok: true,
      database: { ok: true },
      migrations: { ok: true, missing: [] },
      workers: [{ name: "ingest", alive: true }],
    });
    await stage.rows("alter table schema_migration rename to schema_migration_away");
    try {
      const bad = await fetch(`${stage.url}/api/health`);
      expect(bad.status).toBe(503);
      expect(await bad.json()).toMatchObject({ ok: false, migrations: { ok: false } });
    } finally {
      await stage.rows("alter table schema_migration_away rename to schema_migration");
    }
  });
});

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import { type Browser, type BrowserContext, expect, type Page, test } from "@playwright/test";
import { open } from "./open.ts";
import { signedIn } from "./people.ts";
import { Stage } from "./stage.ts";

let stage: Stage;
let staff: Page;
test.beforeAll(async ({ browser }) => {
  stage = await Stage.open();
  staff = await (await signedIn(stage, browser, "supervisor")).newPage();
});
test.afterAll(async () => {
  await staff?.context().close();
  await stage?.close();
});

const machine = (page: Page, name: string) => page.locator("[data-front]").getByRole("article", { name, exact: true });
const front = (page: Page) => page.locator("[data-front]");
const shown = (page: Page, board: string) => expect(front(page)).toHaveAttribute("data-line", `works/hall/${board}`, { timeout: 15_000 });
const row = (name: string) => staff.getByRole("row").filter({ hasText: name });

/** In both appearances. */
async function noFaultsForAxe(page: Page) {
  for (const colorScheme of ["dark", "light"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.evaluate(() =>
      Promise.all(document.getAnimations().map((animation) => (animation.effect?.getTiming().iterations === 1 ? animation.finished.catch(() => null) : null))),
    );
    const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]).analyze();
    expect(violations.map(({ id, nodes }) => ({ id, where: nodes.map((node) => `${node.target} ${node.html} ${node.failureSummary}`) }))).toEqual([]);
  }
}

/** Makes a display on the Screens page. The link as it is shown this once. */
async function make(name: string, boards: [line: string, seconds: number][], how: { raises?: number } = {}): Promise<string> {
  await open(staff, `${stage.url}/screens`);
  await staff.getByRole("button", { name: "New display" }).click();
  const dialog = staff.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Name" }).fill(name);
  for (const [line, seconds] of boards) {
    await dialog.getByRole("combobox", { name: "Add a board" }).click();
    await staff.getByRole("listbox").getByRole("option", { name: line }).click();
    await dialog.getByLabel(`Seconds for ${line}`).fill(`${seconds}`);
  }
  if (how.raises === undefined) await dialog.getByRole("switch").uncheck();
  else await dialog.getByLabel("After").fill(`${how.raises}`);
  await dialog.getByRole("button", { name: "Make the display" }).click();
  const link = await staff.getByRole("textbox", { name: "Link" }).inputValue();
  await expect(staff.getByRole("img", { name: "QR code" }).locator("path")).toBeVisible();
  await staff.getByRole("button", { name: "I have kept it" }).click();
  return link;
}

/** A screen on a wall: a browser of its own, with nobody signed in. */
async function wall(browser: Browser, link: string): Promise<{ page: Page; context: BrowserContext }> {
  const context = await browser.newContext({ viewport: { width: 1920, height: 1080 } });
  const page = await context.newPage();
  await open(page, link);
  return { page, context };
}
async function tell(name: string, what: string) {
  await staff.getByRole("button", { name: `More for ${name}` }).click();
  await staff.getByRole("menuitem", { name: what }).click();
}

test("opens its board with nobody signed in, and nothing else", async ({ browser }) => {
  await stage.say("live/press", { state: "EXECUTE", pieces: 3 });
  const link = await make("Entrance", [["Live line", 30]]);
  const { page, context } = await wall(browser, link);
  await expect(machine(page, "Press")).toHaveAttribute("data-state", "run");
  // the address no longer has the link, no script reads it, and nothing leads away
  expect(page.url()).toBe(`${stage.url}/display`);
  expect(await context.cookies()).toMatchObject([{ name: "takt-display", path: "/display", httpOnly: true, sameSite: "Lax" }]);
  expect(await page.evaluate(() => document.cookie)).not.toContain("takt-display");
  expect(await page.getByRole("link").count()).toBe(0);
  for (const path of ["/", "/screens", "/tokens", "/data-health", "/board/works/hall/live"]) {
    await page.goto(stage.url + path);
    expect(new URL(page.url()).pathname).toBe("/sign-in");
  }
  const status = (path: string) => page.evaluate(async (address) => (await fetch(address)).status, path);
  const six = encodeURIComponent(JSON.stringify({ json: { site: "works", area: "hall", line: "six" } }));
  await page.goto(`${stage.url}/display`);
  expect(await status(`/display/api/boards.line?input=${six}`)).toBe(404);
  expect(await status("/display/api/displays.list")).toBe(403);
  expect(await status("/api/trpc/boards.lines")).toBe(401);
  await context.close();
});

test("forged, cut and missing links open nothing and say so", async ({ browser }) => {
  const link = await make("Forged", [["One", 30]]);
  const { page, context } = await wall(browser, `${link.slice(0, -4)}AAAA`);
  await expect(page.getByRole("heading", { name: "This link is not from here" })).toBeVisible();
  await page.goto(link.slice(0, -10));
  await expect(page.getByRole("heading", { name: "This link is not from here" })).toBeVisible();
  await page.goto(`${stage.url}/display`);
  await expect(page.getByRole("heading", { name: "This screen has no display link" })).toBeVisible();
  await stage.rows("update display set link_expires_at = now() - interval '1 second' where name = 'Forged'");
  await page.goto(link);
  await expect(page.getByRole("heading", { name: "This display's link has expired" })).toBeVisible();
  await context.close();
});

test("takes its boards in turn; is told to move on, to hold one, to say who it is; shows itself on the Screens page", async ({ browser }) => {
  const { page, context } = await wall(
    browser,
    await make("Gate", [
      ["One", 1_000],
      ["Live line", 1_000],
    ]),
  );
  await shown(page, "one");
  await expect(row("Gate")).toContainText("On");
  await expect(row("Gate")).toContainText("1920 × 1080");
  await tell("Gate", "Next board now");
  await shown(page, "live");
  await expect(page.locator("[data-line]")).toHaveCount(1); // the one before has faded away and is closed
  await tell("Gate", "Pin a board");
  await staff.getByRole("button", { name: "Pin", exact: true }).click();
  await shown(page, "one");
  await expect(front(page)).toContainText("Pinned");
  await expect(row("Gate")).toContainText("Pinned");
  await tell("Gate", "End the pin");
  await expect(front(page)).not.toContainText("Pinned");
  await staff.getByRole("button", { name: "Identify Gate" }).click();
  await expect(page.locator("[data-identify]")).toContainText("Gate");
  await page.evaluate(() => Object.assign(window, { loadedOnce: true }));
  await tell("Gate", "Reload the page");
  await expect.poll(() => page.evaluate(() => "loadedOnce" in window).catch(() => true), { timeout: 20_000 }).toBe(false);
  await context.close();
});

test("trouble on a board brings it up", async ({ browser }) => {
  await stage.say("live/press", { state: "EXECUTE", fault: "0", pieces: 1 });
  const { page, context } = await wall(
    browser,
    await make(
      "Alarm",
      [
        ["One", 3_600],
        ["Live line", 3_600],
      ],
      { raises: 2 },
    ),
  );
  await shown(page, "one");
  await stage.say("live/press", { state: "ABORTED", fault: "F7" });
  await shown(page, "live");
  await expect(front(page)).toContainText("Press is down");
  await tell("Alarm", "Next board now");
  await shown(page, "one");
  await context.close();
});

test("the page, its forms, a display and what it says are without faults for axe and for the browser", async ({ browser }) => {
  const said: string[] = [];
  const listen = (page: Page) => page.on("console", (message) => message.type() === "error" && said.push(message.text()));
  listen(staff);
  const link = await make("Clean", [
    ["One", 1_000],
    ["Live line", 1_000],
  ]);
  await staff.getByRole("button", { name: "Clean", exact: true }).click();
  await expect(staff.getByText("Its link has not been opened yet.")).toBeVisible();
  await noFaultsForAxe(staff);
  for (const dialog of ["Edit", "Pin a board", "New link"]) {
    await tell("Clean", dialog);
    await expect(staff.getByRole("dialog").getByRole("button").nth(1)).toBeVisible();
    await expect(staff.locator("[data-menu-dropdown]")).toHaveCount(0); // it fades away, empty
    await noFaultsForAxe(staff);
    await staff.getByRole("dialog").getByRole("button", { name: "Close" }).click();
    await expect(staff.getByRole("dialog")).toHaveCount(0);
  }
  const { page, context } = await wall(browser, link);
  listen(page);
  await page.reload();
  await expect(page.getByRole("article").first()).toBeVisible();
  await noFaultsForAxe(page);
  await staff.getByRole("button", { name: "Identify Clean" }).click();
  await expect(page.locator("[data-identify]")).toBeVisible();
  await noFaultsForAxe(page);
  await page.goto(`${stage.url}/display?closed=revoked`);
  await expect(page.getByRole("heading", { name: "This display was revoked" })).toBeVisible();
  await noFaultsForAxe(page);
  expect(said).toEqual([]);
  staff.removeAllListeners("console");
  await context.close();
});

test("when it was changed meanwhile, both are shown and nothing is lost", async () => {
  await make("Twice", [["One", 30]]);
  await tell("Twice", "Edit");
  await staff.getByRole("textbox", { name: "Name" }).fill("Twice, mine");
  await stage.rows("update display set name = 'Twice, theirs', version = version + 1 where name = 'Twice'");
  await staff.getByRole("button", { name: "Save" }).click();
  const both = staff.getByRole("alert").filter({ hasText: "Someone else saved first" });
  await expect(both).toContainText("Twice, theirs");
  await staff.getByRole("button", { name: "Save mine, keep what only they changed" }).click();
  await expect(row("Twice, mine")).toBeVisible();
});

test("revoked while it is open, and with a new link: says so within a minute", async ({ browser }) => {
  const first = await make("Revoked", [["One", 30]]);
  const { page, context } = await wall(browser, first);
  await expect(page.getByRole("article")).toHaveCount(1);
  await tell("Revoked", "New link");
  await staff.getByRole("button", { name: "Make the link" }).click();
  const second = await staff.getByRole("textbox", { name: "Link" }).inputValue();
  await staff.getByRole("button", { name: "I have kept it" }).click();
  await expect(page.getByRole("heading", { name: "This display has another link now" })).toBeVisible({ timeout: 60_000 });
  await page.goto(second);
  await expect(page.getByRole("article")).toHaveCount(1);
  await tell("Revoked", "Revoke");
  await staff.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await expect(page.getByRole("heading", { name: "This display was revoked" })).toBeVisible({ timeout: 60_000 });
  await expect(page.getByRole("article")).toHaveCount(0);
  await page.goto(second);
  await expect(page.getByRole("heading", { name: "This display was revoked" })).toBeVisible();
  await context.close();
});

test("survives a restart of the database, an hour without its server and the restart after it, and takes a new version", async ({ browser }) => {
  test.setTimeout(240_000);
  const context = await browser.newContext({ viewport: { width: 1920, height: 1080 } });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  await page.clock.install();
  await page.goto(
    await make("Tough", [
      ["Live line", 20],
      ["One", 20],
    ]),
  );
  await expect(page.getByRole("article").first()).toBeVisible();
  await page.evaluate(() => Object.assign(window, { loadedOnce: true }));
  const stays = async () => expect(await page.evaluate(() => "loadedOnce" in window)).toBe(true);
  const isLive = () => expect(front(page)).toContainText("live, data", { timeout: 60_000 });

  await stage.restartDatabase(async () => {
    await expect(page.getByRole("alert").filter({ hasText: "The database has been away" }).first()).toBeVisible({ timeout: 30_000 });
  });
  await stage.say("live/press", { state: "EXECUTE", pieces: 1 });
  await isLive();

  // An hour by the page's clock, while the server really is away. It goes on with its round and says how old everything is.
  await stage.web.stop("SIGKILL");
  const seen = new Set<string | null>();
  for (let minute = 0; minute < 60; minute += 5) {
    await page.clock.fastForward("05:00");
    await page.clock.runFor(1_500);
    seen.add(await front(page).getAttribute("data-line"));
  }
  expect(seen).toEqual(new Set(["works/hall/live", "works/hall/one"]));
  await expect(front(page)).toContainText(/has not heard from its server for 1 h \d+ min/);
  await expect(front(page).locator("article[data-state=run]")).toHaveCount(0);
  await stage.web.start();
  await stage.say("live/press", { state: "EXECUTE", pieces: 1 });
  await page.clock.runFor(20_000);
  await isLive();
  await stays();
  // the wall's clock is the server's again, although the screen's own is an hour (and what it was hurried by) ahead: set right by the next word of the server
  const now = new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/Berlin", hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const isRight = async () => {
    const clock = await front(page).locator("header time").first().textContent();
    return Array.from({ length: 7 }, (_, s) => now.format(Date.now() + (s - 4) * 1_000)).includes(clock ?? "");
  };
  await expect.poll(isRight, { timeout: 30_000 }).toBe(true);

  await stage.web.stop("SIGKILL");
  writeFileSync(join(stage.folder, ".next/BUILD_ID"), "another-build");
  await stage.web.start();
  await expect
    .poll(
      async () => {
        await page.clock.runFor(5_000).catch(() => undefined);
        return page.evaluate(() => "loadedOnce" in window).catch(() => true);
      },
      { timeout: 60_000 },
    )
    .toBe(false);
  await expect(page.getByRole("article").first()).toBeVisible();
  expect(faults).toEqual([]);
  await context.close();
});

test("its memory stays as it is, however often the boards change", async ({ browser }) => {
  test.setTimeout(120_000);
  const { page, context } = await wall(
    browser,
    await make("Long", [
      ["One", 3_600],
      ["Six machines", 3_600],
    ]),
  );
  const cdp = await context.newCDPSession(page);
  await cdp.send("Performance.enable");
  const size = async () => {
    await cdp.send("HeapProfiler.collectGarbage");
    const { metrics } = await cdp.send("Performance.getMetrics");
    const of = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? 0;
    return { heapMb: of("JSHeapUsedSize") / 1e6, nodes: of("Nodes"), listeners: of("JSEventListeners") };
  };
  const change = async (times: number) => {
    for (let n = 0; n < times; n += 1) {
      const board = n % 2 === 0 ? "six" : "one";
      await stage.rows("update display set pinned_line_id = (select id from line where key = $1) where name = 'Long'", [board]);
      await shown(page, board);
      await expect(front(page).getByRole("article").first()).toBeVisible();
    }
    await expect(page.locator("[data-line]")).toHaveCount(1);
  };
  await change(10);
  const before = await size();
  await change(40);
  const after = await size();
  expect(after.heapMb - before.heapMb).toBeLessThan(1);
  expect(after.nodes - before.nodes).toBeLessThan(50);
  expect(after.listeners - before.listeners).toBeLessThan(20);
  await context.close();
});

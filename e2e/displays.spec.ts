import AxeBuilder from "@axe-core/playwright";
import { expect, type Page, test } from "@playwright/test";
import { front, machine, Staff, shown, wall } from "./walls.ts";

let staff: Staff;
test.beforeAll(async ({ browser }) => {
  staff = await Staff.open(browser);
});
test.afterAll(() => staff?.close());

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

test("opens its board with nobody signed in, and nothing else", async ({ browser }) => {
  await staff.stage.say("live/press", { state: "EXECUTE", pieces: 3 });
  const link = await staff.make("Entrance", [["Live line", 30]]);
  const { page, context } = await wall(browser, link);
  await expect(machine(page, "Press")).toHaveAttribute("data-state", "run");
  // the address no longer has the link, no script reads it, and nothing leads away
  expect(page.url()).toBe(`${staff.stage.url}/display`);
  expect(await context.cookies()).toMatchObject([{ name: "takt-display", path: "/display", httpOnly: true, sameSite: "Lax" }]);
  expect(await page.evaluate(() => document.cookie)).not.toContain("takt-display");
  expect(await page.getByRole("link").count()).toBe(0);
  for (const path of ["/", "/screens", "/tokens", "/data-health", "/board/works/hall/live"]) {
    await page.goto(staff.stage.url + path);
    expect(new URL(page.url()).pathname).toBe("/sign-in");
  }
  const status = (path: string) => page.evaluate(async (address) => (await fetch(address)).status, path);
  const six = encodeURIComponent(JSON.stringify({ json: { site: "works", area: "hall", line: "six" } }));
  await page.goto(`${staff.stage.url}/display`);
  expect(await status(`/display/api/boards.line?input=${six}`)).toBe(404);
  expect(await status("/display/api/displays.list")).toBe(403);
  expect(await status("/api/trpc/boards.lines")).toBe(401);
  await context.close();
});

test("forged, cut and missing links open nothing and say so", async ({ browser }) => {
  const link = await staff.make("Forged", [["One", 30]]);
  const { page, context } = await wall(browser, `${link.slice(0, -4)}AAAA`);
  await expect(page.getByRole("heading", { name: "This link is not from here" })).toBeVisible();
  await page.goto(link.slice(0, -10));
  await expect(page.getByRole("heading", { name: "This link is not from here" })).toBeVisible();
  await page.goto(`${staff.stage.url}/display`);
  await expect(page.getByRole("heading", { name: "This screen has no display link" })).toBeVisible();
  await staff.stage.rows("update display set link_expires_at = now() - interval '1 second' where name = 'Forged'");
  await page.goto(link);
  await expect(page.getByRole("heading", { name: "This display's link has expired" })).toBeVisible();
  await context.close();
});

test("takes its boards in turn; is told to move on, to hold one, to say who it is; shows itself on the Screens page", async ({ browser }) => {
  const { page, context } = await wall(
    browser,
    await staff.make("Gate", [
      ["One", 1_000],
      ["Live line", 1_000],
    ]),
  );
  await shown(page, "one");
  await expect(staff.row("Gate")).toContainText("On");
  await expect(staff.row("Gate")).toContainText("1920 × 1080");
  await staff.tell("Gate", "Next board now");
  await shown(page, "live");
  await expect(page.locator("[data-line]")).toHaveCount(1); // the one before has faded away and is closed
  await staff.tell("Gate", "Pin a board");
  await staff.page.getByRole("button", { name: "Pin", exact: true }).click();
  await shown(page, "one");
  await expect(front(page)).toContainText("Pinned");
  await expect(staff.row("Gate")).toContainText("Pinned");
  await staff.tell("Gate", "End the pin");
  await expect(front(page)).not.toContainText("Pinned");
  await staff.page.getByRole("button", { name: "Identify Gate" }).click();
  await expect(page.locator("[data-identify]")).toContainText("Gate");
  await page.evaluate(() => Object.assign(window, { loadedOnce: true }));
  await staff.tell("Gate", "Reload the page");
  await expect.poll(() => page.evaluate(() => "loadedOnce" in window).catch(() => true), { timeout: 20_000 }).toBe(false);
  await context.close();
});

test("trouble on a board brings it up", async ({ browser }) => {
  await staff.stage.say("live/press", { state: "EXECUTE", fault: "0", pieces: 1 });
  const { page, context } = await wall(
    browser,
    await staff.make(
      "Alarm",
      [
        ["One", 3_600],
        ["Live line", 3_600],
      ],
      { raises: 2 },
    ),
  );
  await shown(page, "one");
  await staff.stage.say("live/press", { state: "ABORTED", fault: "F7" });
  await shown(page, "live");
  await expect(front(page)).toContainText("Press is down");
  await staff.tell("Alarm", "Next board now");
  await shown(page, "one");
  await context.close();
});

test("the page, its forms, a display and what it says are without faults for axe and for the browser", async ({ browser }) => {
  const said: string[] = [];
  const listen = (page: Page) => page.on("console", (message) => message.type() === "error" && said.push(message.text()));
  listen(staff.page);
  const link = await staff.make("Clean", [
    ["One", 1_000],
    ["Live line", 1_000],
  ]);
  await staff.page.getByRole("button", { name: "Clean", exact: true }).click();
  await expect(staff.page.getByText("Its link has not been opened yet.")).toBeVisible();
  await noFaultsForAxe(staff.page);
  for (const dialog of ["Edit", "Pin a board", "New link"]) {
    await staff.tell("Clean", dialog);
    await expect(staff.page.getByRole("dialog").getByRole("button").nth(1)).toBeVisible();
    await expect(staff.page.locator("[data-menu-dropdown]")).toHaveCount(0); // it fades away, empty
    await noFaultsForAxe(staff.page);
    await staff.page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
    await expect(staff.page.getByRole("dialog")).toHaveCount(0);
  }
  const { page, context } = await wall(browser, link);
  listen(page);
  await page.reload();
  await expect(page.getByRole("article").first()).toBeVisible();
  await noFaultsForAxe(page);
  await staff.page.getByRole("button", { name: "Identify Clean" }).click();
  await expect(page.locator("[data-identify]")).toBeVisible();
  await noFaultsForAxe(page);
  await page.goto(`${staff.stage.url}/display?closed=revoked`);
  await expect(page.getByRole("heading", { name: "This display was revoked" })).toBeVisible();
  await noFaultsForAxe(page);
  expect(said).toEqual([]);
  staff.page.removeAllListeners("console");
  await context.close();
});

test("when it was changed meanwhile, both are shown and nothing is lost", async () => {
  await staff.make("Twice", [["One", 30]]);
  await staff.tell("Twice", "Edit");
  await staff.page.getByRole("textbox", { name: "Name" }).fill("Twice, mine");
  await staff.stage.rows("update display set name = 'Twice, theirs', version = version + 1 where name = 'Twice'");
  await staff.page.getByRole("button", { name: "Save" }).click();
  const both = staff.page.getByRole("alert").filter({ hasText: "Someone else saved first" });
  await expect(both).toContainText("Twice, theirs");
  await staff.page.getByRole("button", { name: "Save mine, keep what only they changed" }).click();
  await expect(staff.row("Twice, mine")).toBeVisible();
});

test("revoked while it is open, and with a new link: says so within a minute", async ({ browser }) => {
  const first = await staff.make("Revoked", [["One", 30]]);
  const { page, context } = await wall(browser, first);
  await expect(page.getByRole("article")).toHaveCount(1);
  await staff.tell("Revoked", "New link");
  await staff.page.getByRole("button", { name: "Make the link" }).click();
  const second = await staff.page.getByRole("textbox", { name: "Link" }).inputValue();
  await staff.page.getByRole("button", { name: "I have kept it" }).click();
  await expect(page.getByRole("heading", { name: "This display has another link now" })).toBeVisible({ timeout: 60_000 });
  await page.goto(second);
  await expect(page.getByRole("article")).toHaveCount(1);
  await staff.tell("Revoked", "Revoke");
  await staff.page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await expect(page.getByRole("heading", { name: "This display was revoked" })).toBeVisible({ timeout: 60_000 });
  await expect(page.getByRole("article")).toHaveCount(0);
  await page.goto(second);
  await expect(page.getByRole("heading", { name: "This display was revoked" })).toBeVisible();
  await context.close();
});

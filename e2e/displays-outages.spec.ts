// A display on a wall that nobody touches: through outages, over an hour, and over many changes of its boards.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { front, Staff, shown, wall } from "./walls.ts";

let staff: Staff;
test.beforeAll(async ({ browser }) => {
  staff = await Staff.open(browser);
});
test.afterAll(() => staff?.close());

test("survives a restart of the database, an hour without its server and the restart after it, and takes a new version", async ({ browser }) => {
  test.setTimeout(240_000);
  const context = await browser.newContext({ viewport: { width: 1920, height: 1080 } });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  await page.clock.install();
  await page.goto(
    await staff.make("Tough", [
      ["Live line", 20],
      ["One", 20],
    ]),
  );
  await expect(page.getByRole("article").first()).toBeVisible();
  await page.evaluate(() => Object.assign(window, { loadedOnce: true }));
  const stays = async () => expect(await page.evaluate(() => "loadedOnce" in window)).toBe(true);
  const isLive = () => expect(front(page)).toContainText("live, data", { timeout: 60_000 });

  await staff.stage.restartDatabase(async () => {
    await expect(page.getByRole("alert").filter({ hasText: "The database has been away" }).first()).toBeVisible({ timeout: 30_000 });
  });
  await staff.stage.say("live/press", { state: "EXECUTE", pieces: 1 });
  await isLive();

  // An hour by the page's clock, while the server really is away. It goes on with its round and says how old everything is.
  await staff.stage.web.stop("SIGKILL");
  const seen = new Set<string | null>();
  for (let minute = 0; minute < 60; minute += 5) {
    await page.clock.fastForward("05:00");
    await page.clock.runFor(1_500);
    seen.add(await front(page).getAttribute("data-line"));
  }
  expect(seen).toEqual(new Set(["works/hall/live", "works/hall/one"]));
  await expect(front(page)).toContainText(/has not heard from its server for 1 h \d+ min/);
  await expect(front(page).locator("article[data-state=run]")).toHaveCount(0);
  await staff.stage.web.start();
  await staff.stage.say("live/press", { state: "EXECUTE", pieces: 1 });
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

  await staff.stage.web.stop("SIGKILL");
  writeFileSync(join(staff.stage.folder, ".next/BUILD_ID"), "another-build");
  await staff.stage.web.start();
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
    await staff.make("Long", [
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
      await staff.stage.rows("update display set pinned_line_id = (select id from line where key = $1) where name = 'Long'", [board]);
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

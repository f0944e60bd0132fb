// What a board shows while something that it lives by is away, and after.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, type Page, test } from "@playwright/test";
import { open } from "./open.ts";
import { signIn } from "./people.ts";
import { Stage } from "./stage.ts";

let stage: Stage;
test.beforeAll(async () => {
  stage = await Stage.open();
});
test.afterAll(() => stage?.close());
test.beforeEach(({ context }) => signIn(context, stage, "supervisor"));

const tile = (page: Page, name: string) => page.getByRole("article", { name, exact: true });

test("without its worker the whole board greys out, says so, and comes back", async ({ page }) => {
  test.setTimeout(120_000);
  await stage.say("live/press", { state: "EXECUTE", pieces: 1 });
  await open(page, `${stage.url}/board/works/hall/live`);
  await expect(tile(page, "Press")).toHaveAttribute("data-state", "run");
  await stage.worker.stop("SIGKILL");
  await expect(page.getByRole("alert").filter({ hasText: "The ingest worker has not been seen for" })).toBeVisible({ timeout: 30_000 });
  await expect(page.locator("article[data-state=run]")).toHaveCount(0);
  await expect(tile(page, "Press")).toContainText("Last known: Running");
  await stage.worker.start();
  await stage.say("live/press", { state: "EXECUTE", pieces: 1 });
  await expect(tile(page, "Press")).toHaveAttribute("data-state", "run", { timeout: 40_000 });
  await expect(page.getByText("The ingest worker has not been seen for")).toHaveCount(0);
});

test("survives a restart of the server, without being loaded again", async ({ page }) => {
  test.setTimeout(120_000);
  await open(page, `${stage.url}/board/works/hall/live`);
  await expect(tile(page, "Press")).toBeVisible();
  await page.evaluate(() => Object.assign(window, { loadedOnce: true }));
  await stage.web.stop(); // open streams of boards do not keep it
  await expect(page.getByText("reconnecting")).toBeVisible({ timeout: 30_000 });
  await stage.web.start();
  await stage.say("live/press", { state: "ABORTED", fault: "F7" });
  await expect(tile(page, "Press")).toContainText("Down", { timeout: 40_000 });
  expect(await page.evaluate(() => "loadedOnce" in window)).toBe(true);
});

test("a cut network greys the board after a minute, and it comes back by itself", async ({ page, context }) => {
  test.setTimeout(180_000);
  await stage.say("live/press", { state: "EXECUTE", fault: "0", pieces: 1 });
  await open(page, `${stage.url}/board/works/hall/live`);
  await expect(tile(page, "Press")).toHaveAttribute("data-state", "run");
  // An open stream outlives setOffline; a stopped server process is silent like a cut cable.
  await stage.web.stop("SIGKILL");
  await context.setOffline(true);
  await expect(page.getByText(/This screen has not heard from its server for 1:0/)).toBeVisible({ timeout: 80_000 });
  await expect(page.locator("article[data-state=run]")).toHaveCount(0);
  await stage.web.start();
  await context.setOffline(false);
  await stage.say("live/press", { state: "EXECUTE", pieces: 1 });
  await expect(tile(page, "Press")).toHaveAttribute("data-state", "run", { timeout: 40_000 });
});

test("takes a new version by itself", async ({ page }) => {
  test.setTimeout(120_000);
  await open(page, `${stage.url}/board/works/hall/live`);
  await expect(tile(page, "Press")).toBeVisible();
  await page.evaluate(() => Object.assign(window, { loadedOnce: true }));
  await stage.web.stop("SIGKILL");
  writeFileSync(join(stage.folder, ".next/BUILD_ID"), "another-build");
  await stage.web.start();
  await expect.poll(() => page.evaluate(() => "loadedOnce" in window).catch(() => true), { timeout: 60_000 }).toBe(false);
  await expect(tile(page, "Press")).toBeVisible();
});

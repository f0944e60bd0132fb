// What is typed is not lost: by Back, by closing a dialog, by somebody who saved first. And what there is not is said so.
import { expect, type Page, test } from "@playwright/test";
import { open } from "./open.ts";
import { signedIn } from "./people.ts";
import { Stage } from "./stage.ts";

let stage: Stage;
test.beforeAll(async () => {
  stage = await Stage.open();
});
test.afterAll(() => stage?.close());

const press = "/plant/machine/works/hall/live/press";
const field = (page: Page, name: string) => page.getByLabel(name).first();
const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
const question = (page: Page) => page.getByRole("dialog", { name: "Leave without saving?" });

test("Back asks before it takes away what was typed, as often as it is pressed", async ({ browser }) => {
  const context = await signedIn(stage, browser, "administrator");
  const page = await context.newPage();
  await open(page, `${stage.url}/plant/line/works/hall/live`);
  await page.getByRole("link", { name: "Oven" }).first().click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Oven");
  const address = page.url();
  await field(page, "Name").fill("Oven, and more");
  for (let n = 0; n < 2; n++) {
    await page.evaluate(() => history.back());
    await expect(question(page)).toBeVisible();
    await button(page, "Stay here").click();
    await expect(question(page)).toBeHidden();
    expect(page.url()).toBe(address);
    await expect(field(page, "Name")).toHaveValue("Oven, and more");
  }
  // Where the browser cannot hold it, the page is put back.
  await page.evaluate(() => {
    window.navigation.addEventListener("navigate", (event) => event.stopImmediatePropagation(), { capture: true });
    history.back();
  });
  await expect(question(page)).toBeVisible();
  await button(page, "Stay here").click();
  expect(page.url()).toBe(address);
  await expect(field(page, "Name")).toHaveValue("Oven, and more");
  // The palette leaves the page by program.
  await page.keyboard.press("Control+k");
  await page.getByPlaceholder("Where to? A page, a line …").fill("People");
  await page.getByRole("button", { name: /^People/ }).click();
  await expect(question(page)).toBeVisible();
  await button(page, "Stay here").click();
  await page.evaluate(() => history.back());
  await button(page, "Leave without saving").click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Live line");
  // A name that is marked as needed is.
  await field(page, "Name").fill(" ");
  await button(page, "Save").click();
  await expect(page.getByText("Say what people call it.")).toBeVisible();
  await expect(field(page, "Name")).toBeFocused();
  await context.close();
});

test("a dialog asks before it takes away what was typed: by Escape, its cross and Cancel", async ({ browser }) => {
  const context = await signedIn(stage, browser, "administrator");
  const page = await context.newPage();
  for (const [path, opener, name] of [
    ["/tokens", "New token", "Name"],
    ["/screens", "New display", "Name"],
    ["/terminals", "Make this browser a terminal", "Name"],
  ] as const) {
    await open(page, stage.url + path);
    await page.getByRole("button", { name: opener }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel(name).first().fill("Typed");
    const closes = [() => page.keyboard.press("Escape"), () => dialog.locator("header button").click(), () => button(page, "Cancel").first().click()];
    for (const close of closes) {
      await close();
      await expect(question(page)).toBeVisible();
      await button(page, "Stay here").click();
      await expect(question(page)).toBeHidden();
      await expect(dialog.getByLabel(name).first()).toHaveValue("Typed");
    }
    await page.keyboard.press("Escape");
    await button(page, "Leave without saving").click();
    await expect(dialog).toBeHidden();
  }
  await context.close();
});

test("who saves second sees what happened where they look, and takes nothing back that only the other changed", async ({ browser }) => {
  const context = await signedIn(stage, browser, "administrator", { viewport: { width: 1440, height: 900 } });
  const [mine, theirs] = [await context.newPage(), await context.newPage()];
  for (const page of [mine, theirs]) await open(page, stage.url + press);
  await field(mine, "Name").fill("Press of mine");
  await field(mine, "Kind").fill("press");
  await field(theirs, "Name").fill("Press of theirs");
  await field(theirs, "Standstill without a count after").fill("7m");
  await button(theirs, "Save").click();
  await expect(theirs.getByRole("heading", { level: 1 })).toHaveText("Press of theirs");
  await mine.evaluate(() => window.dispatchEvent(new Event("focus"))); // the page is looked at again: what is typed stays
  await button(mine, "Save").click();
  const panel = mine.getByRole("alert").filter({ hasText: "Someone else saved first" });
  await expect(panel).toBeInViewport({ ratio: 0.5 });
  expect(await panel.evaluate((alert) => alert.parentElement === document.activeElement)).toBe(true);
  await expect(mine.getByText("Not saved: someone else saved first.")).toBeInViewport();
  await expect(panel.getByRole("row")).toHaveCount(2); // its head, and the name: the cycle times are the same, however they are written
  await expect(panel.getByRole("row", { name: /^Name/ })).toContainText("Press of theirs");
  await expect(panel).toContainText("7m");
  await button(mine, "Save mine, keep what only they changed").click();
  await expect(mine.getByRole("heading", { level: 1 })).toHaveText("Press of mine");
  const [row] = await stage.rows<{ name: string; kind: string; timeout: string }>(
    "select name, kind, no_count_timeout_s as timeout from machine where key = 'press'",
  );
  expect({ ...row, timeout: Number(row?.timeout) }).toEqual({ name: "Press of mine", kind: "press", timeout: 420 });
  await context.close();
});

test("what there is not answers 404, in one frame, with ways on", async ({ browser }) => {
  const context = await signedIn(stage, browser, "administrator");
  const page = await context.newPage();
  for (const path of ["/people/nobody", "/plant/nokind/x", "/plant/site/nosuch", "/plant/new/line?under=works/nowhere"]) {
    const answer = await open(page, stage.url + path);
    expect(answer?.status(), path).toBe(404);
    await expect(page.getByRole("main")).toHaveCount(1);
    await expect(page.getByRole("banner")).toHaveCount(1);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("There is no such page");
    await expect(page.getByRole("main")).toContainText(path.split("?")[0] ?? path);
    await expect(page.getByRole("main").getByRole("link").first()).toBeVisible();
  }
  await open(page, `${stage.url}/plant/new/signal?parent=works/hall/live/press`);
  await expect(page.getByRole("main")).toContainText("What is missing: Machine.");
  for (const path of ["/people/%E0%A4%A", "/board/%E0%A4%A/a/b"]) {
    const answer = await page.goto(stage.url + path);
    expect(answer?.status(), path).toBe(400);
    await expect(page.getByText("This address is malformed")).toBeVisible();
  }
  await context.close();
});

import AxeBuilder from "@axe-core/playwright";
import { expect, test } from "@playwright/test";
import { fillIn, invitation, nameOf, password, pin, signedIn, somebody } from "./people.ts";
import { Stage } from "./stage.ts";

let stage: Stage;
test.beforeAll(async () => {
  stage = await Stage.open({ worker: false });
});
test.afterAll(() => stage?.close());

test("a shared terminal: registered, unlocked with a PIN, and locked when nobody touches it", async ({ browser }) => {
  const context = await signedIn(stage, browser, "supervisor", { viewport: { width: 1024, height: 768 }, hasTouch: true });
  const page = await context.newPage();
  await page.goto(`${stage.url}/terminals`);
  await page.getByRole("button", { name: "Make this browser a terminal" }).click();
  await page.getByLabel("Name").fill("Press, left");
  await page.getByRole("button", { name: "Register" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Who are you?");
  await page.clock.install();
  await page.goto(`${stage.url}/terminal`);
  await page.getByRole("button", { name: nameOf("operator") }).tap();
  for (const digit of "9999") await page.getByRole("button", { name: digit, exact: true }).tap();
  await page.getByRole("button", { name: "Unlock" }).tap();
  await expect(page.getByText("This PIN is not right.")).toBeVisible();
  for (const digit of pin) await page.keyboard.press(digit);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/board\/works\/hall\/live/);
  await expect(page.getByRole("button", { name: "Lock" })).toBeVisible();
  await page.clock.fastForward(80_000);
  await expect(async () => {
    await page.clock.fastForward(4_000);
    await expect(page.getByText(/locks in \d+ s/)).toBeVisible({ timeout: 700 });
  }).toPass();
  await page.clock.fastForward(15_000);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Who are you?");
  await page.goto(`${stage.url}/account`);
  await expect(page).toHaveURL(/sign-in/);
  const small = await page
    .goto(`${stage.url}/terminal`)
    .then(() => page.locator("main button").evaluateAll((all) => all.filter((one) => one.getBoundingClientRect().height < 48).length));
  expect(small).toBe(0);
  await context.close();
});

test("a PIN that a supervisor gives: not for who may do more, replaced with the own password, and said to its owner", async ({ browser }) => {
  const id = await somebody(stage, "petra", "operator");
  const own = await browser.newContext();
  const petra = await own.newPage();
  await petra.goto(await invitation(stage, id));
  await petra.getByLabel("Password", { exact: true }).fill("messing kompass wolke");
  await petra.getByRole("button", { name: "Set the password" }).click();
  await expect(petra).not.toHaveURL(/link/);
  const context = await browser.newContext({ viewport: { width: 1024, height: 768 } });
  const page = await context.newPage();
  await page.goto(`${stage.url}/sign-in?next=%2Fterminals`); // a session of this test's own: registering ends it
  await fillIn(page, "supervisor", password);
  await expect(page.getByRole("row", { name: nameOf("technician") })).toContainText("May do more here than you");
  await expect(page.getByRole("button", { name: `Give a new PIN to ${nameOf("technician")}` })).toHaveCount(0);
  await page.getByRole("button", { name: "Give a new PIN to petra Example" }).click();
  const given =
    (await page
      .getByRole("dialog")
      .getByText(/^\d{6}$/)
      .textContent()) ?? "";
  await page.getByText("Done", { exact: true }).click();
  await page.getByRole("button", { name: "Make this browser a terminal" }).click();
  await page.getByLabel("Name").fill("Press, right");
  await page.getByRole("button", { name: "Register" }).click();
  await page.getByRole("button", { name: "petra Example" }).click();
  for (const [asked, typed] of [
    ["Enter your PIN", given],
    ["Choose a PIN of your own", "8264"],
    ["The same once more", "8264"],
  ] as const) {
    await expect(page.getByText(asked)).toBeVisible();
    await page.keyboard.type(typed);
    await page.keyboard.press("Enter");
  }
  await page.getByLabel("Your password").fill("not the password");
  await page.keyboard.press("Enter");
  await expect(page.getByText("This is not your password.")).toBeVisible();
  await page.getByLabel("Your password").fill("messing kompass wolke");
  await page.getByRole("button", { name: "Unlock" }).click();
  await expect(page).not.toHaveURL(/terminal/);
  await petra.goto(`${stage.url}/start`);
  await expect(petra).toHaveURL(/account/);
  await expect(petra.getByText(`${nameOf("supervisor")} gave you a new PIN`)).toBeVisible();
  expect((await new AxeBuilder({ page: petra }).analyze()).violations).toEqual([]);
  await petra.getByRole("button", { name: "Understood" }).click();
  await expect(petra.getByText("gave you a new PIN")).toHaveCount(0);
  await petra.goto(`${stage.url}/start`);
  await expect(petra).not.toHaveURL(/account/);
  await context.close();
  await own.close();
});

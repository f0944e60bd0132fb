import { expect, test } from "@playwright/test";
import { open } from "./open.ts";

// The whole of it at work: the simulated plant through broker, worker and database, as npm run demo starts it. npm test names it in E2E_BASE_URL, and one of its
// accounts in E2E_LOGIN and E2E_PASSWORD.
const { E2E_LOGIN = "", E2E_PASSWORD = "" } = process.env;

test.beforeEach(async ({ page }) => {
  await open(page, "/sign-in");
  await page.getByLabel("E-mail address or user name").fill(E2E_LOGIN);
  await page.getByLabel("Password", { exact: true }).fill(E2E_PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page).not.toHaveURL(/sign-in/);
});

test("from the first screen to a live board of the simulated plant, and on to its data", async ({ page }) => {
  test.setTimeout(120_000);
  await open(page, "/");
  const lines = page.getByRole("link", { name: /running/ });
  await expect(lines).toHaveCount(5, { timeout: 30_000 });
  await page.getByRole("link", { name: /Filling and packing 1/ }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Filling and packing 1");
  await expect(page.getByRole("article")).toHaveCount(6);
  await expect(page.getByText(/^live, data \d+ s old$/)).toBeVisible({ timeout: 30_000 });
  // Whatever the hour of the day: the machines' states are known.
  await expect(page.locator("article[data-state=unknown]")).toHaveCount(0, { timeout: 60_000 });
  // It goes on: the clock and the ages by the second, the picture when something comes.
  const before = await page.getByRole("article").allInnerTexts();
  await expect.poll(() => page.getByRole("article").allInnerTexts()).not.toEqual(before);
  await page.getByRole("article").first().getByRole("link", { name: /old$/ }).click();
  await expect(page).toHaveURL(/data-health\?source=/);
  await expect(page.getByRole("dialog", { name: "Depalletiser" }).getByRole("row", { name: /state/ })).toBeVisible();
});

test("data health of the simulated plant: the worker is alive and its balance adds up", async ({ page }) => {
  await open(page, "/data-health");
  await expect(page.getByRole("link", { name: "1 ingest worker is alive" })).toBeVisible({ timeout: 15_000 });
  const worker = page.getByRole("article", { name: /Ingest worker/ });
  await expect(worker).toContainText("connected");
  await expect(worker).not.toContainText("not accounted for");
  await expect(page.getByRole("table", { name: "Sources" }).getByRole("row")).not.toHaveCount(1);
});

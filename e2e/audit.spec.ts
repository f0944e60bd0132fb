import AxeBuilder from "@axe-core/playwright";
import { expect, type Page, test } from "@playwright/test";
import { open } from "./open.ts";
import { nameOf, password, signedIn, signIn } from "./people.ts";
import { Stage } from "./stage.ts";

let stage: Stage;
test.beforeAll(async () => {
  stage = await Stage.open({ worker: false });
});
test.afterAll(async () => {
  await stage?.rows("update machine set name = 'Oven' where key = 'oven'"); // other specs share the plant
  await stage?.close();
});

/** A change of a machine, as the plant's screens make it: by somebody, with a reason. */
async function rename(name: string, why: string): Promise<void> {
  const said = { actor: { kind: "person", id: "0", name: "Walter Works" }, address: "192.0.2.9", userAgent: "Firefox", action: "plant.changed", why };
  await stage.rows("select set_config('takt.audit', $1, false)", [JSON.stringify(said)]);
  await stage.rows("update machine set name = $1 where key = 'oven'", [name]);
  await stage.rows("select set_config('takt.audit', '', false)");
}
const wcag = async (page: Page, part = "main") => {
  const { violations } = await new AxeBuilder({ page }).include(part).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]).analyze();
  expect(violations.map(({ id, nodes }) => ({ id, where: nodes.map((node) => `${node.target} ${node.failureSummary}`) }))).toEqual([]);
};

test("the trail says who did what and why, narrows down by the address, and goes out as a file that is itself recorded", async ({ page }) => {
  await signIn(page, stage, "quality");
  await rename("Oven 7", "New label");
  await open(page, `${stage.url}/audit`);
  const row = page.getByRole("row", { name: /Walter Works.*New label/ });
  await expect(row).toContainText("plant changed");
  await row.getByRole("button", { name: /20\d\d-/ }).click();
  await expect(page.getByRole("row", { name: "name Oven Oven 7", exact: true })).toBeVisible();
  await expect(page.getByText("192.0.2.9 · Firefox")).toBeVisible();
  await wcag(page);

  await page.getByLabel("Search", { exact: true }).fill("nothing like this");
  await expect(page.getByText("Nothing in the trail matches.")).toBeVisible();
  await expect(page).toHaveURL(/text=nothing/);
  await open(page, `${stage.url}/audit?who=walter&kind=machine`);
  await expect(page.getByLabel("Who", { exact: true })).toHaveValue("walter");
  await expect(page.getByRole("table", { name: "Audit trail" }).getByRole("row")).toHaveCount(2);

  await page.getByRole("button", { name: "Export" }).click();
  const download = page.waitForEvent("download");
  await page.getByRole("menuitem", { name: "CSV" }).click();
  expect((await download).suggestedFilename()).toMatch(/^takt-audit-\d{4}-\d\d-\d\d\.csv$/);
  await open(page, `${stage.url}/audit?action=audit.exported`);
  await expect(page.getByRole("row", { name: new RegExp(nameOf("quality")) })).toBeVisible();
});

test("an operator does not come in, not even to the file", async ({ browser }) => {
  const context = await signedIn(stage, browser, "operator");
  expect((await context.request.get(`${stage.url}/audit`)).status()).toBe(403);
  expect((await context.request.get(`${stage.url}/audit/export?format=csv`)).status()).toBe(403);
  await context.close();
});

test("a configuration is signed with name and password, and the signature no longer holds once it changes", async ({ page }) => {
  await signIn(page, stage, "quality");
  await open(page, `${stage.url}/audit/signatures`);
  const site = page.getByRole("region", { name: "Configuration of Works" });
  await expect(site).toContainText("Nobody has signed this yet.");
  await site.getByRole("button", { name: "Sign this" }).click();
  const dialog = page.getByRole("dialog", { name: "Sign electronically" });
  await dialog.getByRole("button", { name: "Sign", exact: true }).click();
  for (const fault of ["Say what your signature means.", "Give the user name or address with which you sign in.", "Give your password."])
    await expect(dialog.getByText(fault)).toBeVisible();
  await wcag(page, "[role=dialog]");
  await dialog.getByRole("radio", { name: "Approval" }).check();
  await dialog.getByLabel("User name or mail address").fill("quality");
  await dialog.getByLabel("Your password").fill("not the right one");
  await dialog.getByRole("button", { name: "Sign", exact: true }).click();
  await expect(dialog.getByText("This is not your password.")).toBeVisible();
  await dialog.getByLabel("Your password").fill(password);
  await dialog.getByRole("button", { name: "Sign", exact: true }).click();
  await expect(dialog).toBeHidden();
  await expect(site).toContainText("Signed, and unchanged since");
  await expect(site).toContainText(nameOf("quality"));
  await expect(site).toContainText("Approval");
  await wcag(page);

  await rename("Oven 8", "After the signature");
  await open(page, page.url());
  await expect(site).toContainText("Changed since: no longer valid");
  await site.getByRole("button", { name: "Sign this" }).click();
  await expect(dialog.getByLabel("User name or mail address")).toHaveCount(0); // given at the first signature of this session
  await open(page, `${stage.url}/audit?action=signature`);
  await expect(page.getByRole("row", { name: /signature refused/ })).toContainText("This is not your password.");
});

// People as an administrator looks after them, in a browser.
import AxeBuilder from "@axe-core/playwright";
import { expect, type Page, test } from "@playwright/test";
import { open } from "./open.ts";
import { nameOf, signedIn } from "./people.ts";
import { Stage } from "./stage.ts";

let stage: Stage;
test.beforeAll(async () => {
  stage = await Stage.open();
  await stage.say("live/press", { state: "EXECUTE", pieces: 1 });
});
test.afterAll(() => stage.close());

const idOf = async (name: string): Promise<string> => (await stage.rows<{ id: string }>("select id from person where name = $1", [name]))[0]?.id ?? "";
const field = (page: Page, name: string) => page.getByLabel(name, { exact: true });
const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });

for (const [scheme, viewport] of [
  ["light", { width: 1440, height: 900 }],
  ["dark", { width: 390, height: 844 }],
] as const) {
  test(`no fault that axe finds, ${scheme}, ${viewport.width} wide`, async ({ browser }) => {
    const context = await signedIn(stage, browser, "administrator", { colorScheme: scheme, viewport });
    const page = await context.newPage();
    for (const path of ["/people", "/people/new", `/people/${await idOf(nameOf("operator"))}`]) {
      await page.goto(stage.url + path);
      await expect(page.locator("h1").first()).toBeVisible();
      if (path === "/people/new") {
        await button(page, "Add a role").click();
        await field(page, "Role 1").selectOption("operator");
        await button(page, "Create").click();
        await expect(page.getByText("The person needs a name.")).toBeVisible();
      }
      await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => null))));
      await page.evaluate(() => scrollTo(0, 0)); // a link that has scrolled halfway below the frame's head is no small target
      // The frame around it is looked at in pages.spec.ts.
      const { violations } = await new AxeBuilder({ page }).include("main").withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]).analyze();
      expect(violations.map(({ id, nodes }) => ({ path, id, where: nodes.map((node) => `${node.target} ${node.failureSummary}`) }))).toEqual([]);
    }
    await context.close();
  });
}

test("a new person is invited, comes in, and sees what their role is for", async ({ browser }) => {
  const context = await signedIn(stage, browser, "administrator");
  const page = await context.newPage();
  await page.goto(`${stage.url}/people`);
  await page.getByRole("link", { name: "New person" }).click();
  await field(page, "Name").fill("  Nina   <b>Neu</b> ");
  await field(page, "E-mail address").fill("not an address");
  await button(page, "Add a role").click();
  await field(page, "Role 1").selectOption("operator");
  await page.getByRole("combobox", { name: "Lines" }).click();
  await page.getByRole("option", { name: "Live line (Hall)" }).click();
  await page.keyboard.press("Escape");
  await button(page, "Create").click();
  await expect(page.getByText("This is no e-mail address.")).toBeVisible();
  await field(page, "E-mail address").fill("Nina@Example.com");
  await button(page, "Create").click();
  await expect(page.getByRole("heading", { name: "Nina <b>Neu</b>" })).toBeVisible();
  await expect(page.getByText("Not signed in yet")).toBeVisible();
  await button(page, "Make an invitation").click();
  const link = (await page.locator("code").textContent()) ?? "";

  const hers = await browser.newContext();
  const nina = await hers.newPage();
  await nina.goto(`${stage.url}/link${link.slice(link.indexOf("#"))}`);
  await nina
    .getByLabel("Password", { exact: true })
    .or(nina.getByLabel("New password", { exact: true }))
    .first()
    .fill("quite a few words in a row");
  await nina.getByRole("button", { name: "Set the password" }).click();
  await expect(nina).toHaveURL(`${stage.url}/board/works/hall/live`); // the only line that is hers
  await expect(nina.getByRole("article", { name: "Press" })).toBeVisible();
  expect((await nina.request.get(`${stage.url}/board/works/hall/one`)).status()).toBe(404);
  expect((await nina.request.get(`${stage.url}/people`)).status()).toBe(403);
  await nina.goto(`${stage.url}/people`);
  await expect(nina.getByRole("heading", { name: "You may not open “People”" })).toBeVisible();
  await expect(nina.getByText("It is for: Plant manager or Administrator.")).toBeVisible();

  // While her board is open, the right to it is taken away.
  await nina.goto(`${stage.url}/board/works/hall/live`);
  await expect(nina.getByRole("article", { name: "Press" })).toBeVisible();
  await page.reload();
  await expect(page.getByText("Active", { exact: true })).toBeVisible();
  await button(page, "Remove role 1").click();
  await button(page, "Save").click();
  await expect(page.getByText("No roles: this person could sign in and see nothing.")).toBeVisible();
  await expect(nina.getByRole("article", { name: "Press" })).toHaveCount(0, { timeout: 10_000 });
  await expect(nina.getByRole("heading", { name: "You may not open this page" })).toBeVisible({ timeout: 60_000 });
  await button(page, "Disable").click();
  await page.getByRole("dialog").getByRole("button", { name: "Disable" }).click();
  await expect(page.getByText("is disabled and signed out everywhere.")).toBeVisible();
  await nina.goto(`${stage.url}/`);
  await expect(nina).toHaveURL(/\/sign-in/);
  await hers.close();
  await context.close();
});

test("who saves second sees both, and chooses", async ({ browser }) => {
  const context = await signedIn(stage, browser, "administrator");
  const address = `${stage.url}/people/${await idOf(nameOf("storekeeper"))}`;
  const [mine, theirs] = [await context.newPage(), await context.newPage()];
  for (const page of [mine, theirs]) await open(page, address);
  await field(mine, "Name").fill("Storekeeper Mine");
  await field(theirs, "Name").fill("Storekeeper Theirs");
  await button(theirs, "Save").click();
  await expect(theirs.getByRole("heading", { name: "Storekeeper Theirs" })).toBeVisible();
  await button(mine, "Save").click();
  await expect(mine.getByText("Someone else saved first", { exact: true })).toBeVisible();
  const row = mine.getByRole("row", { name: /^Name/ });
  await expect(row).toContainText("Storekeeper Mine");
  await expect(row).toContainText("Storekeeper Theirs");
  await expect(field(mine, "Name")).toHaveValue("Storekeeper Mine");
  await button(mine, "Drop my changes, take what is stored").click();
  await expect(field(mine, "Name")).toHaveValue("Storekeeper Theirs");
  await field(mine, "Name").fill(nameOf("storekeeper"));
  await button(mine, "Save").click();
  await expect(mine.getByRole("heading", { name: nameOf("storekeeper") })).toBeVisible();
  await context.close();
});

test("the last administrator of all sites stays one, and nobody leaves work behind unasked", async ({ browser }) => {
  const context = await signedIn(stage, browser, "administrator");
  const page = await context.newPage();
  await open(page, `${stage.url}/people/${await idOf(nameOf("administrator"))}`);
  await expect(button(page, "Disable")).toHaveCount(0); // oneself
  await field(page, "Role 1").selectOption("viewer");
  await page.getByRole("link", { name: "Lines", exact: true }).click();
  await expect(page.getByText("Leave without saving?")).toBeVisible();
  await page.getByText("Stay here", { exact: true }).click();
  await button(page, "Save").click();
  await expect(page.getByText("This is the last administrator of all sites.")).toBeVisible();
  await page.reload();
  await expect(field(page, "Role 1")).toHaveValue("administrator");
  await context.close();
});

test("people are found by name, role and site, and the address holds what is looked for", async ({ browser }) => {
  const context = await signedIn(stage, browser, "plant_manager");
  const page = await context.newPage();
  await page.goto(`${stage.url}/people`);
  await expect(page.getByRole("link", { name: "New person" })).toHaveCount(0);
  // Before the page's own program runs, a choice is not heard.
  await expect(async () => {
    await page.getByLabel("Only people with this role").selectOption("quality");
    await expect(page).toHaveURL(/role=quality/, { timeout: 500 });
  }).toPass();
  await expect(page.getByRole("row")).toHaveCount(2);
  await page.reload();
  await expect(page.getByRole("link", { name: nameOf("quality") })).toBeVisible();
  await page.getByRole("link", { name: nameOf("quality") }).click();
  await expect(page.getByRole("heading", { name: nameOf("quality") })).toBeVisible();
  await expect(button(page, "Save")).toHaveCount(0);
  await context.close();
});

// From an empty database with nothing but the screens: from the first administrator to a board that runs, and on as a file to another empty database.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, type Page, test } from "@playwright/test";
import { open } from "./open.ts";
import { authSecret } from "./people.ts";
import { Stage } from "./stage.ts";
import { command, newStore, removeStore, type Store } from "./store.ts";

let store: Store;
let stage: Stage;
test.beforeAll(async () => {
  test.setTimeout(120_000);
  store = await newStore(`nothing-${process.pid}`);
  stage = await Stage.open({ store });
});
test.afterAll(async () => {
  await stage?.close();
  if (store) await removeStore(store);
});

const machines = ["press-1", "press-2", "press-3"] as const;

/** Three controllers that speak as their vendor made them: nobody here knows their topics. */
function speak(): () => void {
  let pieces = 100;
  const timer = setInterval(() => {
    pieces += 1;
    const values = { status: "EXECUTE", okCount: pieces, oil: 451 + (pieces % 9) };
    for (const machine of machines)
      for (const [name, v] of Object.entries(values))
        void stage.mqtt.publishAsync(`plc7/${machine}/${name}`, JSON.stringify({ time: Date.now(), v }), { qos: 1 });
  }, 1_000);
  return () => clearInterval(timer);
}

/** Fills the form that is open and saves it. */
async function save(page: Page, fields: Record<string, string>, choices: Record<string, string | RegExp> = {}): Promise<void> {
  for (const [label, text] of Object.entries(fields)) await page.getByRole("textbox", { name: label, exact: true }).fill(text);
  for (const [label, choice] of Object.entries(choices)) {
    const box = page.getByRole("combobox", { name: label, exact: true });
    await box.click();
    if (typeof choice === "string") await box.fill(choice);
    await page.getByRole("option", { name: choice }).first().click();
  }
  const stored = page.waitForResponse((answer) => answer.url().includes("plant.put"));
  await page.getByRole("button", { name: "Save", exact: true }).click();
  expect((await stored).ok()).toBe(true);
}
const heading = (page: Page, name: string) => expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
/** Presses what leads to the form of something new, fills it in, and arrives at the page of the new thing. */
async function add(page: Page, what: string, name: string, key: string, choices: Record<string, string | RegExp> = {}): Promise<void> {
  await page.getByRole("link", { name: what, exact: true }).first().click();
  await heading(page, what);
  await save(page, { Name: name, Key: key }, choices);
  await heading(page, name);
}

test("site, line, three machines, signals from unknown topics, product, cycle, shifts: a board that runs", async ({ page }) => {
  test.setTimeout(300_000);
  page.setDefaultTimeout(20_000);
  const startedAt = Date.now();
  const env = { DATABASE_URL: store.databaseUrl, AUTH_SECRET: authSecret, PUBLIC_URL: stage.url };
  const link = /http\S+\/link#[\w-]+/.exec(await command(["server/people/cli.ts", "invite-administrator"], env))?.[0] ?? "";
  const hush = speak();
  try {
    await open(page, link);
    await page.getByLabel("Your name").fill("Ada Example");
    await page.getByLabel("E-mail address or user name").fill("ada");
    await page.getByLabel("Password", { exact: true }).fill("messing kompass wolke");
    await page.getByRole("button", { name: "Make the account" }).click();
    await expect(page).not.toHaveURL(/link/);

    await open(page, `${stage.url}/plant`);
    await page.getByRole("link", { name: "Name the enterprise" }).click();
    await save(page, { Name: "Example Works", Key: "example" }, { Currency: /^EUR/ });
    await page.getByRole("link", { name: "Plant" }).first().click();
    await add(page, "Add a product line", "Housings", "housings");
    await add(page, "Add a product", "Housing 100", "H-100");
    await page.getByRole("link", { name: "Plant" }).first().click();
    await add(page, "Add a site", "Berlin", "berlin", { "Time zone": "Europe/Berlin" });

    await add(page, "Add a shift pattern", "Round the clock", "round");
    for (const [name, key, start, end] of [
      ["Day", "day", "06:00", "18:00"],
      ["Night", "night", "18:00", "06:00"],
    ] as const) {
      await page.getByRole("link", { name: "Add a shift", exact: true }).click();
      for (const day of ["Sat", "Sun"]) await page.getByText(day, { exact: true }).click();
      await save(page, { Name: name, Key: key, Start: start, End: end });
      await heading(page, name);
      await page.getByRole("navigation", { name: "Where you are" }).getByRole("link", { name: "Round the clock" }).click();
    }
    await page.getByRole("navigation", { name: "Where you are" }).getByRole("link", { name: "Berlin" }).click();
    await add(page, "Add an area", "Press shop", "press-shop");
    await add(page, "Add a line", "Line 1", "line-1");
    await page.getByRole("button", { name: "Add a row to Shift patterns in force" }).click();
    await save(page, {}, { Pattern: /Round the clock/ });
    for (const [index, key] of machines.entries()) {
      await page.getByRole("link", { name: "Add a machine", exact: true }).click();
      await page.getByRole("button", { name: "Add a row to Ideal cycle times" }).click();
      await page.getByRole("textbox", { name: "Seconds per piece" }).fill("1.5");
      await save(page, { Name: `Press ${index + 1}`, Key: key });
      await heading(page, `Press ${index + 1}`);
      await page.getByRole("navigation", { name: "Where you are" }).getByRole("link", { name: "Line 1" }).click();
    }

    await mapSignals(page);

    await open(page, `${stage.url}/board/berlin/press-shop/line-1`);
    for (const index of [1, 2, 3])
      await expect(page.getByRole("article", { name: `Press ${index}` })).toHaveAttribute("data-state", "run", { timeout: 30_000 });
    await expect(page.getByText(/^live, data \d+ s old$/)).toBeVisible({ timeout: 30_000 });
    console.log(`from nothing to a board that runs: ${Math.round((Date.now() - startedAt) / 1000)} s`);

    // The same plant as a file, on another empty database, and out of that again.
    await open(page, `${stage.url}/plant`);
    const coming = page.waitForEvent("download");
    await page.getByRole("link", { name: "Export as YAML" }).click();
    const file = join(stage.folder, "plant.yaml");
    await (await coming).saveAs(file);
    const other = await newStore(`nothing-again-${process.pid}`);
    try {
      await command(["server/plant/cli.ts", "apply", file, "--yes"], { DATABASE_URL: other.databaseUrl });
      const again = await command(["server/plant/cli.ts", "export"], { DATABASE_URL: other.databaseUrl });
      writeFileSync(`${file}.again`, again);
      expect(readFileSync(`${file}.again`).equals(readFileSync(file))).toBe(true);
    } finally {
      await removeStore(other);
    }
  } finally {
    hush();
  }
});

/** State, pieces and oil temperature of all three, from what already arrives: seen before it is saved. */
async function mapSignals(page: Page): Promise<void> {
  await open(page, `${stage.url}/data-health`);
  for (const [name, role, becomes] of [
    ["status", "State", /EXECUTE/],
    ["okCount", "Good pieces", /\d+/],
    ["oil", "Measurement", /4\d\.\d °C/],
  ] as const) {
    const row = page.getByRole("row", { name: new RegExp(`plc7/press-1/${name}`) });
    await row.getByRole("button").last().click();
    const dialog = page.getByRole("dialog", { name: "Which signal is this?" });
    await dialog.getByText("Several topics alike").click();
    await expect(dialog.getByLabel("Pattern of the topics")).toHaveValue(`plc7/+/${name}`);
    await dialog.getByLabel("Time in the message").click();
    await page.getByRole("option", { name: /^time/ }).click();
    await dialog.getByRole("combobox", { name: "Role" }).click();
    await page.getByRole("option", { name: role, exact: true }).click();
    if (name === "oil") {
      await dialog.getByLabel("Unit").fill("Cel");
      await page.keyboard.press("Escape");
      await dialog.getByLabel("Factor").fill("0.1");
    }
    for (const machine of machines) await expect(dialog.getByRole("row").filter({ hasText: `plc7/${machine}/${name}` })).toContainText(becomes);
    await dialog.getByRole("button", { name: "Map 3 topics" }).click();
    await expect(page.getByText(/^Mapped\. The worker tries/)).toBeVisible();
    await expect(row).toHaveCount(0);
  }
}

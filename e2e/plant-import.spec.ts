import { expect, type Page, test } from "@playwright/test";
import { open } from "./open.ts";
import { signIn } from "./people.ts";
import { Stage } from "./stage.ts";

let stage: Stage;
test.beforeAll(async () => {
  stage = await Stage.open({ worker: false });
});
test.afterAll(() => stage.close());
test.beforeEach(async ({ context }) => {
  await signIn(context, stage, "administrator");
});

const choose = async (page: Page, name: string, content: string) => {
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: /^Choose (a|another) file$/ }).click();
  await (await chooser).setFiles({ name, mimeType: "text/csv", buffer: Buffer.from(content) });
};
/** The framework says the page's title in one of its own. */
const alert = (page: Page) => page.locator("main").getByRole("alert");
const machinesOf = (line: string) =>
  stage.rows<{ key: string }>("select m.key from machine m join line l on l.id = m.line_id where l.key = $1 order by m.key", [line]);

test("every wrong cell is shown by row and column, nothing is written; mended, all of it is, and a second time nothing changes", async ({ page }) => {
  const before = await machinesOf("no-plan");
  await open(page, `${stage.url}/plant`);
  await page.getByRole("link", { name: "Import CSV or Excel" }).click();
  await page.getByRole("combobox", { name: "What the table holds" }).click();
  await page.getByRole("option", { name: "Machines", exact: true }).click();
  await expect(page).toHaveURL(/sheet=machines/);
  // As a spreadsheet of a German office writes it.
  const rows = ["works/hall/no-plan;saw-1;Säge 1;saw", "works/hall/nowhere;saw-2;Säge 2;saw", "works/hall/no-plan;bad key;Säge 3;saw"];
  const table = (lines: string[]) => `\uFEFFline;key;name;kind\r\n${lines.join("\r\n")}\r\n`;
  await choose(page, "machines.csv", table(rows));
  await expect(alert(page)).toContainText("2 cells are wrong in 3 rows");
  const wrong = page.getByRole("table", { name: "Wrong cells" });
  await expect(wrong.getByRole("row", { name: /^3 line works\/hall\/nowhere/ })).toBeVisible();
  await expect(wrong.getByRole("row", { name: /^4 key bad key/ })).toBeVisible();
  await expect(page.getByRole("button", { name: /^Import/ })).toHaveCount(0);
  expect(await machinesOf("no-plan")).toEqual(before);

  await choose(page, "machines.csv", table([rows[0] ?? "", "works/hall/no-plan;saw-2;Säge 2;saw"]));
  await expect(page.getByRole("heading", { name: /^2 rows: / })).toBeVisible();
  await page.getByLabel("Why (for the audit trail)").fill("Two saws came");
  await page.getByRole("button", { name: "Import 2 rows" }).click();
  await expect(page.getByText("2 rows were imported")).toBeVisible();
  expect((await machinesOf("no-plan")).map(({ key }) => key)).toEqual([...before.map(({ key }) => key), "saw-1", "saw-2"].sort());
  const [entry] = await stage.rows("select why from audit_entry where action = 'plant.machines_imported' order by at desc limit 1");
  expect(entry).toEqual({ why: "Two saws came" });

  await choose(page, "machines.csv", table([rows[0] ?? "", "works/hall/no-plan;saw-2;Säge 2;saw"]));
  await expect(page.getByRole("heading", { name: "All 2 rows are in the plant already: nothing would change." })).toBeVisible();
});

// Large files run in a process of their own, which must be whole in the build (scripts/build/import-child.ts).
test("a large file is imported by the built server, and a hundred thousand rows are looked through", async ({ page }) => {
  test.setTimeout(120_000);
  const rows = (count: number, name: string) =>
    `machine,key,name,role,unit,topic,path\n${Array.from({ length: count }, (_, i) => `works/hall/no-plan/saw-1,${name}${i},${name} of the saw ${i},measurement,Cel,hall/no-plan/saw-1/${name}/${i},value`).join("\n")}\n`;
  const large = rows(2_500, "large");
  expect(Buffer.byteLength(large)).toBeGreaterThan(205 * 1024);
  await open(page, `${stage.url}/plant/import?sheet=signals`);
  await choose(page, "signals.csv", large);
  await expect(page.getByRole("heading", { name: /^2,500 rows: / })).toBeVisible({ timeout: 30_000 });
  await page.getByRole("button", { name: "Import 2,500 rows" }).click();
  await expect(page.getByText("2,500 rows were imported")).toBeVisible({ timeout: 30_000 });
  expect(await stage.rows("select count(*)::int as n from signal where key like 'large%'")).toEqual([{ n: 2_500 }]);
  await choose(page, "signals.csv", rows(100_000, "huge"));
  await expect(page.getByRole("heading", { name: /^100,000 rows: / })).toBeVisible({ timeout: 90_000 });
});

test("what cannot be read is said, and the file stays chosen", async ({ page }) => {
  await open(page, `${stage.url}/plant/import?sheet=products`);
  await choose(page, "products.csv", "nothing\nof\nthe\nkind");
  await expect(alert(page)).toBeVisible();
  await expect(page.getByText(/^products\.csv/)).toBeVisible();
  await stage.web.stop();
  await page.getByRole("button", { name: "Choose another file" }).waitFor();
  await choose(page, "other.csv", "product_line,key,name\n");
  await expect(alert(page)).toContainText("The server did not answer. Nothing was changed.");
  await stage.web.start();
  await page.getByRole("button", { name: "Look through the file again" }).click();
  await expect(page.getByText("The server did not answer")).toHaveCount(0);
  await expect(page.getByText(/^other\.csv/)).toBeVisible();
});

test("templates come as CSV and as Excel, and a template is itself a table that is understood", async ({ page }) => {
  await open(page, `${stage.url}/plant/import?sheet=reasons`);
  for (const [name, begins] of [
    ["CSV template", "site"],
    ["Excel template", "PK"],
  ] as const) {
    const coming = page.waitForEvent("download");
    await page.getByRole("link", { name }).click();
    const chunks: Buffer[] = [];
    for await (const chunk of await (await coming).createReadStream()) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString("latin1").replace("\u00EF\u00BB\u00BF", "").startsWith(begins)).toBe(true);
  }
});

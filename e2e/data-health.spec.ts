import { expect, type Page, test } from "@playwright/test";
import { open } from "./open.ts";
import { signedIn, signIn } from "./people.ts";
import { Stage } from "./stage.ts";

let stage: Stage;
test.beforeAll(async () => {
  stage = await Stage.open();
});
test.afterAll(() => stage?.close());
test.beforeEach(async ({ context }) => {
  await signIn(context, stage, "administrator");
  await stage.rows("update dead_letter set status = 'discarded' where status = 'open'"); // each test has its own letters
});

const section = (page: Page, name: string) => page.locator("section").filter({ has: page.getByRole("heading", { level: 2, name, exact: true }) });
const openHealth = (page: Page, query = "") => open(page, `${stage.url}/data-health${query}`);
const machine = "takt/v1/works/hall/live/press";
/** Letters that the worker has set aside, by now. */
const letters = (where: string) =>
  stage.rows<{ status: string; reason_code: string }>(`select status, reason_code from dead_letter where ${where} and status <> 'discarded'`);

test("says how the worker fares, with a balance that adds up", async ({ page }) => {
  await stage.say("live/press", { state: "EXECUTE", pieces: 5 });
  await openHealth(page);
  const card = page.getByRole("article", { name: "Ingest worker ingest" });
  await expect(card).toContainText("alive");
  await expect(card).toContainText("connected");
  await expect(card).not.toContainText("not accounted for");
  await expect(page.getByRole("link", { name: "1 ingest worker is alive" })).toBeVisible();
});

test("shows a source's signals with their newest values", async ({ page }) => {
  await stage.publish(`${machine}/temperature`, { ts: Date.now(), value: 71.25 });
  await openHealth(page);
  await section(page, "Sources").getByRole("button", { name: "Press", exact: true }).click();
  await expect(page).toHaveURL(/source=works%2Fhall%2Flive%2Fpress/);
  const drawer = page.getByRole("dialog", { name: "Press" });
  await expect(drawer.getByRole("row", { name: /temperature/ })).toContainText("71.25 °C");
  await page.keyboard.press("Escape");
  await expect(drawer).toBeHidden();
  // A link shows what its sender saw.
  await openHealth(page, "?source=works%2Fhall%2Flive%2Foven&sources.q=oven");
  await expect(page.getByRole("dialog", { name: "Oven" })).toBeVisible();
});

test("the filter and the order are in the address", async ({ page }) => {
  await openHealth(page);
  const sources = section(page, "Sources");
  await sources.getByRole("textbox", { name: "Filter Sources" }).fill("oven");
  await expect(sources.getByRole("row")).toHaveCount(2);
  await sources.getByRole("button", { name: "Last value" }).click();
  await expect(page).toHaveURL(/sources\.q=oven.*sources\.sort=seen%3Aasc/);
  await open(page, page.url());
  await expect(sources.getByRole("row")).toHaveCount(2);
  await expect(sources.getByRole("columnheader", { name: "Last value" })).toHaveAttribute("aria-sort", "ascending");
});

test("of a long topic two lines are shown, and all of it at a press", async ({ page }) => {
  const topic = `${machine}/${"x".repeat(400)}`;
  await stage.publish(topic, { ts: Date.now(), value: 1 });
  await expect.poll(() => letters(`topic = '${topic}'`)).toHaveLength(1);
  await openHealth(page);
  const row = section(page, "Dead letters").getByRole("row").last();
  const press = row.getByRole("button", { name: "Show all of it" }).last();
  await expect(press).toBeVisible();
  await expect(row.getByTitle(topic, { exact: true })).toBeVisible();
  const height = async () => (await row.boundingBox())?.height ?? 0;
  const before = await height();
  expect(before).toBeLessThan(140);
  await press.click();
  await expect(row.getByRole("button", { name: "Show less" })).toHaveCount(1);
  await expect.poll(height).toBeGreaterThan(before);
});

test("an unknown signal is mapped with one click, and what waited is written", async ({ page }) => {
  const at = Date.now() - 60_000;
  for (let i = 0; i < 3; i++) await stage.publish(`${machine}/temp`, { ts: at + i * 1000, value: 60 + i });
  await openHealth(page);
  const unknown = section(page, "Unknown signals");
  await expect(unknown.getByRole("row", { name: /press\/temp/ }).locator("[data-label=Letters]")).toHaveText("3");
  await unknown.getByRole("button", { name: "Map to Press › temperature" }).click();
  await expect(page.getByText("Mapped. The worker tries 3 letters again.")).toBeVisible();
  await expect(unknown.getByRole("row", { name: /press\/temp/ })).toHaveCount(0);
  await expect.poll(() => letters(`topic = '${machine}/temp'`)).toEqual(Array(3).fill({ status: "resolved", reason_code: "unknown_signal" }));
  const written = await stage.rows<{ n: number }>(
    "select count(*)::int as n from sample s join signal g on g.id = s.signal_id where g.key = 'temperature' and s.at between to_timestamp($1) and to_timestamp($2)",
    [(at - 1) / 1000, (at + 3_000) / 1000],
  );
  expect(written).toEqual([{ n: 3 }]);
  // What comes from now on leads there too, also as one of many keys of the machine's own message.
  await stage.publish(machine, { ts: Date.now(), temp: 66.5 });
  await expect
    .poll(() =>
      stage.rows(
        "select value from signal_latest t join signal g on g.id = t.signal_id join machine m on m.id = g.machine_id where g.key = 'temperature' and m.key = 'press'",
      ),
    )
    .toEqual([{ value: 66.5 }]);
});

const mapping = (page: Page) => page.getByRole("dialog", { name: "Which signal is this?" });
const unknownRow = (page: Page, name: RegExp) => section(page, "Unknown signals").getByRole("row", { name });

test("an unknown signal becomes a new one on a known machine, and so do the other values of its message", async ({ page }) => {
  await stage.publish("plc7/station4", { ts: Date.now(), station: { scrapCount: 41, oilPressure: 3.25 } });
  await openHealth(page);
  const row = unknownRow(page, /plc7\/station4 at station\.scrapCount/);
  await expect(row).toContainText("at station.scrapCount");
  await row.getByRole("button", { name: "Map to …" }).click();
  const dialog = mapping(page);
  await expect(dialog.getByRole("combobox", { name: "Role" })).toHaveValue("Rejected pieces");
  await expect(dialog.getByRole("listitem")).toContainText("41");
  // What is missing is said before anything is sent, and nothing typed is lost.
  await dialog.getByLabel("Key").fill("scrap2");
  await dialog.getByRole("button", { name: "Map and try 1 letter" }).click();
  await expect(dialog.getByText("This is needed.")).toBeVisible();
  await dialog.getByRole("combobox", { name: "Machine" }).click();
  await page.getByRole("option", { name: /Packer/ }).click();
  await dialog.getByRole("button", { name: "Map and try 1 letter" }).click();
  await expect(dialog.getByRole("status")).toHaveText("Mapped. The worker tries 1 letter again. The same message has another value: map this one, or close.");
  await expect.poll(() => letters("topic = 'plc7/station4'")).toEqual([{ status: "resolved", reason_code: "unknown_signal" }]);
  await expect(dialog.getByLabel("Value in the message")).toHaveValue("station.oilPressure");
  await expect(dialog.getByRole("listitem")).toContainText("3.25");
  await dialog.getByLabel("Key").fill("oil");
  await dialog.getByRole("combobox", { name: "Machine" }).click();
  await page.getByRole("option", { name: /Packer/ }).click();
  await dialog.getByRole("button", { name: "Map and try 1 letter" }).click();
  await expect(dialog).toHaveCount(0);
  await expect(page.getByText("Mapped. The worker tries 1 letter again.")).toBeVisible();
  await expect.poll(() => stage.rows("select value from sample s join signal g on g.id = s.signal_id where g.key = 'oil'")).toEqual([{ value: 3.25 }]);
  const [signal] = await stage.rows(
    "select g.role, g.counter_mode, o.form, m.pattern, m.path from signal g join source o on o.id = g.source_id join topic_mapping m on m.signal_id = g.id where g.key = 'scrap2'",
  );
  expect(signal).toEqual({ role: "reject_count", counter_mode: "cumulative", form: "mapped", pattern: "plc7/station4", path: "station.scrapCount" });
  await stage.publish("plc7/station4", { ts: Date.now(), station: { scrapCount: 43 } });
  await expect.poll(() => stage.rows("select value from signal_latest t join signal g on g.id = t.signal_id where g.key = 'scrap2'")).toEqual([{ value: 43 }]);
});

test("what the messages become is seen before it is saved, as fields change and as messages come", async ({ page }) => {
  const at = Date.now() - 60_000;
  const say = (t: number, s: number) => stage.publish("plc7/press-line", { data: { t, at: new Date(at + s * 1000).toISOString() } });
  await say(701, 0);
  await say(715, 1);
  await openHealth(page);
  await unknownRow(page, /plc7\/press-line at data\.t /)
    .getByRole("button")
    .last()
    .click();
  const dialog = mapping(page);
  const messages = dialog.getByRole("listitem");
  await dialog.getByText("A new one", { exact: true }).click();
  await dialog.getByRole("combobox", { name: "Machine" }).click();
  await page.getByRole("option", { name: "Press works/hall/live/press" }).click();
  await dialog.getByLabel("Key").fill("ram");
  await expect(dialog.getByRole("combobox", { name: "Role" })).toHaveValue("Measurement");
  await dialog.getByLabel("Unit").fill("Cel");
  await page.keyboard.press("Escape"); // closes the list of units
  await dialog.getByLabel("Factor").fill("0.1");
  await expect(messages).toHaveCount(2);
  await expect(messages.first()).toContainText("715 → 71.5 °C");
  await expect(messages.first()).toContainText("No time in it");
  await dialog.getByLabel("Time in the message").click();
  await page.getByRole("option", { name: /data\.at/ }).click();
  await expect(messages.first()).toContainText("Time: ");
  // A wrong path, and a message that comes meanwhile.
  await dialog.getByLabel("Value in the message").fill("data.temp");
  await expect(dialog.getByText("All 2 messages would be set aside")).toBeVisible();
  await expect(messages.first()).toContainText('The message has nothing at "data.temp"');
  await say(722, 2);
  await expect(dialog.getByText("All 3 messages would be set aside")).toBeVisible();
  await dialog.getByLabel("Value in the message").fill("");
  await page.getByRole("option", { name: /data\.t 7/ }).click();
  await expect(messages.first()).toContainText("722 → 72.2 °C");
  // Limits: one outside, then limits that cannot be, which the server refuses at their field.
  await dialog.getByLabel("Lowest possible value").fill("71");
  await expect(messages.last()).toContainText("Set aside: Outside physical limits");
  await expect(messages.first()).toContainText("72.2 °C");
  await dialog.getByLabel("Highest possible value").fill("70");
  await expect(dialog.getByText("The result can be seen once these are right")).toBeVisible();
  await dialog.getByRole("button", { name: /Map and try/ }).click();
  await expect(dialog.getByLabel("Lowest possible value")).toHaveAttribute("aria-invalid", "true");
  await dialog.getByLabel("Highest possible value").fill("100");
  await dialog.getByLabel("Lowest possible value").fill("0");
  // Leaving asks first.
  await dialog.getByRole("button", { name: "Close" }).click();
  await page.getByRole("dialog", { name: "Leave without saving?" }).getByText("Stay here", { exact: true }).click();
  await expect(dialog.getByLabel("Factor")).toHaveValue("0.1");
  await dialog.getByRole("button", { name: "Map and try 3 letters" }).click();
  await expect(page.getByText("Mapped. The worker tries 3 letters again.")).toBeVisible();
  await expect
    .poll(() =>
      stage.rows("select round(s.value::numeric, 3)::float8 as value from sample s join signal g on g.id = s.signal_id where g.key = 'ram' order by s.at"),
    )
    .toEqual([{ value: 70.1 }, { value: 71.5 }, { value: 72.2 }]);
});

test("many topics alike are mapped at once, each to its machine", async ({ page }) => {
  for (const [machine, v] of Object.entries({ press: 30, oven: 200, mixer: 1 })) await stage.publish(`plc7/${machine}/heat`, { ts: Date.now(), v });
  await openHealth(page);
  await unknownRow(page, /plc7\/press\/heat/)
    .getByRole("button")
    .last()
    .click();
  const dialog = mapping(page);
  await dialog.getByText("Several topics alike").click();
  await expect(dialog.getByLabel("Pattern of the topics")).toHaveValue("plc7/+/heat");
  // Longer than an address may be: the question is posted.
  await dialog.getByLabel("Pattern of the topics").fill(`plc7/+/${"h".repeat(3_000)}`);
  await expect(dialog.getByText("No unknown topic matches this pattern.")).toBeVisible();
  await dialog.getByLabel("Pattern of the topics").fill("plc7/+/heat");
  const topic = (name: string) => dialog.getByRole("row").filter({ hasText: `plc7/${name}/heat` });
  await expect(dialog.getByText("3 unknown topics match; for 2 the machine is known.")).toBeVisible();
  await expect(dialog.getByRole("combobox", { name: "Machine of plc7/oven/heat" })).toHaveValue("Oven");
  await expect(dialog.getByRole("checkbox", { name: "Map plc7/mixer/heat" })).not.toBeChecked();
  await dialog.getByLabel("Unit").fill("Cel");
  await page.keyboard.press("Escape");
  await dialog.getByLabel("Factor").fill("2");
  await expect(topic("press")).toContainText("30 → 60 °C");
  // To one that there is: it is read as that says, and set aside where that does not take it.
  await dialog.getByRole("combobox", { name: "Signal of plc7/oven/heat" }).fill("temperature");
  await expect(topic("oven")).toContainText("there is: measurement");
  await expect(topic("oven")).toContainText("200 °C");
  await dialog.getByRole("button", { name: "Map 2 topics" }).click();
  await expect(page.getByText("Mapped. The worker tries 2 letters again.")).toBeVisible();
  const ways =
    "select m.key as machine, g.key, g.scale, t.pattern, t.path from topic_mapping t join signal g on g.id = t.signal_id join machine m on m.id = g.machine_id";
  expect(await stage.rows(`${ways} where t.pattern like 'plc7/%/heat' order by 1`)).toEqual([
    { machine: "oven", key: "temperature", scale: 1, pattern: "plc7/oven/heat", path: "v" },
    { machine: "press", key: "heat", scale: 2, pattern: "plc7/press/heat", path: "v" },
  ]);
  await expect.poll(() => letters("topic in ('plc7/press/heat', 'plc7/oven/heat') and status = 'resolved'")).toHaveLength(2);
  await expect(unknownRow(page, /plc7\/mixer\/heat/)).toBeVisible();
});

test("dead letters: their reason, their payload, safely", async ({ page }) => {
  await stage.publish(`${machine}/good`, { ts: 1_790_000_000, value: "<img src=x onerror=alert(1)>" });
  await stage.publish(`${machine}/good`, Buffer.from([0xff, 0xfe, 0x00, 0x41]));
  await openHealth(page);
  const dead = section(page, "Dead letters");
  await dead.getByRole("button", { name: "Time stamp not understood" }).click();
  await dead.getByRole("article").getByRole("button", { name: "Payload", exact: true }).click();
  await expect(dead.locator("pre")).toContainText('"value": "<img src=x onerror=alert(1)>"');
  await dead.getByRole("button", { name: "Not text in UTF-8" }).click();
  await dead.getByRole("article").getByRole("button", { name: "Payload", exact: true }).click();
  await expect(dead.locator("pre")).toContainText("ff fe 00 41");
  await dead.getByText("Text", { exact: true }).click();
  await expect(dead.locator("pre")).toHaveText("These bytes are not text in UTF-8.");
});

test("discards and retries after asking, and says what became of it", async ({ page }) => {
  for (const value of ["a", "b"]) await stage.publish(`${machine}/good`, { ts: Date.now(), value });
  await openHealth(page);
  const dead = section(page, "Dead letters");
  const row = dead.getByRole("row", { name: /Wrong type of value/ });
  await expect(row.locator("[data-label=Letters]")).toHaveText("2");
  await row.getByRole("button", { name: "Retry all" }).click();
  const dialog = page.getByRole("dialog", { name: "Try 2 letters again?" });
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await expect(dialog).toBeHidden();
  await row.getByRole("button", { name: "Retry all" }).click();
  await dialog.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByText("2 letters are being tried again.")).toBeVisible();
  // They fail again and are back.
  await expect.poll(() => letters(`topic = '${machine}/good'`)).toEqual(Array(2).fill({ status: "open", reason_code: "value_type" }));
  await expect(row).toBeVisible({ timeout: 10_000 });
  await row.getByRole("button", { name: "Discard all" }).click();
  await page.getByRole("dialog", { name: "Discard 2 letters?" }).getByRole("button", { name: "Discard" }).click();
  await expect(page.getByText("2 letters were discarded.")).toBeVisible();
  await expect(row).toHaveCount(0);
});

test("two people at the same letter: the second is told", async ({ page }) => {
  await stage.publish(`${machine}/good`, { ts: Date.now(), value: "x" });
  await openHealth(page);
  const dead = section(page, "Dead letters");
  await dead.getByRole("button", { name: "Wrong type of value" }).click();
  await dead.getByRole("article").getByRole("button", { name: "Discard" }).click();
  await stage.rows(`update dead_letter set status = 'discarded', status_at = now() where topic = '${machine}/good' and status = 'open'`);
  await page.getByRole("dialog", { name: "Discard 1 letter?" }).getByRole("button", { name: "Discard" }).click();
  await expect(page.getByRole("alert").filter({ hasText: "Nothing was changed: this letter has been discarded." })).toBeVisible();
});

test("without a worker it says how to start one", async ({ page }) => {
  test.setTimeout(90_000);
  await openHealth(page);
  await expect(page.getByRole("article", { name: "Ingest worker ingest" })).toContainText("alive");
  await stage.worker.stop();
  await expect(page.getByRole("link", { name: "No ingest worker is alive" })).toBeVisible({ timeout: 30_000 });
  await expect(page.getByRole("article", { name: "Ingest worker ingest" })).toContainText("npm run ingest");
  await stage.worker.start();
  await expect(page.getByRole("link", { name: "1 ingest worker is alive" })).toBeVisible({ timeout: 30_000 });
});

test("usable on a phone", async ({ browser }) => {
  await stage.publish(`${machine}/a-rather-long-name-of-a-signal-that-nobody-knows`, { ts: Date.now(), value: 1 });
  const context = await signedIn(stage, browser, "administrator", { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
  const page = await context.newPage();
  await openHealth(page);
  await expect(section(page, "Unknown signals")).toContainText("a-rather-long-name");
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
  await section(page, "Unknown signals").getByRole("button", { name: "Map to …" }).first().tap();
  await expect(mapping(page)).toBeVisible();
  await expect(mapping(page).getByRole("listitem").first()).toContainText("1");
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
  await context.close();
});

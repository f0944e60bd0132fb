import { expect, type Page, test } from "@playwright/test";
import { open } from "./open.ts";
import { signedIn, signIn } from "./people.ts";
import { Stage } from "./stage.ts";

let stage: Stage;
test.beforeAll(async () => {
  stage = await Stage.open();
});
test.afterAll(() => stage?.close());
test.beforeEach(({ context }) => signIn(context, stage, "supervisor"));

const tile = (page: Page, name: string) => page.getByRole("article", { name, exact: true });
/** Counts and a state for each machine of a line, so that its board has something to show. */
async function fill(line: string, machines: string[]) {
  for (const [i, key] of machines.entries()) {
    await stage.say(`${line}/${key}`, { state: "EXECUTE", ts: Date.now() - 5_000 });
    await stage.say(`${line}/${key}`, { pieces: 12_345 + i, state: i % 4 === 1 ? "ABORTED" : "EXECUTE" });
  }
}

test("a board shows each machine's state as word, shape and colour, and changes at once", async ({ page }) => {
  await stage.say("live/press", { state: "EXECUTE", ts: Date.now() - 10_000 });
  await stage.say("live/press", { pieces: 3 });
  await stage.say("live/oven", { state: "SUSPENDED" });
  await open(page, `${stage.url}/board/works/hall/live`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Live line");
  await expect(tile(page, "Press")).toContainText("Running");
  await expect(tile(page, "Press")).toHaveAttribute("data-state", "run");
  await expect(tile(page, "Press").locator("svg").first()).toBeVisible();
  await expect(tile(page, "Press")).toContainText(/3of [\d,]+ by now/);
  await expect(tile(page, "Oven")).toContainText("Starved");
  await expect(tile(page, "Packer")).toContainText("Nothing has come from works/hall/live/packer yet");

  await stage.say("live/press", { state: "ABORTED", fault: "F7" });
  await expect(tile(page, "Press")).toContainText("Down", { timeout: 2_500 });
  await expect(tile(page, "Press")).toContainText("Chute jammed");
  await expect(page.getByText("Press has been down for")).toBeVisible();
  await stage.say("live/press", { state: "EXECUTE", fault: "0", pieces: 1 });
  await expect(tile(page, "Press")).toContainText("Running", { timeout: 2_500 });
  await expect(tile(page, "Press")).toContainText(/4of [\d,]+ by now/);
});

test("a machine that went silent is greyed with the time, not idle and not green", async ({ page }) => {
  await stage.say("no-plan/m1", { state: "EXECUTE", ts: Date.now() - 130_000 });
  await stage.say("no-plan/m2", { state: "EXECUTE" });
  await open(page, `${stage.url}/board/works/hall/no-plan`);
  await expect(tile(page, "Machine 2 with a name")).toHaveAttribute("data-state", "run");
  const silent = tile(page, "Machine 1 with a name");
  await expect(silent).toHaveAttribute("data-state", "unknown");
  await expect(silent).toContainText(/No data\s*2:\d\d/);
  await expect(silent).toContainText("Last value");
  await expect(page.getByText("No shift plan")).toBeVisible();
});

test("silence alone greys a tile when the time-out passes, though nothing is written", async ({ page }) => {
  await open(page, `${stage.url}/board/works/hall/one`);
  await stage.say("one/m1", { state: "EXECUTE", ts: Date.now() - 50_000 });
  await expect(tile(page, "Machine 1 with a name")).toHaveAttribute("data-state", "run");
  await expect(tile(page, "Machine 1 with a name")).toHaveAttribute("data-state", "unknown", { timeout: 20_000 });
});

test("a line without a target names the machine that has no ideal cycle", async ({ page }) => {
  await stage.say("untimed/dryer", { state: "EXECUTE", pieces: 4 });
  await open(page, `${stage.url}/board/works/hall/untimed`);
  await expect(page.locator("header").first()).toContainText("no target: Dryer has no ideal cycle");
});

test("a machine that said it is offline, and sends on, is shown as just that", async ({ page }) => {
  await stage.publish("takt/v1/works/hall/untimed/dryer/_online", { ts: Date.now() - 20_000, value: true });
  await stage.say("untimed/dryer", { state: "EXECUTE", ts: Date.now() - 10_000 });
  await stage.publish("takt/v1/works/hall/untimed/dryer/_online", { ts: Date.now() - 5_000, value: false });
  await stage.say("untimed/dryer", { state: "EXECUTE", pieces: 1 });
  await open(page, `${stage.url}/board/works/hall/untimed`);
  await expect(tile(page, "Dryer")).toContainText("Said offline");
  await expect(tile(page, "Dryer")).toContainText("Values still come");
  await expect(tile(page, "Dryer")).toHaveAttribute("data-state", "unknown");
});

for (const [width, height] of [
  [1920, 1080],
  [3840, 2160],
  [1366, 768],
] as const) {
  for (const [line, machines] of [
    ["one", 1],
    ["live", 3],
    ["six", 6],
    ["twelve", 12],
  ] as const) {
    test(`one screen without scrolling: ${machines} machines at ${width} x ${height}`, async ({ page }) => {
      await page.setViewportSize({ width, height });
      if (machines !== 3)
        await fill(
          line,
          Array.from({ length: machines }, (_, i) => `m${i + 1}`),
        );
      await open(page, `${stage.url}/board/works/hall/${line}`);
      await expect(page.getByRole("article")).toHaveCount(machines);
      if (machines !== 3) await expect(page.getByText(/\d\d,\d\d\d/).first()).toBeVisible();
      const overflow = await page.evaluate(() => {
        const root = document.documentElement;
        const cut = [...document.querySelectorAll("article, article > div, main li")].filter(
          (e) => e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1,
        );
        const outside = [...document.querySelectorAll("main *")].filter(
          (e) => e.getBoundingClientRect().bottom > innerHeight + 1 || e.getBoundingClientRect().right > innerWidth + 1,
        );
        return { scrolls: root.scrollHeight > root.clientHeight || root.scrollWidth > root.clientWidth, cut: cut.length, outside: outside.length };
      });
      expect(overflow).toEqual({ scrolls: false, cut: 0, outside: 0 });
      // Readable at 5 m: the state's word at least 3 % of the screen's height.
      const size = await page
        .locator("article strong")
        .first()
        .evaluate((e) => Number.parseFloat(getComputedStyle(e).fontSize));
      expect(size / height).toBeGreaterThan(0.03);
    });
  }
}

test("figures of any length are written in short where they do not fit, never cut off, and leave the others their size", async ({ page }) => {
  for (const [i, pieces] of [1_000_000_000_000, 123_056_789, 800_000, 88_888_888, 7].entries()) {
    await stage.say(`twelve/m${i + 1}`, { state: "EXECUTE", ts: Date.now() - 5_000 });
    await stage.say(`twelve/m${i + 1}`, { pieces, state: "EXECUTE" });
  }
  for (const locale of ["en", "de"]) {
    await page.context().addCookies([{ name: "takt-locale", value: locale, url: stage.url }]);
    for (const [width, height] of [
      [1920, 1080],
      [1366, 768],
      [390, 844],
    ] as const) {
      await page.setViewportSize({ width, height });
      await open(page, `${stage.url}/board/works/hall/twelve`);
      await expect(tile(page, "Machine 1 with a name")).toContainText(locale === "en" ? "1T" : "1\u00a0Bio.");
      await expect(tile(page, "Machine 2 with a name")).toContainText(locale === "en" ? "123M" : "123\u00a0Mio.");
      await expect(tile(page, "Machine 3 with a name")).toContainText(locale === "en" ? /8\d\d,\d{3}/ : /8\d\d\.\d{3}/);
      const cut = await page.locator("article b, ol b, ol em").evaluateAll((figures) =>
        figures.flatMap((figure) => {
          // The letters themselves: a box that is too narrow does not show in its own width.
          const letters = document.createRange();
          letters.selectNodeContents(figure);
          const box = figure.closest("p")?.getBoundingClientRect();
          return box && letters.getBoundingClientRect().right > box.right + 1 ? [`${locale} ${innerWidth}: ${figure.textContent}`] : [];
        }),
      );
      expect(cut).toEqual([]);
      if (width > 800) {
        const smallest = await page
          .locator("ol b")
          .evaluateAll((figures) => Math.min(...figures.map((figure) => Number.parseFloat(getComputedStyle(figure).fontSize))));
        expect(smallest / height).toBeGreaterThan(0.016);
        // An absurd hour is cut off, so that what is planned in the others can be seen: one, or two where the hour has changed since the line began to speak.
        const [absurd] = await stage.rows<{ hours: number }>(
          `select count(*)::int as hours from (select from count_minute c join machine m on m.id = c.machine_id join line l on l.id = m.line_id
             where l.key = 'twelve' group by date_trunc('hour', c.last_at) having sum(c.pieces) > 100000) h`,
        );
        await expect(page.locator("ol [data-cut]")).toHaveCount(absurd?.hours ?? 0);
      }
    }
  }
});

test("on a phone it is a list that does not scroll sideways", async ({ browser }) => {
  const context = await signedIn(stage, browser, "supervisor", { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
  const page = await context.newPage();
  await open(page, `${stage.url}/board/works/hall/six`);
  await expect(page.getByRole("article")).toHaveCount(6);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
  const small = await page.locator("footer nav a").evaluateAll((links) => links.filter((link) => link.getBoundingClientRect().height < 48).length);
  expect(small).toBe(0);
  await context.close();
});

test("dark by default, light where the address asks for it", async ({ page }) => {
  await open(page, `${stage.url}/board/works/hall/live`);
  const ground = () => page.locator("main").evaluate((e) => getComputedStyle(e).backgroundColor);
  expect(await ground()).toBe("rgb(11, 15, 23)");
  await page.getByRole("link", { name: "Light" }).click();
  await expect(page).toHaveURL(/theme=light/);
  await expect.poll(ground).toBe("rgb(243, 245, 249)");
});

test("an empty line says what to do next; an unknown one lists the lines", async ({ page }) => {
  await open(page, `${stage.url}/board/works/hall/empty`);
  await expect(page.getByRole("heading", { name: "This line has no machines yet" })).toBeVisible();
  await expect(page.getByText("npm run plant -- apply plant.yaml")).toBeVisible();
  const answer = await open(page, `${stage.url}/board/works/hall/nowhere`);
  expect(answer?.status()).toBe(404);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("There is no line works/hall/nowhere");
  await page.getByRole("link", { name: "Live line" }).click();
  await expect(page.getByRole("article")).toHaveCount(3);
});

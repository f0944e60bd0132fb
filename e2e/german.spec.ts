// In German, where words are longer and stand in another order: names of buttons must still contain what they show.
import { expect, type Page, test } from "@playwright/test";
import { axeFaults, wcag } from "./faults.ts";
import { open } from "./open.ts";
import { signedIn } from "./people.ts";
import { Stage } from "./stage.ts";

let stage: Stage;
test.beforeAll(async () => {
  stage = await Stage.open();
  await stage.say("live/press", { state: "EXECUTE", pieces: 12 });
  await stage.publish("takt/v1/works/hall/live/press/unheard-of", { ts: Date.now(), value: 1 });
});
test.afterAll(() => stage?.close());

const shellPages = [
  "/",
  "/data-health",
  "/plant",
  "/plant/site/works",
  "/plant/line/works/hall/live",
  "/plant/machine/works/hall/live/press",
  "/plant/signal/works/hall/live/press/state",
  "/plant/shift_pattern/works/round-the-clock",
  "/plant/new/site?under=e2e",
  "/plant/new/signal?under=works%2Fhall%2Flive%2Fpress",
  "/plant/new/signal",
  "/plant/import",
  "/people",
  "/people/new",
  "/people/{person}",
  "/screens",
  "/terminals",
  "/tokens",
  "/audit",
  "/audit/signatures",
  "/account",
  "/people/nobody",
  "/plant/nokind/x",
  "/nowhere",
];

/** What a finger could miss: everything that can be pressed and is lower than 48 px. */
const lowTargets = (page: Page): Promise<string[]> =>
  page
    .locator("main :is(a, button, summary, [role=radiogroup] label)")
    .evaluateAll((all) =>
      all
        .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 47.5)
        .map((one) => `${one.tagName} ${one.getAttribute("aria-label") ?? one.textContent}`),
    );

for (const { width, height, paths } of [
  { width: 1440, height: 900, paths: shellPages },
  { width: 390, height: 844, paths: [...shellPages.filter((path) => path.startsWith("/plant/")), "/audit", "/nowhere"] },
]) {
  test(`the shell in German, ${width} wide: no fault that axe finds with all its rules`, async ({ browser }) => {
    test.setTimeout(180_000);
    const context = await signedIn(stage, browser, "administrator", { locale: "de-DE", viewport: { width, height } });
    const page = await context.newPage();
    const [person] = await stage.rows<{ id: string }>("select id from person order by name limit 1");
    const found: unknown[] = [];
    for (const path of paths) {
      await open(page, stage.url + path.replace("{person}", person?.id ?? ""));
      await expect(page.locator("h1").first()).toBeVisible();
      await expect(page.getByRole("status", { name: "Wird geladen" })).toHaveCount(0);
      found.push(...(await axeFaults(page, [...wcag, "best-practice"])).map((fault) => ({ path, ...fault })));
      if (width < 400) found.push(...(await lowTargets(page)).map((where) => ({ path, id: "lower than 48 px", where })));
    }
    expect(found).toEqual([]);
    await context.close();
  });
}

// One page, opened in a browser of its own with nothing kept from before, looked at and used as a person does.
import type { Browser, BrowserContext, CDPSession, Page } from "@playwright/test";
import { messageOf, Trouble } from "#/scripts/trouble.ts";
import type { Deed } from "./pages.ts";
import type { Cookies } from "./stage.ts";
import { largestPaint, layoutShift, leastAnswerMs, readVitals, slowestAnswer, watchVitals } from "./vitals.ts";

/** What one visit showed. lcp, slowest, moved: which part of the page, or which deed, it was. */
export type Visit = {
  lcpMs: number;
  lcp: string;
  /** Until the first byte of the page, ms. */
  firstByteMs: number;
  /** null: there is nothing to press on this page. Never less than `leastAnswerMs`: shorter ones are not told apart. */
  inpMs: number | null;
  slowest: string;
  cls: number;
  moved: string;
  /** Scripts as they came over the wire, without their headers, before anything was touched. */
  scriptBytes: number;
  /** Scripts that came without being compressed, errors of the page, a deed that could not be done. */
  faults: string[];
};

type Asked = { url: string; cookies: Cookies; viewport: { width: number; height: number }; deeds: readonly Deed[] };

/** So long a page is left alone before it is touched: what comes late must have its time to shift the rest, ms. */
const settleMs = 1_000;
/** A deed's answer is told by the browser a moment after its paint, ms. */
const afterDeedMs = 120;

export async function visit(browser: Browser, { url, cookies, viewport, deeds }: Asked): Promise<Visit> {
  const context = await browser.newContext({ viewport, locale: "en-GB", hasTouch: viewport.width < 600, reducedMotion: null });
  try {
    await context.addCookies(cookies);
    await context.addInitScript(watchVitals, leastAnswerMs);
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    const faults: string[] = [];
    page.on("pageerror", (error) => faults.push(error.message));
    const scripts = await watchScripts(context, page);
    const answer = await page.goto(url);
    if (answer?.status() !== 200) throw new Trouble(`The page answers ${answer?.status() ?? "nothing"}.`);
    await page.waitForSelector("html[data-awake]", { state: "attached" });
    await page.waitForTimeout(settleMs);
    const { bytes, bare } = await scripts.soFar();
    const before = await page.evaluate(readVitals);
    const lcp = largestPaint(before);
    if (!lcp) throw new Trouble("Nothing was painted.");
    const firstByteMs = await page.evaluate(() => (performance.getEntriesByType("navigation")[0] as PerformanceNavigationTiming).responseStart);
    const { done, fault } = await doAll(page, deeds);
    if (fault !== null) faults.push(fault);
    const seen = await page.evaluate(readVitals);
    const worst = slowestAnswer(seen);
    const shift = layoutShift(seen);
    return {
      lcpMs: lcp.atMs,
      lcp: lcp.what,
      firstByteMs,
      inpMs: deeds.length === 0 ? null : Math.max(leastAnswerMs, worst?.lastsMs ?? 0),
      slowest: worst ? (done.findLast(({ fromMs }) => fromMs <= worst.atMs)?.what ?? worst.event) : "",
      cls: shift.share,
      moved: shift.what ?? "",
      scriptBytes: bytes,
      faults: [...faults, ...bare.map((path) => `${path} came without being compressed.`)],
    };
  } catch (error) {
    throw new Trouble(`${new URL(url).pathname} at ${viewport.width} × ${viewport.height}: ${messageOf(error)}`);
  } finally {
    await context.close();
  }
}

/** fromMs: by the page's clock, as the browser tells of events. fault: the first deed that could not be done, after which no more are. */
async function doAll(page: Page, deeds: readonly Deed[]): Promise<{ done: { what: string; fromMs: number }[]; fault: string | null }> {
  const done: { what: string; fromMs: number }[] = [];
  for (const { what, act } of deeds) {
    done.push({ what, fromMs: await page.evaluate(() => performance.now()) });
    try {
      await act(page);
    } catch (error) {
      return { done, fault: `“${what}” could not be done: ${messageOf(error).split("\n")[0]}` };
    }
    await page.waitForTimeout(afterDeedMs);
  }
  return { done, fault: null };
}

/** Shorter ones are not worth compressing, bytes. */
const worthCompressing = 1_024;

/** Which scripts a page asked for is known by the devtools' protocol; how long each was as it came, without headers, by the page itself. */
async function watchScripts(context: BrowserContext, page: Page): Promise<{ soFar(): Promise<{ bytes: number; bare: string[] }> }> {
  const cdp: CDPSession = await context.newCDPSession(page);
  const scripts = new Map<string, { isCompressed: boolean }>();
  cdp.on("Network.responseReceived", ({ type, response }) => {
    if (type === "Script") scripts.set(response.url, { isCompressed: Object.keys(response.headers).some((name) => name.toLowerCase() === "content-encoding") });
  });
  await cdp.send("Network.enable");
  return {
    soFar: async () => {
      const lengths = new Map(await page.evaluate(bodyLengths));
      const all = [...scripts].map(([url, script]) => ({ ...script, path: new URL(url).pathname, bytes: lengths.get(url) ?? 0 }));
      return {
        bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
        bare: all.filter(({ isCompressed, bytes }) => !isCompressed && bytes >= worthCompressing).map(({ path }) => path),
      };
    },
  };
}

/** Runs in the page. By address, bytes. */
const bodyLengths = (): [string, number][] =>
  (performance.getEntriesByType("resource") as PerformanceResourceTiming[]).map(({ name, encodedBodySize }) => [name, encodedBodySize]);

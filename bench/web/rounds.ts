// All pages, some rounds of them: gone through once, and read by the four figures.
import { type Browser, chromium } from "@playwright/test";
import { findChromium } from "#/scripts/test/chromium.ts";
import { cores, disturbedBetween, lookAtTree } from "../cpu.ts";
import type { Conditions, Figure, Reading } from "../figure.ts";
import { nameOf, pages, sizes, type WebPage } from "./pages.ts";
import { openStage, type WebStage } from "./stage.ts";
import { type Visit, visit } from "./visit.ts";

/** What stands for a page: the median of its loads; of shifts and scripts the most. The words belong to the load that gave the number. */
export type PageResult = { name: string; lcp: Visit; inp: Visit | null; cls: Visit; js: Visit };
type Rounds = { results: PageResult[]; faults: string[]; rounds: number; disturbed: number };
type Asked = Conditions & { seconds: number };

/** Going through all pages takes about as long. */
const secondsOfRound = 110;
const rounds = 3;
export const usualS = { seconds: rounds * secondsOfRound, quickSeconds: secondsOfRound };

/** As in the browser tests. The last four keep the browser from looking for a world that a plant's network does not have. */
const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

async function goThrough({ seconds, say }: Asked): Promise<Rounds> {
  const executablePath = findChromium(say);
  const stage = await openStage(say);
  let browser: Browser | null = null;
  try {
    browser = await chromium.launch({ executablePath, args });
    const visits = new Map<WebPage, Visit[]>(pages.map((page) => [page, []]));
    say("every page once, so that the web app has loaded its own parts");
    for (const page of visits.keys()) await fetchOnce(stage, page);
    await visit(browser, { url: `${stage.url}/sign-in`, cookies: [], viewport: sizes.desk, deeds: [] }); // so has the browser
    const from = lookAtTree();
    const n = Math.max(1, Math.round(seconds / secondsOfRound));
    for (let round = 1; round <= n; round++) {
      say(`round ${round} of ${n}, ${pages.length} pages`);
      for (const [page, ofPage] of visits) ofPage.push(await visitOn(stage, browser, page));
    }
    const disturbed = disturbedBetween(from, lookAtTree());
    const faults = new Set([...visits].flatMap(([page, ofPage]) => ofPage.flatMap((one) => one.faults.map((fault) => `${nameOf(page)}: ${fault}`))));
    return { results: [...visits].map(([page, ofPage]) => resultOf(page, ofPage)), faults: [...faults], rounds: n, disturbed };
  } finally {
    await browser?.close();
    await stage.stop();
  }
}

const visitOn = (stage: WebStage, browser: Browser, page: WebPage): Promise<Visit> =>
  visit(browser, { url: stage.url + page.address(stage.subjects), cookies: stage.cookies[page.who], viewport: sizes[page.size], deeds: page.deeds });

async function fetchOnce({ url, cookies, subjects }: WebStage, page: WebPage): Promise<void> {
  const cookie = cookies[page.who].map(({ name, value }) => `${name}=${value}`).join("; ");
  await (await fetch(url + page.address(subjects), { headers: { cookie } })).text();
}

/** Of an even number the greater one in the middle. */
const median = (visits: readonly Visit[], of: (one: Visit) => number): Visit => [...visits].sort((a, b) => of(a) - of(b))[Math.floor(visits.length / 2)]!;
const most = (visits: readonly Visit[], of: (one: Visit) => number): Visit => visits.reduce((worst, one) => (of(one) > of(worst) ? one : worst));

function resultOf(page: WebPage, visits: readonly Visit[]): PageResult {
  return {
    name: nameOf(page),
    lcp: median(visits, (one) => one.lcpMs),
    inp: page.deeds.length === 0 ? null : median(visits, (one) => one.inpMs ?? 0),
    cls: most(visits, (one) => one.cls),
    js: most(visits, (one) => one.scriptBytes),
  };
}

export const kbOf = (bytes: number): number => bytes / 1000;

function tableOf(results: readonly PageResult[]): string[] {
  const width = Math.max(...results.map(({ name }) => name.length));
  const line = (name: string, ...cells: string[]) => `${name.padEnd(width)} ${cells.map((cell) => cell.padStart(7)).join(" ")}`;
  return [
    line("page", "LCP ms", "INP ms", "CLS", "JS kB"),
    ...results.map(({ name, lcp, inp, cls, js }) =>
      line(name, lcp.lcpMs.toFixed(0), inp?.inpMs?.toFixed(0) ?? "-", cls.cls.toFixed(3), kbOf(js.scriptBytes).toFixed(0)),
    ),
  ];
}

// One run of the command takes all four figures from the same rounds. Where a figure is asked for once more, because the machine was not quiet, they are gone
// through a second time, and the less disturbed ones count from then on.
const taken: Rounds[] = [];
const askedBy = new Map<string, number>();
let isTold = false;

async function roundsFor(figure: string, asked: Asked): Promise<Rounds> {
  const times = (askedBy.get(figure) ?? 0) + 1;
  askedBy.set(figure, times);
  if (taken.length === 0 || (times > 1 && taken.length < 2)) {
    taken.push(await goThrough(asked));
    isTold = false;
  }
  return taken.reduce((best, one) => (one.disturbed < best.disturbed ? one : best));
}

/** A figure of the worst page. of: its value there and why it is so; null: the page has none. */
export function webFigure(figure: Pick<Figure, "name" | "what" | "unit" | "target">, of: (page: PageResult) => { value: number; why: string } | null): Figure {
  return {
    ...figure,
    ...usualS,
    async measure(asked): Promise<Reading> {
      const { results, faults, rounds: n, disturbed } = await roundsFor(figure.name, asked);
      const all = results.flatMap((page) => {
        const found = of(page);
        return found ? [{ name: page.name, ...found }] : [];
      });
      const worst = all.reduce((a, b) => (b.value > a.value ? b : a));
      const notes = [`Worst: ${worst.name}: ${worst.why}`];
      if (!isTold)
        notes.push(...tableOf(results), `Of ${n} load${n === 1 ? "" : "s"} each, with nothing kept from before: median of LCP and INP, most of CLS and JS.`);
      isTold = true;
      notes.push(`Other programs took ${Math.round(disturbed * cores * 100)} % of a core.`);
      return { value: worst.value, broken: faults, notes, disturbed };
    },
  };
}

// What a browser says of a page's speed: when its largest part was painted, how long it takes to answer a finger, how much of it jumps. By the definitions of web.dev/vitals.

export type Paint = { /** Since the address was asked for, ms. */ atMs: number /** The part that was painted. */; what: string };
/** A part of the page that moved without anybody having touched anything. share: of the screen, times how far. */
export type Shift = { atMs: number; share: number; what: string };
/** One event of what a person did; a click has several, with the same id. lastsMs: from the event to the next paint after it. */
export type Answer = { id: number; event: string; atMs: number; lastsMs: number };
export type Seen = { paints: Paint[]; shifts: Shift[]; answers: Answer[] };

/** Answers shorter than this are not told of (the least that a browser can be asked for), ms. */
export const leastAnswerMs = 16;

/** Runs in the page before anything of it does, and keeps what the browser says in `taktSeen`. Knows nothing outside itself: it is sent as text. */
export function watchVitals(leastMs: number): void {
  type LayoutShift = PerformanceEntry & { value: number; hadRecentInput: boolean; sources: { node: Node | null }[] };
  const seen: Seen = { paints: [], shifts: [], answers: [] };
  Object.assign(window, { taktSeen: seen });
  const nameOf = (node: Node | null) => {
    if (!(node instanceof Element)) return node?.parentElement ? `text in ${node.parentElement.tagName.toLowerCase()}` : "something that is gone";
    return `${node.tagName.toLowerCase()} “${(node.textContent ?? "").trim().replace(/\s+/g, " ").slice(0, 40)}”`;
  };
  const watch = <E extends PerformanceEntry>(type: string, keep: (entry: E) => void) =>
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) keep(entry as E);
    }).observe({ type, buffered: true, durationThreshold: leastMs } as PerformanceObserverInit);
  watch<LargestContentfulPaint>("largest-contentful-paint", (entry) => seen.paints.push({ atMs: entry.startTime, what: nameOf(entry.element) }));
  watch<LayoutShift>("layout-shift", (entry) => {
    if (!entry.hadRecentInput) seen.shifts.push({ atMs: entry.startTime, share: entry.value, what: nameOf(entry.sources[0]?.node ?? null) });
  });
  watch<PerformanceEventTiming & { interactionId?: number }>("event", ({ interactionId, name, startTime, duration }) => {
    if (interactionId) seen.answers.push({ id: interactionId, event: name, atMs: startTime, lastsMs: duration });
  });
}

export const readVitals = (): Seen => (window as unknown as { taktSeen: Seen }).taktSeen;

/** The newest one is the largest. null: nothing was painted. */
export const largestPaint = ({ paints }: Seen): Paint | null => paints.at(-1) ?? null;

const [windowMs, gapMs] = [5_000, 1_000];

/** Cumulative layout shift: the worst of all sums of shifts that follow each other within a second, over five seconds at the most. */
export function layoutShift({ shifts }: Pick<Seen, "shifts">): { share: number; what: string | null } {
  let worst: { share: number; what: string | null } = { share: 0, what: null };
  let sum = 0;
  let [from, last] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { atMs, share, what } of shifts) {
    if (atMs - last >= gapMs || atMs - from >= windowMs) [from, sum] = [atMs, 0];
    sum += share;
    last = atMs;
    if (sum > worst.share) worst = { share: sum, what };
  }
  return worst;
}

/** Of all interactions the slowest, each as long as its longest event. null: all were shorter than `leastAnswerMs`. */
export function slowestAnswer({ answers }: Pick<Seen, "answers">): Answer | null {
  return answers.reduce<Answer | null>((worst, one) => (worst === null || one.lastsMs > worst.lastsMs ? one : worst), null);
}

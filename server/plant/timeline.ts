/** What holds from a time on: rates by instant, shift patterns by day. Pure; times are numbers (ms since 1970), Infinity is "until further notice". */

/** [from, to). Spans of one thing are in order and do not overlap. */
export type Span = { from: number; to: number; value: string };
/** An entry of the file. from: undefined says "now" of a lone entry, "before" of one beside others. */
export type Stated = { from: number | undefined; to: number | undefined; value: string };
export type Bounds = {
  /** From here on only what the file says holds. */
  strongFrom: number;
  /** A lone entry without `from` fills nothing before this. */
  fillFrom: number;
};

/** Stands for "since ever". */
export const sinceEver = 0;

/**
 * What is to hold: what the file says with a `from` wins always; before `strongFrom` the database stays as it is where the file says nothing;
 * an entry without `from` holds from `strongFrom` on, and before that fills only what is empty. Equal neighbours are one span.
 */
export function mergeTimeline(current: readonly Span[], stated: readonly Stated[], { strongFrom, fillFrom }: Bounds): Span[] {
  const ordered = [...stated].sort((a, b) => (a.from ?? -1) - (b.from ?? -1));
  const entries = ordered.map((entry, i) => ({ ...entry, to: entry.to ?? ordered[i + 1]?.from ?? Number.POSITIVE_INFINITY }));
  const strong = entries.map(({ from, to, value }) => ({ from: from ?? strongFrom, to, value })).filter((span) => span.from < span.to);
  const past = current.map((span) => ({ ...span, to: Math.min(span.to, strongFrom) })).filter((span) => span.from < span.to);
  const weak = entries
    .filter((entry) => entry.from === undefined)
    .map(({ to, value }) => ({ from: entries.length > 1 || to !== Number.POSITIVE_INFINITY ? sinceEver : fillFrom, to, value }));
  const kept = past.flatMap((span) => without(span, strong));
  const filled = weak.flatMap((span) => without(span, [...strong, ...kept]));
  return joined([...strong, ...kept, ...filled]);
}

/** What is left of a span outside the others. */
function without(span: Span, others: readonly Span[]): Span[] {
  let left = [span];
  for (const other of others) {
    left = left.flatMap((part) =>
      [
        { ...part, to: Math.min(part.to, other.from) },
        { ...part, from: Math.max(part.from, other.to) },
      ].filter((piece) => piece.from < piece.to),
    );
  }
  return left;
}

function joined(spans: Span[]): Span[] {
  const result: Span[] = [];
  for (const span of spans.sort((a, b) => a.from - b.from)) {
    const last = result.at(-1);
    if (last && last.to === span.from && last.value === span.value) last.to = span.to;
    else result.push({ ...span });
  }
  return result;
}

export type SpanRow = Span & { id: number };
/** remove, then shrink, then grow, then add: in that order no two rows overlap at any step. A row keeps its id while its start and value stay. */
export type TimelineSteps = { remove: number[]; shrink: SpanRow[]; grow: SpanRow[]; add: Span[] };

/** null: nothing to do. */
export function timelineSteps(current: readonly SpanRow[], wanted: readonly Span[]): TimelineSteps | null {
  const steps: TimelineSteps = { remove: [], shrink: [], grow: [], add: [] };
  const open = new Map(current.map((row) => [`${row.from} ${row.value}`, row]));
  for (const span of wanted) {
    const row = open.get(`${span.from} ${span.value}`);
    open.delete(`${span.from} ${span.value}`);
    if (!row) steps.add.push(span);
    else if (row.to > span.to) steps.shrink.push({ ...span, id: row.id });
    else if (row.to < span.to) steps.grow.push({ ...span, id: row.id });
  }
  steps.remove.push(...[...open.values()].map((row) => row.id));
  return Object.values(steps).some((list) => list.length > 0) ? steps : null;
}

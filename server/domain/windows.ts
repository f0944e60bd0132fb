/** Half-open windows of time `[from, to)`. Instants are milliseconds since 1970 UTC everywhere below server/domain. */
export type Window = { from: number; to: number };

/** The same time as sorted windows without overlap and without touching neighbours. Empty and reversed windows hold no time. */
export function union(windows: readonly Window[]): Window[] {
  const sorted = windows.filter((w) => w.from < w.to).sort((a, b) => a.from - b.from || a.to - b.to);
  const result: Window[] = [];
  for (const { from, to } of sorted) {
    const last = result.at(-1);
    if (last && from <= last.to) last.to = Math.max(last.to, to);
    else result.push({ from, to });
  }
  return result;
}

/** What of `windows` lies inside `within`; as `union`. */
export function clip(windows: readonly Window[], within: Window): Window[] {
  return union(windows.map((w) => ({ from: Math.max(w.from, within.from), to: Math.min(w.to, within.to) })));
}

/** What of `within` lies in none of `windows`; as `union`. */
export function complement(windows: readonly Window[], within: Window): Window[] {
  return minus([within], windows);
}

/** What of `windows` lies in none of `holes`; as `union`. */
export function minus(windows: readonly Window[], holes: readonly Window[]): Window[] {
  const result: Window[] = [];
  const cuts = union(holes);
  let next = 0;
  for (const w of union(windows)) {
    let from = w.from;
    while (next < cuts.length && (cuts[next]?.to ?? 0) <= from) next += 1;
    for (let i = next; i < cuts.length; i += 1) {
      const hole = cuts[i];
      if (hole === undefined || hole.from >= w.to) break;
      if (from < hole.from) result.push({ from, to: hole.from });
      from = Math.max(from, hole.to);
    }
    if (from < w.to) result.push({ from, to: w.to });
  }
  return result;
}

/**
 * Cuts a sorted partition where sorted windows without overlap begin and end, and gives each piece that lies inside one to `paint`.
 * The rest stays as it is.
 */
export function overlay<Span extends Window>(spans: readonly Span[], windows: readonly Window[], paint: (piece: Span) => NoInfer<Span>): Span[] {
  const result: Span[] = [];
  let next = 0;
  for (const span of spans) {
    let from = span.from;
    while (next < windows.length && (windows[next]?.to ?? 0) <= from) next += 1;
    for (let at = next; at < windows.length; at += 1) {
      const w = windows[at];
      if (w === undefined || w.from >= span.to) break;
      const cutFrom = Math.max(w.from, from);
      const cutTo = Math.min(w.to, span.to);
      if (from < cutFrom) result.push({ ...span, from, to: cutFrom });
      result.push(paint({ ...span, from: cutFrom, to: cutTo }));
      from = cutTo;
    }
    if (from < span.to) result.push({ ...span, from });
  }
  return result;
}

// MQTT topic filters (MQTT 5, section 4.7).

/** MQTT topic filter: + one level, # the rest; a leading $ is matched by name only. */
export function topicMatches(filter: string, topic: string): boolean {
  if (filter === topic) return true;
  if (!filter.includes("+") && !filter.includes("#")) return false;
  if (topic.startsWith("$") && !filter.startsWith("$")) return false;
  const f = filter.split("/");
  const t = topic.split("/");
  for (let i = 0; i < f.length; i++) {
    if (f[i] === "#") return true;
    if (i >= t.length || (f[i] !== "+" && f[i] !== t[i])) return false;
  }
  return f.length === t.length;
}

/** Whether some topic matches both filters: two readers of such filters would read it twice. */
export function filtersOverlap(a: string, b: string): boolean {
  const x = a.split("/");
  const y = b.split("/");
  for (let i = 0; ; i++) {
    if (x[i] === "#" || y[i] === "#") return true;
    if (x[i] === undefined || y[i] === undefined) return x[i] === y[i];
    if (x[i] !== "+" && y[i] !== "+" && x[i] !== y[i]) return false;
  }
}

/** Whether the first matches every topic that the second does. */
export function filterCovers(wide: string, narrow: string): boolean {
  const x = wide.split("/");
  const y = narrow.split("/");
  for (let i = 0; ; i++) {
    if (x[i] === "#") return true;
    if (x[i] === undefined || y[i] === undefined) return x[i] === y[i];
    if (y[i] === "#" || (x[i] !== "+" && x[i] !== y[i])) return false;
  }
}

type Level<Of> = { below: Map<string, Level<Of>>; here: { filter: string; of: Of }[] };
const level = <Of>(): Level<Of> => ({ below: new Map(), here: [] });

/** Levels before the first wildcard. */
function plainLevels(filter: string): string[] {
  const levels = filter.split("/");
  const wild = levels.findIndex((one) => one === "+" || one === "#");
  return wild < 0 ? levels : levels.slice(0, wild);
}

/** Many filters, among which those that overlap another are found without looking at each. */
export class FilterIndex<Of> {
  private readonly root = level<Of>();

  add(filter: string, of: Of): void {
    let at = this.root;
    for (const step of plainLevels(filter)) {
      const next = at.below.get(step) ?? level<Of>();
      at.below.set(step, next);
      at = next;
    }
    at.here.push({ filter, of });
  }

  /** What was added with filters that overlap this one. Only filters with the same plain levels, or with fewer and then a wildcard, can. */
  *overlapping(filter: string): Generator<Of> {
    let at: Level<Of> | undefined = this.root;
    const matching = ({ here }: Level<Of>) => here.filter((one) => filtersOverlap(filter, one.filter)).map(({ of }) => of);
    for (const step of plainLevels(filter)) {
      yield* matching(at);
      at = at.below.get(step);
      if (!at) return;
    }
    const open = [at];
    for (let one = open.pop(); one; one = open.pop()) {
      yield* matching(one);
      open.push(...one.below.values());
    }
  }
}

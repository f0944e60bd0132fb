/** How durations, clock times and weekdays are written in the plant file. Each parser throws a RangeError that says what was expected. */

const unitS: Record<string, number> = { ms: 0.001, s: 1, m: 60, min: 60, h: 3600, d: 86_400 };

/** `90d`, `1h30m`, `500ms`, `2.5s`, or a number of seconds -> seconds. */
export function parseDuration(raw: string | number): number {
  const expected = "must be a duration such as 500ms, 60s, 5m, 1h30m or 90d";
  if (typeof raw === "number") {
    if (!Number.isFinite(raw) || raw < 0) throw new RangeError(expected);
    return raw;
  }
  const compact = raw.replaceAll(" ", "");
  if (!/^(\d+(\.\d+)?(ms|s|min|m|h|d))+$/.test(compact)) throw new RangeError(expected);
  let seconds = 0;
  for (const [, amount, unit] of compact.matchAll(/(\d+(?:\.\d+)?)(ms|s|min|m|h|d)/g)) seconds += Number(amount) * (unitS[unit ?? ""] ?? Number.NaN);
  return Number(seconds.toFixed(3));
}

/** Seconds -> the shortest way to write them with one unit: 7776000 -> `90d`, 90 -> `90s`, 0.5 -> `500ms`. */
export function writeDuration(seconds: number): string {
  if (seconds === 0) return "0s";
  for (const [unit, size] of [
    ["d", 86_400],
    ["h", 3600],
    ["m", 60],
    ["s", 1],
  ] as const) {
    if (seconds % size === 0) return `${seconds / size}${unit}`;
  }
  return seconds < 1 ? `${Number((seconds * 1000).toFixed(3))}ms` : `${seconds}s`;
}

/** `06:00` -> minutes after midnight. Up to `48:00`, so that an end can lie on the next day. */
export function parseClock(raw: string | number): number {
  const match = typeof raw === "string" ? /^(\d{1,2}):(\d{2})$/.exec(raw.trim()) : null;
  const hours = Number(match?.[1]);
  const minutes = Number(match?.[2]);
  if (!match || minutes > 59 || hours * 60 + minutes > 48 * 60) throw new RangeError("must be a time of day such as 06:00 or 22:30");
  return hours * 60 + minutes;
}

/** Minutes after midnight -> `06:00`. */
export const writeClock = (minutes: number): string => `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;

const dayNames = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/** `mon-fri`, `mon-thu, sat`, `daily` -> ISO weekdays (1 Monday), ascending. `fri-mon` goes round the week's end. */
export function parseDays(raw: string | number): number[] {
  const expected = "must be days such as mon-fri, sat, or daily";
  if (typeof raw === "number") throw new RangeError(expected);
  const found = new Set<number>();
  for (const part of raw.toLowerCase().split(",")) {
    const range = part.trim();
    if (range === "daily") {
      for (let day = 1; day <= 7; day++) found.add(day);
      continue;
    }
    const ends = range.split("-").map((day) => dayNames.indexOf(day.trim().slice(0, 3)));
    const first = ends[0] ?? -1;
    const last = ends.at(-1) ?? -1;
    if (ends.length > 2 || first < 0 || last < 0) throw new RangeError(expected);
    for (let day = first; ; day = (day + 1) % 7) {
      found.add(day + 1);
      if (day === last) break;
    }
  }
  return [...found].sort((a, b) => a - b);
}

/** ISO weekdays -> `mon-fri`, `mon-thu, sat`, `daily`. */
export function writeDays(weekdays: readonly number[]): string {
  if (weekdays.length === 7) return "daily";
  const runs: number[][] = [];
  for (const day of [...weekdays].sort((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run?.at(-1) === day - 1) run.push(day);
    else runs.push([day]);
  }
  const word = (day: number | undefined) => dayNames[(day ?? 0) - 1] ?? "";
  return runs.map((run) => (run.length > 2 ? `${word(run[0])}-${word(run.at(-1))}` : run.map(word).join(", "))).join(", ");
}

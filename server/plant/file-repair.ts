/** A file with wrong fields: what else is wrong with it. The wrong fields are taken out or filled in, so that the rules between entries can be looked at too. */
import type { z } from "zod";
import { plantFile } from "./file.ts";
import { type Broken, brokenRules, type Path } from "./file-rules.ts";

/** Stand-ins for fields that an entry cannot be without; `#` becomes a number, so that no two are alike. */
const standIns: Record<string, unknown> = {
  key: "stand-in-#",
  role: "measurement",
  zone: "UTC",
  seconds: 1,
  days: "mon",
  start: "00:00",
  end: "00:01",
  form: "mapped",
  address: "stand-in-#",
  pattern: "stand-in-#",
  enterprise: { key: "stand-in-#" },
  cost: 1,
  price: 1,
  rate: 1,
  currency: "EUR",
  month: "2026-01",
  date: "2026-01-01",
  identity: "stand-in-#",
};
/** Fields that rules look at together: where one of them was wrong, what a rule says of another may be our stand-in's fault. */
const together: ReadonlySet<unknown>[] = [
  new Set(["days", "start", "end", "breaks"]),
  new Set(["product", "pattern", "from", "until"]),
  new Set(["form", "address", "source", "metric", "mapping"]),
  new Set(["topic", "path", "descriptor", "metric"]),
  new Set(["role", "counter", "modulus", "values", "metric", "low", "high", "dead_band", "keep_raw"]),
  new Set(["kind", "date", "last_date", "line", "shift", "start", "end", "breaks"]),
  new Set(["currency", "month", "rate", "currency_rates", "product_costs", "energy_prices", "hourly_costs"]),
  new Set(["oee", "availability", "performance", "quality", "pieces_per_hour", "targets", "from", "until"]),
  new Set(["value", "scrap", "product", "from", "until"]),
];
/** Filling one field in may bring the next one to light: an entry that was no group of fields at all needs a few rounds. */
const rounds = 5;

/** Rules that are broken for sure, leaving out those that the wrong fields themselves may have broken. */
export function rulesBesideIssues(raw: unknown, issues: readonly z.core.$ZodIssue[]): Broken[] {
  const repaired = structuredClone(raw);
  let standInCount = 0;
  /** Fields that were taken out or filled in, by the entry they stand in. */
  const touched = new Map<string, Set<unknown>>();
  const mayBeOurs = (path: Path) => {
    const entry = entryOf(path);
    const field = path[entry.length];
    const fields = touched.get(JSON.stringify(entry));
    if (!fields) return false;
    return field === undefined || fields.has(field) || together.some((group) => group.has(field) && [...fields].some((one) => group.has(one)));
  };
  let keysMissing = false;
  let open = issues;
  for (let round = 0; round < rounds; round++) {
    for (const issue of open) {
      const path = issue.path.filter((segment) => typeof segment !== "symbol");
      if (issue.code === "unrecognized_keys") {
        for (const key of issue.keys) put(repaired, [...path, key], undefined);
        continue;
      }
      const field = path.at(-1);
      const standIn = typeof field === "string" ? standIns[field] : typeof field === "number" ? {} : undefined;
      put(repaired, path, numbered(standIn, standInCount++));
      const entry = JSON.stringify(entryOf(path));
      touched.set(entry, (touched.get(entry) ?? new Set()).add(typeof field === "number" ? "key" : field));
      keysMissing ||= field === "key" || field === "address" || typeof field === "number";
    }
    const read = plantFile.safeParse(repaired);
    if (read.success)
      return brokenRules(read.data).filter((rule) => !(rule.reference && keysMissing) && !mayBeOurs(rule.path) && !(rule.other && mayBeOurs(rule.other)));
    open = read.error.issues;
  }
  return [];
}

/** The path of the entry that a field stands in. */
const entryOf = (path: Path): Path => path.slice(0, path.findLastIndex((segment) => typeof segment === "number") + 1);

function numbered(value: unknown, n: number): unknown {
  if (typeof value === "string") return value.replace("#", String(n));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, numbered(inner, n)]));
}

/** Sets a field, or takes it out where the value is undefined. A single entry where a list is meant is the list's first. */
function put(root: unknown, path: Path, value: unknown): void {
  let at = root;
  const way = [...path];
  const last = way.pop();
  for (const segment of way) {
    if (segment === 0 && !Array.isArray(at)) continue;
    at = typeof at === "object" && at !== null ? (at as Record<string | number, unknown>)[segment] : undefined;
  }
  if (typeof at !== "object" || at === null || last === undefined) return;
  const group = at as Record<string | number, unknown>;
  if (value === undefined) delete group[last];
  else group[last] = value;
}

/** Which job and product a machine works on, from its readings and from what operators start and finish. Rules in ledger 3, 4 and 7. */

import type { Window } from "./windows.ts";

/** A reading of the job (or product) signal, or what somebody said: holds until the next. null: none. */
export type Said = { at: number; key: string | null };
/** In force from `at` until the next one. */
export type Assignment = { at: number; job: string | null; product: string | null };

const inOrder = (said: readonly Said[]) => [...said].sort((a, b) => a.at - b.at || ((a.key ?? "") < (b.key ?? "") ? -1 : 1));

/**
 * Job and product as they hold, equal neighbours joined. A product signal wins over the job's product.
 * Jobs J1 at 0 s (of product A), J2 at 100 s (of B), product signal "C" at 50 s and none at 80 s: (J1, A), (J1, C) from 50, (J1, A) from 80, (J2, B) from 100.
 */
export function assignments(jobs: readonly Said[], products: readonly Said[], productOfJob: ReadonlyMap<string, string>): Assignment[] {
  const [jobsInOrder, productsInOrder] = [inOrder(jobs), inOrder(products)];
  const instants = [...new Set([...jobsInOrder, ...productsInOrder].map(({ at }) => at))].sort((a, b) => a - b);
  const result: Assignment[] = [];
  let job: string | null = null;
  let said: string | null = null;
  let [nextJob, nextProduct] = [0, 0];
  for (const at of instants) {
    for (let one = jobsInOrder[nextJob]; one && one.at <= at; one = jobsInOrder[++nextJob]) job = one.key;
    for (let one = productsInOrder[nextProduct]; one && one.at <= at; one = productsInOrder[++nextProduct]) said = one.key;
    const product: string | null = said ?? (job === null ? null : (productOfJob.get(job) ?? null));
    const last = result.at(-1);
    if (last && last.job === job && last.product === product) continue;
    result.push({ at, job, product });
  }
  return result;
}

const none: Assignment = { at: Number.NEGATIVE_INFINITY, job: null, product: null };

/** Of a time that begins at `at`: a reading of that instant counts. */
export function assignedFrom(sorted: readonly Assignment[], at: number): Assignment {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle]?.at ?? Number.POSITIVE_INFINITY) <= at) low = middle + 1;
    else high = middle;
  }
  return sorted[low - 1] ?? none;
}

/**
 * Instants at which a machine went from one job or product to another. Its first is no change, and time without a job between two is passed over: the change
 * is where the second begins. J1 at 0 s, none at 100 s, J2 at 150 s: a change at 150 s. J1, none, J1: none.
 */
export function changesOf(sorted: readonly Assignment[]): number[] {
  const changes: number[] = [];
  let job: string | null = null;
  let product: string | null = null;
  for (const next of sorted) {
    const isOther = (job !== null && next.job !== null && next.job !== job) || (product !== null && next.product !== null && next.product !== product);
    if (isOther) changes.push(next.at);
    job = next.job ?? job;
    product = next.product ?? product;
  }
  return changes;
}

/** Time without a job, after the first one that there ever was. */
export function withoutJob(sorted: readonly Assignment[], window: Window): Window[] {
  return sorted.flatMap(({ at, job }, i) => {
    const to = Math.min(window.to, sorted[i + 1]?.at ?? window.to);
    const from = Math.max(window.from, at);
    return job === null && from < to ? [{ from, to }] : [];
  });
}

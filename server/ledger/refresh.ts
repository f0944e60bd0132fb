/** Keeps the ledger: marks in, rows and facts out. Any number of these may run at once, each may be killed at any instant. */
import type { Db } from "#/server/db.ts";
import type { Segment } from "#/server/domain/segments.ts";
import { clockHourOf } from "#/server/domain/slots.ts";
import { writeFacts } from "./fact-rows.ts";
import { type Claim, claimMarks, lockLines, takeClaims } from "./marks.ts";
import { type PlantMachine, plantMachines } from "./plant.ts";
import { firstReadings, type MachineWindow } from "./readings.ts";
import { alike, anchors, difference, type Reach, type Rewrite, reaches, rewriteRows, setReaches, storedRows } from "./rows.ts";
import { marginOf, tellTime } from "./time.ts";

const hourMs = 3_600_000;
const linesAtOnce = 20;

export type LedgerDb = Db & { transaction<Result>(work: (tx: Db) => Promise<Result>): Promise<Result> };
export type RefreshOptions = { now: Date; budgetMs: number; signal: AbortSignal };
/** machines: refreshed; rows: written; isDone: no claims are left that could be taken. */
export type Refreshed = { machines: number; rows: number; isDone: boolean };

export async function refreshLedger(db: LedgerDb, { now, budgetMs, signal }: RefreshOptions): Promise<Refreshed> {
  const until = performance.now() + budgetMs;
  const result: Refreshed = { machines: 0, rows: 0, isDone: false };
  while (!signal.aborted && performance.now() < until) {
    await claimMarks(db);
    const done = await db.transaction(async (tx) => {
      const lines = await lockLines(tx, linesAtOnce);
      if (lines.length === 0) return null;
      const lineIds = lines.map(({ lineId }) => lineId);
      const claims = await takeClaims(tx, lineIds);
      const rows = await refresh(tx, claims, now.getTime());
      for (const lineId of lineIds) await tx.rows("-- ledger.notify\nselect pg_notify('ledger', $1)", [String(lineId)]);
      return { machines: new Set(claims.map(({ machineId }) => machineId)).size, rows };
    });
    if (done === null) return { ...result, isDone: true };
    result.machines += done.machines;
    result.rows += done.rows;
  }
  return result;
}

/** What is asked for of a machine: its time from an anchor to where it is as it was. */
type Span = MachineWindow & { claim: { from: number; to: number }; marginMs: number; reach: Reach | null };

/** The hulls of claims, one a machine. The number of rows written. */
export async function refresh(tx: Db, claims: readonly Omit<Claim, "lineId">[], now: number): Promise<number> {
  const hulls = new Map<number, { from: number; to: number }>();
  for (const { machineId, from, to } of claims) {
    const known = hulls.get(machineId);
    hulls.set(machineId, { from: Math.min(from, known?.from ?? from), to: Math.max(to, known?.to ?? to) });
  }
  const machines = await plantMachines(tx, [...hulls.keys()]);
  let spans = await spansOf(tx, machines, hulls, now);
  let written = 0;
  const dirty = new Map<number, { from: number; to: number }>();
  while (spans.length > 0) {
    const told = await tellTime(
      tx,
      spans.map(({ machineId, from, to, marginMs }) => ({ machineId, from, to: to >= now ? now : to + marginMs })),
      now,
    );
    const stored = await storedRows(
      tx,
      spans.map(({ machineId, from, to, marginMs }) => ({ machineId, from, to: to >= now ? Number.MAX_SAFE_INTEGER / 1e3 : to + marginMs })),
    );
    const rewrites: Rewrite[] = [];
    const reached: Reach[] = [];
    const again: Span[] = [];
    for (const span of spans) {
      const made = told.get(span.machineId) ?? [];
      const before = stored.get(span.machineId) ?? [];
      if (!meets(span, before, made, now)) {
        again.push({ ...span, to: Math.min(now, span.to + 4 * (span.to - span.from)) });
        continue;
      }
      const part = joined(span, before, made, now);
      const change = difference(part.stored, part.made);
      const touched = change ? { from: Math.min(span.claim.from, change.window.from), to: Math.max(span.claim.to, change.window.to) } : span.claim;
      dirty.set(span.machineId, { from: Math.max(touched.from, span.reach?.from ?? span.from), to: Math.min(touched.to, now) });
      if (!change) continue;
      rewrites.push({ machineId: span.machineId, ...change.window, rows: change.rows });
      written += change.rows.length;
      const [first, last] = [part.made[0], part.made.at(-1)];
      if (first && last) reached.push({ machineId: span.machineId, from: first.from, to: last.to });
    }
    if (rewrites.length > 0) await rewriteRows(tx, rewrites);
    if (reached.length > 0) await setReaches(tx, reached, new Date(now));
    spans = again;
  }
  await writeFacts(tx, hoursOf(dirty, machines));
  return written;
}

async function spansOf(tx: Db, machines: readonly PlantMachine[], hulls: ReadonlyMap<number, { from: number; to: number }>, now: number): Promise<Span[]> {
  const ids = machines.map(({ machineId }) => machineId);
  const reachOf = new Map((await reaches(tx, ids)).map((reach) => [reach.machineId, reach]));
  const firstOf = new Map((await firstReadings(tx, ids)).map(({ machineId, at }) => [machineId, at]));
  const timeouts = new Map((await sourceTimeouts(tx, ids)).map(({ machineId, noDataTimeoutS }) => [machineId, noDataTimeoutS]));
  const asked = machines.map((machine) => {
    const hull = hulls.get(machine.machineId) ?? { from: now, to: now };
    const reach = reachOf.get(machine.machineId) ?? null;
    const marginS = marginOf(machine, timeouts.get(machine.machineId) ?? 0);
    return {
      machineId: machine.machineId,
      // what was told last may have been of a silence that had not lasted long enough
      before: Math.min(hull.from, reach?.to ?? now, now) - marginS * 1000,
      marginS,
      hasCounts: machine.signals.some(({ role }) => role.endsWith("_count")),
      hull,
    };
  });
  const anchorOf = new Map((await anchors(tx, asked)).map(({ machineId, at }) => [machineId, at]));
  return asked.flatMap(({ machineId, marginS, hull }): Span[] => {
    const reach = reachOf.get(machineId) ?? null;
    const first = firstOf.get(machineId);
    if (first === undefined) return []; // nothing was ever read of it
    const start = Math.min(first, reach?.from ?? first);
    const marginMs = marginS * 1000;
    const from = anchorOf.get(machineId) ?? start;
    const end = hull.to + marginMs;
    // Up to now where nothing, or too little, is stored behind it.
    const to = reach === null || end + marginMs >= reach.to ? now : end;
    return from < to ? [{ machineId, from, to, claim: hull, marginMs, reach }] : [];
  });
}

const sourceTimeouts = (db: Db, machineIds: readonly number[]) =>
  db.rows<{ machineId: number; noDataTimeoutS: number }>(
    `-- ledger.sourceTimeouts
    select g.machine_id as "machineId", max(o.no_data_timeout_s) as "noDataTimeoutS" from signal g join source o on o.id = g.source_id where g.machine_id = any($1::int[]) group by 1`,
    [machineIds],
  );

/** Behind its end all is as it was. */
function meets({ to, marginMs }: Span, stored: readonly Segment[], made: readonly Segment[], now: number): boolean {
  if (to >= now) return true;
  const inTail = (row: Segment) => row.to > to && row.from < to + marginMs;
  const [before, after] = [stored.filter(inTail), made.filter(inTail)];
  return before.length > 0 && after.every((row) => before.some((one) => one.from < row.to && one.to > row.from && alike(one, row)));
}

/** Both from the row in which the span begins to that in which it ends: at its edges the stored rows go on. */
function joined({ from, to }: Span, stored: readonly Segment[], made: readonly Segment[], now: number): { stored: Segment[]; made: Segment[] } {
  const before = stored.filter((row) => to >= now || row.from < to);
  const after = made.filter((row) => to >= now || row.from < to);
  const [firstStored, firstMade] = [before[0], after[0]];
  if (firstStored && firstMade && firstStored.from < from)
    after[0] = { ...firstMade, from: firstStored.from, isStopStart: firstStored.isStopStart, gap: firstMade.gap ?? firstStored.gap };
  const [lastStored, lastMade] = [before.at(-1), after.at(-1)];
  if (to < now && lastStored && lastMade) after[after.length - 1] = { ...lastMade, to: lastStored.to, gap: lastStored.gap, isOpen: lastStored.isOpen };
  return { stored: before, made: after };
}

/** Whole clock hours of the machines' sites: a zone may be half an hour off. */
function hoursOf(dirty: ReadonlyMap<number, { from: number; to: number }>, machines: readonly PlantMachine[]): MachineWindow[] {
  const zones = new Map(machines.map(({ machineId, zone }) => [machineId, zone]));
  return [...dirty].map(([machineId, { from, to }]) => {
    const zone = zones.get(machineId) ?? "UTC";
    return { machineId, from: clockHourOf(from, zone), to: clockHourOf(Math.max(to, from + 1) - 1, zone) + hourMs };
  });
}

/** Keeps the ledger: marks in, rows and facts out. Any number of these may run at once, each may be killed at any instant. */
import type { Db } from "#/server/db.ts";
import type { Segment } from "#/server/domain/segments.ts";
import { clockHourOf } from "#/server/domain/slots.ts";
import type { Window } from "#/server/domain/windows.ts";
import { type Anchor, anchors } from "./anchors.ts";
import { writeFacts } from "./fact-rows.ts";
import { claimMarks, lockLines, putClaims, takeClaims, tellLines } from "./marks.ts";
import { type PlantMachine, plantMachines } from "./plant.ts";
import { deadBehindCounts, firstReadings, type MachineWindow } from "./readings.ts";
import { alike, difference, type Reach, type Rewrite, reaches, rewriteRows, setReaches, storedRows } from "./rows.ts";
import { marginOf, sourcesOf, tellTime } from "./time.ts";
import { earliest, vouchedSources } from "./vouching.ts";

const hourMs = 3_600_000;
/** A transaction tells at most so much of a machine; what is left stays claimed. */
const sliceMs = 86_400_000;
/** Lines in one transaction: as many as take about this long. */
const slowMs = 2_000;
const linesAtOnce = { first: 10, most: 100 };

export type LedgerDb = Db & { transaction<Result>(work: (tx: Db) => Promise<Result>): Promise<Result> };
/** now: the clock, looked at for each transaction. */
export type RefreshOptions = { now: () => Date; budgetMs: number; signal: AbortSignal };
/** machines: refreshed; rows: written; isDone: no claims are left that could be taken. */
export type Refreshed = { machines: number; rows: number; isDone: boolean };

export async function refreshLedger(db: LedgerDb, { now, budgetMs, signal }: RefreshOptions): Promise<Refreshed> {
  const startedAt = performance.now();
  const passedMs = () => performance.now() - startedAt;
  const result: Refreshed = { machines: 0, rows: 0, isDone: false };
  let most = linesAtOnce.first;
  while (!signal.aborted && passedMs() < budgetMs) {
    await claimMarks(db);
    const from = passedMs();
    const done = await db.transaction(async (tx) => {
      const lines = await lockLines(tx, most);
      if (lines.length === 0) return null;
      const lineIds = lines.map(({ lineId }) => lineId);
      const claims = await takeClaims(tx, lineIds);
      const { rows, left } = await refresh(tx, claims, now().getTime());
      await putClaims(tx, left);
      await tellLines(tx, lineIds);
      return { machines: new Set(claims.map(({ machineId }) => machineId)).size, rows };
    });
    if (done === null) return { ...result, isDone: true };
    most = passedMs() - from > slowMs ? Math.max(1, most >> 1) : Math.min(linesAtOnce.most, most * 2);
    result.machines += done.machines;
    result.rows += done.rows;
  }
  return result;
}

export type Asked = { machineId: number; from: number; to: number };
/** rows: written. left: what is still to be told, later than what was. */
export type Done = { rows: number; left: Asked[] };

/**
 * What is asked for of a machine: its time from an anchor to where it is as it was. asOf: what is told as if it were then; the present, unless a long time is
 * told in slices. isCut: time behind `to` will be told anew, too, so that it need not be as it was.
 */
type Span = {
  machine: PlantMachine;
  claim: Window;
  marginS: number;
  reach: Reach | null;
  asOf: number;
  from: number;
  to: number;
  isCut: boolean;
  anchor: Anchor | null;
};

/** The hulls of what is asked for, one a machine. now: ms. timePasses: false: as of the instant that each machine was told for last. */
export async function refresh(tx: Db, asked: readonly Asked[], now: number, timePasses = true): Promise<Done> {
  const hulls = new Map<number, Window>();
  for (const { machineId, from, to } of asked) {
    const known = hulls.get(machineId);
    hulls.set(machineId, { from: Math.min(from, known?.from ?? from), to: Math.max(to, known?.to ?? to) });
  }
  for (const { machineId, from } of await deadBehindCounts(tx, hulls)) {
    const known = hulls.get(machineId);
    if (known) known.from = Math.min(known.from, from);
  }
  const machines = await plantMachines(tx, [...hulls.keys()]);
  const { spans: first, left } = await spansOf(tx, machines, hulls, now, timePasses);
  let spans = await anchored(
    tx,
    first.map((span) => ({ span, before: span.from, isSafe: false })),
  );
  let rows = 0;
  const dirty = new Map<number, Window>();
  while (spans.length > 0) {
    const told = await tellTime(
      tx,
      spans.map((span) => ({ machineId: span.machine.machineId, from: span.from, to: endOf(span), now: span.asOf, anchor: span.anchor })),
    );
    const stored = await storedRows(
      tx,
      spans.map((span) => ({ machineId: span.machine.machineId, from: span.from, to: span.to >= span.asOf ? farAway : endOf(span) })),
    );
    const rewrites: Rewrite[] = [];
    const reached: Reach[] = [];
    const longer: Span[] = [];
    const farther: { span: Span; before: number; isSafe: boolean }[] = [];
    for (const span of spans) {
      const { machineId } = span.machine;
      const { rows: made, farther: before = null, vouchedTo = null } = told.get(machineId) ?? { rows: [] };
      const there = stored.get(machineId) ?? [];
      const why = before ?? (span.anchor && !goesOn(span, there, made) ? span.anchor.at : null);
      if (why !== null) farther.push({ span, before: Math.min(why, (span.anchor?.at ?? why) - 1), isSafe: true });
      else if (!meets(span, there, made)) longer.push({ ...span, to: Math.min(span.asOf, span.to + 4 * (span.to - span.from)) });
      else {
        const part = joined(span, there, made);
        const change = difference(part.stored, part.made);
        const { claim, asOf, reach } = span;
        const touched = change ? { from: Math.min(claim.from, change.window.from), to: Math.max(claim.to, change.window.to) } : claim;
        dirty.set(machineId, { from: Math.max(touched.from, Math.min(reach?.from ?? span.from, span.from)), to: Math.min(touched.to, asOf) });
        const [oldest, newest] = [part.made[0], part.made.at(-1)];
        if (oldest && newest && (change || vouchedTo !== reach?.vouchedTo)) reached.push({ machineId, from: oldest.from, to: newest.to, vouchedTo });
        if (!change) continue;
        rewrites.push({ machineId, ...change.window, rows: change.rows });
        rows += change.rows.length;
      }
    }
    if (rewrites.length > 0) await rewriteRows(tx, rewrites);
    if (reached.length > 0) await setReaches(tx, reached, new Date(now));
    spans = [...longer, ...(await anchored(tx, farther))];
  }
  await writeFacts(tx, hoursOf(dirty, machines));
  return { rows, left };
}

/** Behind all that is stored. */
const farAway = Number.MAX_SAFE_INTEGER / 1e3;
const endOf = ({ to, asOf, marginS }: Span): number => (to >= asOf ? asOf : to + marginS * 1000);

async function spansOf(
  tx: Db,
  machines: readonly PlantMachine[],
  hulls: ReadonlyMap<number, Window>,
  now: number,
  timePasses: boolean,
): Promise<{ spans: Span[]; left: Asked[] }> {
  const ids = machines.map(({ machineId }) => machineId);
  const reachOf = new Map((await reaches(tx, ids)).map((reach) => [reach.machineId, reach]));
  const firstOf = new Map((await firstReadings(tx, ids)).map(({ machineId, at }) => [machineId, at]));
  const timeouts = new Map((await sourceTimeouts(tx, ids)).map(({ machineId, noDataTimeoutS }) => [machineId, noDataTimeoutS]));
  const vouching = await vouchedSources(tx, machines.flatMap(sourcesOf));
  const left: Asked[] = [];
  const spans = machines.flatMap((machine): Span[] => {
    const { machineId } = machine;
    const reach = reachOf.get(machineId) ?? null;
    const first = firstOf.get(machineId);
    if (first === undefined) return []; // nothing was ever read of it
    const start = Math.min(first, reach?.from ?? first);
    const marginS = marginOf(machine, timeouts.get(machineId) ?? 0);
    const marginMs = marginS * 1000;
    // Another process's clock may be ahead.
    const present = reach === null ? now : timePasses ? Math.max(now, reach.to) : reach.to;
    const asOf = Math.min(present, (reach?.to ?? start) + sliceMs);
    if (asOf < present) left.push({ machineId, from: asOf, to: present });
    const hull = hulls.get(machineId) ?? { from: now, to: now };
    const claim = { from: Math.max(start, Math.min(hull.from, reach?.to ?? start)), to: Math.min(hull.to, asOf) };
    // Where nobody listened it turns out otherwise when somebody does again, and the other way round.
    const vouched = [reach?.vouchedTo ?? null, earliest(sourcesOf(machine), vouching)];
    if (reach && vouched[0] !== vouched[1])
      Object.assign(claim, { from: Math.max(start, Math.min(claim.from, ...vouched.filter((at) => at !== null))), to: asOf });
    const isCut = reach !== null && claim.from + sliceMs < Math.min(claim.to, reach.to);
    if (isCut) {
      left.push({ machineId, from: claim.from + sliceMs, to: claim.to });
      claim.to = claim.from + sliceMs;
    }
    // Up to the present where nothing, or too little, is stored behind it.
    const isEdge = !isCut && (reach === null || claim.to + 2 * marginMs >= reach.to);
    const to = isEdge ? asOf : isCut ? claim.to : claim.to + marginMs;
    // What was told last may have been of a silence that had not lasted long enough.
    return [{ machine, claim, marginS, reach, asOf, from: claim.from - marginMs - 1, to, isCut, anchor: null }];
  });
  return { spans, left };
}

/** Each from the last anchor before `before`, or from where the machine's time begins. */
async function anchored(tx: Db, wanted: readonly { span: Span; before: number; isSafe: boolean }[]): Promise<Span[]> {
  if (wanted.length === 0) return [];
  const found = new Map(
    (
      await anchors(
        tx,
        wanted.map(({ span: { machine, marginS }, before, isSafe }) => ({
          machineId: machine.machineId,
          before,
          marginS,
          startupS: machine.startupS,
          hasCounts: machine.signals.some(({ role }) => role.endsWith("_count")),
          isSafe,
        })),
      )
    ).map(({ machineId, ...anchor }) => [machineId, anchor]),
  );
  const ids = wanted.map(({ span }) => span.machine.machineId);
  const firstOf = new Map((await firstReadings(tx, ids)).map(({ machineId, at }) => [machineId, at]));
  return wanted.flatMap(({ span }) => {
    const { machineId } = span.machine;
    const anchor = found.get(machineId) ?? null;
    const first = firstOf.get(machineId) ?? span.claim.from;
    const from = anchor?.at ?? Math.min(first, span.reach?.from ?? first);
    return from < span.to ? [{ ...span, anchor, from }] : [];
  });
}

const sourceTimeouts = (db: Db, machineIds: readonly number[]) =>
  db.rows<{ machineId: number; noDataTimeoutS: number }>(
    `-- ledger.sourceTimeouts
    select g.machine_id as "machineId", max(o.no_data_timeout_s) as "noDataTimeoutS" from signal g join source o on o.id = g.source_id where g.machine_id = any($1::int[]) group by 1`,
    [machineIds],
  );

/** What is told from the anchor on goes on as the row in which it lies. */
function goesOn({ from }: Span, stored: readonly Segment[], made: readonly Segment[]): boolean {
  const [before, after] = [stored[0], made[0]];
  return before !== undefined && after !== undefined && before.from <= from && alike(before, after);
}

/** Behind its end all is as it was. */
function meets({ to, marginS, asOf, isCut }: Span, stored: readonly Segment[], made: readonly Segment[]): boolean {
  if (to >= asOf || isCut) return true;
  const inTail = (row: Segment) => row.to > to && row.from < to + marginS * 1000;
  const [before, after] = [stored.filter(inTail), made.filter(inTail)];
  return before.length > 0 && after.every((row) => before.some((one) => one.from < row.to && one.to > row.from && alike(one, row)));
}

/** Both from the row in which the span begins to that in which it ends: at its edges the stored rows go on. */
function joined({ from, to, asOf, isCut }: Span, stored: readonly Segment[], made: readonly Segment[]): { stored: Segment[]; made: Segment[] } {
  const before = stored.filter((row) => to >= asOf || row.from < to);
  const after = made.filter((row) => to >= asOf || row.from < to);
  const [firstStored, firstMade] = [before[0], after[0]];
  if (firstStored && firstMade && firstStored.from < from)
    after[0] = { ...firstMade, from: firstStored.from, isStopStart: firstStored.isStopStart, gap: firstMade.gap ?? firstStored.gap };
  const [lastStored, lastMade] = [before.at(-1), after.at(-1)];
  if (to < asOf && lastStored && lastMade) {
    if (!isCut || alike(lastStored, lastMade)) after[after.length - 1] = { ...lastMade, to: lastStored.to, gap: lastStored.gap, isOpen: lastStored.isOpen };
    else {
      after[after.length - 1] = { ...lastMade, to: Math.min(lastMade.to, to), gap: null };
      if (lastStored.to > to) after.push({ ...lastStored, from: to, isStopStart: false });
    }
  }
  return { stored: before, made: after };
}

/** Whole clock hours of the machines' sites: a zone may be half an hour off. */
function hoursOf(dirty: ReadonlyMap<number, Window>, machines: readonly PlantMachine[]): MachineWindow[] {
  const zones = new Map(machines.map(({ machineId, zone }) => [machineId, zone]));
  return [...dirty].map(([machineId, { from, to }]) => {
    const zone = zones.get(machineId) ?? "UTC";
    return { machineId, from: clockHourOf(from, zone), to: clockHourOf(Math.max(to, from + 1) - 1, zone) + hourMs };
  });
}

/** A machine's time told anew for a window: what was read, asked for in sets, put through the engine of server/domain. */
import type { Db } from "#/server/db.ts";
import { assignments, changesOf, type Said, withoutJob } from "#/server/domain/assignment.ts";
import type { BaseInterval, StateChange } from "#/server/domain/base.ts";
import type { CountReading } from "#/server/domain/counter.ts";
import { isOverDead, placeGaps } from "#/server/domain/gaps.ts";
import { baseIntervals, machineIntervals, noCountTimeoutS } from "#/server/domain/intervals.ts";
import { type CountRole, countingOf, type Delta, deltas } from "#/server/domain/pieces.ts";
import { deadWindows, deadWithAny } from "#/server/domain/presence.ts";
import { type Segment, segments } from "#/server/domain/segments.ts";
import { slotsOf } from "#/server/domain/slots.ts";
import { stateMeaning } from "#/server/domain/state.ts";
import type { StopEdit } from "#/server/domain/stop-edits.ts";
import type { ReasonReading } from "#/server/domain/stops.ts";
import { clip, type Window } from "#/server/domain/windows.ts";
import { type Anchor, settledOf, whyFarther } from "./anchors.ts";
import { jobProducts, type LedgerSignal, type PlantMachine, plantMachines, type ReasonRow, reasonRows, type ShiftRow, shiftRows } from "./plant.ts";
import {
  type EditRow,
  editRows,
  firstReadings,
  gapReadings,
  type MachineWindow,
  minuteRows,
  type PresenceRow,
  presenceRows,
  type ReadingRow,
  readingRows,
  saidRows,
} from "./readings.ts";
import { earliest, type Vouching, vouchedSources } from "./vouching.ts";

const hourMs = 3_600_000;
/** A neighbour is looked at from so long before, longer than what is noise for it. */
const neighbourMs = 1_800_000;

export const countRoleOf = (role: string): CountRole | null => (role.endsWith("_count") ? (role.slice(0, -"_count".length) as CountRole) : null);
const isCount = ({ role }: LedgerSignal) => countRoleOf(role) !== null;

/** The sources that tell the machine's time: those of its state and counts; of a machine without such signals, all. */
export function sourcesOf({ signals }: PlantMachine): number[] {
  const telling = signals.filter((signal) => signal.role === "state" || isCount(signal));
  return [...new Set((telling.length > 0 ? telling : signals).map(({ sourceId }) => sourceId))];
}

/** Seconds without a piece after which the machine is down, by its slowest ideal cycle: the same at whatever time it is asked. */
export function timeoutOf(machine: PlantMachine): number | null {
  const counts = machine.signals.filter(isCount);
  const periods = counts.flatMap(({ periodS }) => (periodS === null ? [] : [periodS]));
  return noCountTimeoutS({
    configuredS: machine.noCountTimeoutS,
    idealCycleS: machine.rates.length > 0 ? Math.max(...machine.rates.map(({ idealCycleS }) => idealCycleS)) : null,
    periodS: periods.length > 0 ? Math.max(...periods) : null,
    hasCount: counts.length > 0,
    hasState: machine.signals.some(({ role }) => role === "state"),
  });
}

/** Longer than any threshold that judges this machine's base time, s. noDataTimeoutS: the longest of its sources. */
export const marginOf = (machine: PlantMachine, noDataTimeoutS: number): number =>
  Math.max(60, timeoutOf(machine) ?? 0, machine.minRunS, machine.ignoreStopS, noDataTimeoutS) + 1;

/** now: what is told is as of this instant. anchor: what is settled at the window's start; null: nothing is stored before it. */
export type TellWindow = MachineWindow & { now: number; anchor: Anchor | null };

/** rows: a partition of the window. farther: they are not right, because something reaches over the anchor; to be told from before this instant. */
export type Told = { rows: Segment[]; farther: number | null; vouchedTo: number | null };

type Material = {
  machine: PlantMachine;
  readings: ReadingRow[];
  said: Said[];
  pieceInstants: number[];
  firstAt: number | null;
  presence: (PresenceRow | undefined)[];
  asked: Window;
};

/**
 * Rows of each window's machine: a partition of it, cut at its `now`. Edges lie where the engine needs them (see `anchors`).
 * Machines whose windows these are, and their neighbours, are read.
 */
export async function tellTime(tx: Db, windows: readonly TellWindow[]): Promise<Map<number, Told>> {
  const wanted = await plantMachines(
    tx,
    windows.map(({ machineId }) => machineId),
  );
  const byId = new Map(wanted.map((machine) => [machine.machineId, machine]));
  const hulls = hullsOf(windows, byId);
  const others = [...hulls.keys()].filter((id) => !byId.has(id));
  for (const machine of others.length > 0 ? await plantMachines(tx, others) : []) byId.set(machine.machineId, machine);
  const siteIds = [...new Set([...byId.values()].map(({ siteId }) => siteId))];
  const asked = [...hulls].flatMap(([machineId, { from, to }]) => {
    const machine = byId.get(machineId);
    if (!machine) return [];
    const back = Math.max(hourMs, neighbourMs + 1000 * (timeoutOf(machine) ?? 0));
    return [{ machineId, from: from - back, to: to + hourMs, machine }];
  });

  const sources = sourceWindows(asked);
  const readings = await readingRows(tx, asked);
  const said = await saidRows(tx, asked);
  const minutes = await minuteRows(tx, asked);
  const first = await firstReadings(tx, [...byId.keys()]);
  const presence = new Map((await presenceRows(tx, sources)).map((row) => [row.sourceId, row]));
  const vouching = await vouchedSources(
    tx,
    sources.map(({ sourceId }) => sourceId),
  );
  const reasons = Map.groupBy(await reasonRows(tx, siteIds), ({ siteId }) => siteId);
  const numbers = [...new Set([...readings.flatMap((row) => (row.role === "job" ? [textOf(row) ?? ""] : [])), ...said.flatMap(({ job }) => job ?? [])])];
  const products = Map.groupBy(await jobProducts(tx, siteIds, numbers), ({ siteId }) => siteId);
  const edits = Map.groupBy(await editRows(tx, asked), ({ machineId }) => machineId);
  const lines = [...new Set(wanted.map(({ lineId }) => lineId))];
  const [from, to] = [Math.min(...asked.map((one) => one.from)), Math.max(...asked.map((one) => one.to))];
  const shifts = Map.groupBy(await shiftRows(tx, lines, from, to), ({ lineId }) => lineId);

  const [readingsOf, saidOf, minutesOf] = [by(readings), by(said), by(minutes)];
  const firstOf = new Map(first.map(({ machineId, at }) => [machineId, at]));
  const material = new Map(
    asked.map(({ machineId, machine, from: a, to: b }): [number, Material] => [
      machineId,
      {
        machine,
        readings: readingsOf.get(machineId) ?? [],
        said: (saidOf.get(machineId) ?? []).map(({ at, job }) => ({ at, key: job })),
        pieceInstants: (minutesOf.get(machineId) ?? []).flatMap(({ firstAt, lastAt }) => [firstAt, lastAt].filter((at) => at !== null)),
        firstAt: firstOf.get(machineId) ?? null,
        presence: sourcesOf(machine).map((id) => presence.get(id)),
        asked: { from: a, to: b },
      },
    ]),
  );

  const own = windows.flatMap((window) => {
    const of = material.get(window.machineId);
    return of ? [{ window, of, dead: deadOf(of, window.now, vouching) }] : [];
  });
  const gaps = await gapDeltas(tx, own, material);
  return new Map(
    own.map(({ window, of, dead }): [number, Told] => {
      const { machine } = of;
      const baseFor = (id: number | null) => {
        const neighbour = id === null ? undefined : material.get(id);
        if (!neighbour) return null;
        return baseOf(neighbour, { ...window, from: window.from - neighbourMs }, deadOf(neighbour, window.now, vouching));
      };
      const told = rowsOf({
        own: of,
        window,
        dead,
        base: baseOf(of, window, dead),
        upstream: baseFor(machine.upstreamId),
        downstream: baseFor(machine.downstreamId),
        reasons: reasons.get(machine.siteId) ?? [],
        jobProduct: new Map((products.get(machine.siteId) ?? []).map(({ number, product }) => [number, product])),
        edits: (edits.get(window.machineId) ?? []).map(asEdit),
        shifts: shifts.get(machine.lineId) ?? [],
        gaps: gaps.get(window.machineId) ?? [],
      });
      return [window.machineId, { ...told, vouchedTo: earliest(sourcesOf(machine), vouching) }];
    }),
  );
}

const by = <T extends { machineId: number }>(rows: readonly T[]): Map<number, T[]> => Map.groupBy(rows, ({ machineId }) => machineId);
const textOf = ({ value, text }: ReadingRow): string | null => text?.trim() || (value === null ? null : String(value));

/** Of each machine, and of its neighbours, the time that is needed. */
function hullsOf(windows: readonly MachineWindow[], machines: ReadonlyMap<number, PlantMachine>): Map<number, Window> {
  const hulls = new Map<number, Window>();
  for (const { machineId, from, to } of windows) {
    const machine = machines.get(machineId);
    for (const id of [machineId, machine?.upstreamId, machine?.downstreamId]) {
      if (id === null || id === undefined) continue;
      const hull = hulls.get(id);
      hulls.set(id, { from: Math.min(from, hull?.from ?? from), to: Math.max(to, hull?.to ?? to) });
    }
  }
  return hulls;
}

function sourceWindows(asked: readonly (MachineWindow & { machine: PlantMachine })[]): { sourceId: number; from: number; to: number }[] {
  const found = new Map<number, Window>();
  for (const { machine, from, to } of asked)
    for (const id of sourcesOf(machine)) {
      const known = found.get(id);
      found.set(id, { from: Math.min(from, known?.from ?? from), to: Math.max(to, known?.to ?? to) });
    }
  return [...found].map(([sourceId, window]) => ({ sourceId, ...window }));
}

/** Time of which the links tell nothing. Of a source of which nothing was ever read, all. */
function deadOf({ presence, asked }: Material, now: number, vouching: Vouching): Window[] {
  return deadWithAny(
    presence.map((row) =>
      row
        ? deadWindows({
            window: asked,
            now,
            form: row.form,
            noDataTimeoutS: row.noDataTimeoutS,
            minutes: row.minutes.map(([firstAt, lastAt]) => ({ firstAt, lastAt })),
            vouchedTo: vouching.get(row.sourceId),
            linkEvents: row.links,
          })
        : [{ from: asked.from, to: Math.min(asked.to, now) }],
    ),
  );
}

function baseOf({ machine, readings, pieceInstants, firstAt }: Material, window: TellWindow, dead: readonly Window[]): BaseInterval[] {
  const maps = new Map(machine.signals.map(({ id, valueMap }) => [id, valueMap]));
  const hasState = machine.signals.some(({ role }) => role === "state");
  const stateReadings = readings.flatMap((row): StateChange[] =>
    row.role === "state" ? [{ at: row.at, kind: stateMeaning(row, maps.get(row.signalId) ?? null).kind }] : [],
  );
  return baseIntervals({
    window,
    now: window.now,
    stateReadings: hasState ? stateReadings : null,
    firstReadingAt: firstAt,
    pieceInstants,
    deadWindows: dead,
    noCountTimeoutS: timeoutOf(machine),
    minRunS: machine.minRunS,
    ignoreStopS: machine.ignoreStopS,
  });
}

type Telling = {
  own: Material;
  window: TellWindow;
  dead: readonly Window[];
  base: BaseInterval[];
  upstream: BaseInterval[] | null;
  downstream: BaseInterval[] | null;
  reasons: readonly ReasonRow[];
  jobProduct: ReadonlyMap<string, string>;
  edits: readonly StopEdit[];
  shifts: readonly ShiftRow[];
  gaps: readonly Delta[];
};

function rowsOf({ own, window, dead, base, upstream, downstream, reasons, jobProduct, edits, shifts, gaps }: Telling): Pick<Told, "rows" | "farther"> {
  const { machine, readings, said, pieceInstants } = own;
  const { anchor, now } = window;
  const lossOf = (key: string) => reasons.find((reason) => reason.key === key)?.loss ?? null;
  const keyOf = (role: "job" | "product"): Said[] => readings.flatMap((row) => (row.role === role ? [{ at: row.at, key: textOf(row) }] : []));
  const assigned = assignments([...keyOf("job"), ...said], keyOf("product"), jobProduct);
  const end = Math.min(window.to, now);
  if (end <= window.from) return { rows: [], farther: null };
  const reasonReadings = readings.flatMap((row): ReasonReading[] =>
    row.role === "fault_code" ? [{ at: row.at, reason: reasonOf(textOf(row), reasons) }] : [],
  );
  const changes = changesOf(assigned);
  const { microStopS } = machine;
  const intervals = machineIntervals({
    window,
    now,
    base,
    shifts,
    planned: machine.plansNoOrder ? withoutJob(assigned, { from: window.from, to: end }) : [],
    reasonReadings,
    upstream,
    downstream,
    microStopS,
    changes,
    pieceInstants,
    edits,
    lossOf,
    continues: anchor && settledOf(anchor),
  });
  const over = gaps.filter((gap) => isOverDead(gap, clip(dead, { from: window.from, to: end })));
  const hasOwnTime = intervals.some(({ stopFrom }) => stopFrom === base[0]?.from);
  const farther = anchor && whyFarther({ anchor, end, base, reasonReadings, changes, pieceInstants, edits, gaps: over, microStopS, hasOwnTime });
  const slots = slotsOf({ from: window.from, to: end }, shifts, machine.zone);
  const [first, ...rest] = base;
  const cut = segments({
    intervals,
    now: end,
    // What the anchor lies in began before it.
    base: first && anchor ? [{ ...first, from: anchor.baseFrom }, ...rest] : base,
    slots,
    assignments: assigned,
    rates: machine.rates,
    startupS: machine.startupS,
    dead,
    isAfterLongStand: anchor?.isAfterLongStand ?? false,
    countedStop: anchor?.stopFrom ?? null,
  });
  const roles = machine.signals.flatMap(({ role }) => countRoleOf(role) ?? []);
  const counting = countingOf(roles);
  return { rows: placeGaps(cut, gaps, dead, counting, roles.filter((role) => counting.goodRoles.has(role)).length), farther };
}

/** The reason of a fault code, or the code itself where no reason has it; an empty one, and 0, say that there is no fault. */
const reasonOf = (code: string | null, reasons: readonly ReasonRow[]): string | null =>
  code === null || code === "" || code === "0" ? null : (reasons.find(({ faultCode }) => faultCode === code)?.key ?? code);

function asEdit({ id, kind, at, from, to, reason, undoes }: EditRow): StopEdit {
  // The database's check holds each kind to its columns; what it has not is not in it: `whyFarther` looks.
  switch (kind as StopEdit["kind"]) {
    case "split":
    case "false_stop":
      return { id, kind, at } as StopEdit;
    case "merge":
      return { id, kind, from, to } as StopEdit;
    case "trim":
      return { id, kind, at, from, to } as StopEdit;
    case "add":
      return { id, kind, from, to, reason } as StopEdit;
    case "reclassify":
      return { id, kind, at, reason } as StopEdit;
    case "undo":
      return { id, kind, edit: undoes } as StopEdit;
  }
}

/** Deltas around the dead time of the windows' machines. */
async function gapDeltas(
  tx: Db,
  windows: readonly { window: MachineWindow; dead: readonly Window[] }[],
  material: ReadonlyMap<number, Material>,
): Promise<Map<number, Delta[]>> {
  const asked = windows.flatMap(({ window: { machineId, from, to }, dead }) => {
    const inside = dead.filter((one) => one.from < to && one.to > from);
    return inside.length > 0 ? [{ machineId, from: Math.min(...inside.map((one) => one.from)), to: Math.max(...inside.map((one) => one.to)) }] : [];
  });
  if (asked.length === 0) return new Map();
  const rows = by(await gapReadings(tx, asked));
  return new Map(
    [...rows].map(([machineId, own]): [number, Delta[]] => {
      const signals = new Map(material.get(machineId)?.machine.signals.map((signal) => [signal.id, signal]));
      const bySignal = Map.groupBy(own, ({ signalId }) => signalId);
      return [
        machineId,
        [...bySignal].flatMap(([id, list]) => {
          const signal = signals.get(id);
          const role = signal && countRoleOf(signal.role);
          if (!signal || !role) return [];
          const readings = list.map(({ at, value }): CountReading => ({ at, value }));
          const rule = { mode: signal.counterMode ?? "cumulative", modulus: signal.counterModulus };
          return deltas({ role, rule, before: null, readings });
        }),
      ];
    }),
  );
}

/** From what the database knows of a line to what its board shows. Pure; the pure engine of server/domain tells the machines' time. */

import type { BaseInterval, StateChange } from "#/server/domain/base.ts";
import { expectedPieces, type PiecesByRole, piecesMade, plannedTime } from "#/server/domain/expected.ts";
import { baseIntervals, cutTo, machineIntervals, machineNow, noCountTimeoutS } from "#/server/domain/intervals.ts";
import { deadWindows, deadWithAny } from "#/server/domain/presence.ts";
import { packmlStates, stateMeaning } from "#/server/domain/state.ts";
import type { Window } from "#/server/domain/windows.ts";
import type { HourCell, Picture, ShownKind, Tile } from "./picture-types.ts";
import type { BoardMaterial, MachineMaterial, Reading, SignalMaterial, SourceMaterial } from "./queries.ts";
import { stripOf } from "./strip.ts";

/** dead: when nothing is known of the machine because a source of it is silent. */
type Parts = { machine: MachineMaterial; base: BaseInterval[]; dead: Window[]; timeoutS: number | null };
/** nextChangeAt: the next instant at which the picture changes though nothing is written: a time-out, a shift, a break, an hour. */
export type MadePicture = { picture: Picture; nextChangeAt: number };

const hourMs = 3_600_000;

/** vouchedTo: by source, how far what it said of itself can be believed (upstream.ts). */
export function makePicture(material: BoardMaterial, nowMs: number, vouchedTo: ReadonlyMap<number, number | null> = new Map()): MadePicture {
  const window: Window = { from: material.fromMs, to: nowMs };
  const dead = new Map(material.sources.map((source) => [source.id, deadTimeOf(source, window, nowMs, vouchedTo.get(source.id))]));
  const parts = material.machines.map((machine) => baseOf(machine, dead, window, nowMs));
  const shift = material.shifts.find((s) => s.fromMs <= nowMs && s.toMs > nowMs) ?? null;
  const shown: Window = { from: shift?.fromMs ?? material.fromMs, to: nowMs };
  const planned = plannedTime(shown, shift?.breaks.map(asWindow) ?? []);
  const tiles = parts.map((part) => tileOf(part, parts, material, { window, shown, planned, nowMs, isShift: shift !== null }));
  const { line } = material;
  return {
    picture: {
      at: nowMs,
      line: {
        id: line.lineId,
        name: line.lineName,
        siteName: line.siteName,
        areaName: line.areaName,
        zone: line.zone,
        address: `${line.siteKey}/${line.areaKey}/${line.lineKey}`,
      },
      shift: shift && { name: shift.name, from: shift.fromMs, to: shift.toMs },
      nextShift: material.nextShift && { name: material.nextShift.name, from: material.nextShift.fromMs },
      window: { from: shown.from, to: shift?.toMs ?? nowMs },
      output: outputOf(material, shown, shift),
      hours: shift ? hoursOf(material, parts, shift, nowMs) : [],
      tiles,
    },
    nextChangeAt: nextChangeAt(material, parts, nowMs),
  };
}

const asWindow = ({ fromMs, toMs }: { fromMs: number; toMs: number }): Window => ({ from: fromMs, to: toMs });

function deadTimeOf(source: SourceMaterial, window: Window, nowMs: number, vouchedTo: number | null | undefined): Window[] {
  const margin = { from: window.from - hourMs, to: window.to };
  return deadWindows({
    window: margin,
    now: nowMs,
    form: source.form,
    noDataTimeoutS: source.noDataTimeoutS,
    vouchedTo: vouchedTo === null ? Math.max(source.lastAtMs ?? 0, source.announcedAtMs ?? 0) : vouchedTo,
    minutes: source.minutes.map(([firstAt, lastAt]) => ({ firstAt, lastAt })),
    linkEvents: source.links.map(({ atMs, kind, alive }) => ({ at: atMs, kind, alive })),
  });
}

const isCount = (signal: SignalMaterial) => signal.role.endsWith("_count");
const hasRole = (machine: MachineMaterial, role: string) => machine.signals.some((signal) => signal.role === role);

/** The sources that tell the machine's time: those of its state and counts; of a machine without such signals, all. */
function sourceIdsOf(machine: MachineMaterial): number[] {
  const telling = machine.signals.filter((signal) => signal.role === "state" || isCount(signal));
  return [...new Set((telling.length > 0 ? telling : machine.signals).map((signal) => signal.sourceId))];
}

function baseOf(machine: MachineMaterial, deadBySource: ReadonlyMap<number, Window[]>, window: Window, nowMs: number): Parts {
  const dead = deadWithAny(sourceIdsOf(machine).map((id) => deadBySource.get(id) ?? []));
  const counts = machine.signals.filter(isCount);
  const hasState = hasRole(machine, "state");
  const periods = counts.flatMap((signal) => (signal.periodS === null ? [] : [signal.periodS]));
  const timeoutS = noCountTimeoutS({
    configuredS: machine.noCountTimeoutSetS,
    idealCycleS: machine.idealCycleS,
    periodS: periods.length > 0 ? Math.max(...periods) : null,
    hasCount: counts.length > 0,
    hasState,
  });
  const base = baseIntervals({
    window,
    now: nowMs,
    stateReadings: hasState ? machine.states.map((reading): StateChange => ({ at: reading.atMs, kind: meaningOf(machine, reading).kind })) : null,
    firstReadingAt: machine.firstReadingMs,
    pieceInstants: machine.pieceMinutes.flat(),
    deadWindows: dead,
    noCountTimeoutS: timeoutS,
  });
  return { machine, base, dead, timeoutS };
}

function meaningOf(machine: MachineMaterial, reading: Reading) {
  const map = machine.signals.find((signal) => signal.role === "state")?.valueMap ?? null;
  return stateMeaning({ value: reading.value, text: reading.text }, map);
}

type Frame = { window: Window; shown: Window; planned: Window[]; nowMs: number; isShift: boolean };

function tileOf(part: Parts, all: readonly Parts[], material: BoardMaterial, { window, shown, planned, nowMs, isShift }: Frame): Tile {
  const { machine, base } = part;
  const baseOfId = (id: number | null) => all.find((other) => other.machine.id === id)?.base ?? null;
  const nameOfId = (id: number | null) => all.find((other) => other.machine.id === id)?.machine.name ?? null;
  const intervals = machineIntervals({
    window,
    now: nowMs,
    base,
    // A line without a shift plan is looked at as if all time were planned: its machines are not "unscheduled".
    shifts: material.hasShifts ? material.shifts.map((s) => ({ ...asWindow(s), breaks: s.breaks.map(asWindow) })) : [{ ...window, breaks: [] }],
    reasonReadings: machine.faults.map((reading) => ({ at: reading.atMs, reason: reasonOf(reading, material) })),
    upstream: baseOfId(machine.upstreamId),
    downstream: baseOfId(machine.downstreamId),
  });
  const current = machineNow(intervals, base);
  const sources = material.sources.filter((source) => machine.signals.some((signal) => signal.sourceId === source.id));
  const dataAt = latest(sources.map((source) => source.lastAtMs));
  const lastState = machine.states.at(-1);
  const meaning = lastState ? meaningOf(machine, lastState) : null;
  const made = (rows: MachineMaterial["pieces"]) => (dataAt === null ? null : piecesMade(byRole(machine, rows)));
  const inWindow = machine.pieces.filter((row) => row.inWindow);
  const kind: ShownKind = current?.kind ?? "unknown";
  const offlineAt = kind === "unknown" ? saidOfflineAt(machine, sources, nowMs) : null;
  return {
    machineId: machine.id,
    key: machine.key,
    name: machine.name,
    kind,
    sinceAt: offlineAt ?? (kind === "unknown" ? silentSince(part, dataAt, nowMs) : (current?.sinceAt ?? null)),
    sinceEarlier: kind !== "unknown" && (current?.sinceBeforeWindow ?? false),
    reason: current?.reason ? (material.reasons.find((r) => r.key === current.reason)?.name ?? current.reason) : null,
    waitsFor: kind === "blocked" ? nameOfId(machine.downstreamId) : kind === "starved" ? nameOfId(machine.upstreamId) : null,
    running: kind === "not_scheduled" && current?.base === "run",
    saidOffline: offlineAt !== null,
    stateName: meaning?.packml == null ? (lastState?.text ?? null) : (packmlStates[meaning.packml] ?? null),
    stateUnknown: meaning !== null && !meaning.known,
    missing: machine.signals.length === 0 ? "no_signals" : dataAt === null ? "never_sent" : null,
    piecesHour: made(machine.pieces.filter((row) => row.hourMs === material.hourFromMs)),
    piecesShift: made(inWindow),
    rejectsShift: dataAt === null ? null : (byRole(machine, inWindow).reject ?? null),
    expectedShift: isShift ? expectedOf(machine, planned) : null,
    lastCycleS: latestCycle(machine),
    idealCycleS: machine.idealCycleS,
    product: machine.productName,
    dataAt,
    sources: sources.map((source) => source.address),
    strip: stripOf(
      cutTo(
        intervals.map((interval) => ({ ...interval, to: interval.to ?? nowMs })),
        shown,
      ),
      shown.from,
      shown.to,
    ),
  };
}

const latest = (instants: readonly (number | null)[]): number | null =>
  instants.reduce<number | null>((newest, at) => (at !== null && (newest === null || at > newest) ? at : newest), null);

/** Since when nothing has come: the last value, or the announced end of the link. null: values come, and yet the state is not known, or none ever came. */
function silentSince({ dead }: Parts, dataAt: number | null, nowMs: number): number | null {
  const last = dead.at(-1);
  return last && last.to >= nowMs && dataAt !== null ? Math.max(last.from, dataAt) : null;
}

/** Since when a source that tells the machine's time says that it is offline, though values of it that are younger still come; null: that is not so. */
function saidOfflineAt(machine: MachineMaterial, sources: readonly SourceMaterial[], nowMs: number): number | null {
  const telling = sourceIdsOf(machine);
  const offline = sources.flatMap(({ id, announced, announcedAtMs, lastAtMs, noDataTimeoutS }) =>
    announced === false &&
    announcedAtMs !== null &&
    lastAtMs !== null &&
    lastAtMs > announcedAtMs &&
    nowMs - lastAtMs <= noDataTimeoutS * 1000 &&
    telling.includes(id)
      ? [announcedAtMs]
      : [],
  );
  return latest(offline);
}

/** The plant's reason for a machine's fault code; the code itself where none is known; null: no fault. */
function reasonOf(reading: Reading, material: BoardMaterial): string | null {
  const code = reading.text?.trim() ?? (reading.value === null ? "" : String(reading.value));
  if (code === "" || code === "0") return null;
  return material.reasons.find((reason) => reason.faultCode === code)?.key ?? code;
}

function byRole(machine: MachineMaterial, rows: MachineMaterial["pieces"]): PiecesByRole {
  const sum = (role: string) => (hasRole(machine, role) ? rows.reduce((total, row) => total + (row.role === role ? row.pieces : 0), 0) : undefined);
  return { good: sum("good_count"), reject: sum("reject_count"), rework: sum("rework_count"), total: sum("total_count") };
}

const productAt = (reading: Reading | undefined): string | null => (reading ? (reading.text ?? (reading.value === null ? null : String(reading.value))) : null);

function expectedOf(machine: MachineMaterial, planned: readonly Window[]): number | null {
  if (machine.rates.length === 0) return null;
  const products = machine.products.flatMap((reading) => {
    const product = productAt(reading);
    return product === null ? [] : [{ at: reading.atMs, product }];
  });
  return expectedPieces(
    planned,
    products,
    machine.rates.map(({ product, fromMs, toMs, idealCycleS }) => ({ product, from: fromMs, to: toMs, idealCycleS })),
  );
}

function latestCycle(machine: MachineMaterial): number | null {
  const counts = machine.signals.filter((signal) => isCount(signal) && signal.cycleS !== null);
  // The count of all pieces tells a cycle best; of several, the one that counted last.
  const rank = (signal: SignalMaterial) => (signal.role === "total_count" ? 1 : 0);
  return counts.sort((a, b) => rank(b) - rank(a) || (b.pieceAtMs ?? 0) - (a.pieceAtMs ?? 0))[0]?.cycleS ?? null;
}

/** The machines whose pieces are the line's: of a constraint line the one that paces it, else all. */
const countedMachines = ({ line, machines }: BoardMaterial): MachineMaterial[] =>
  line.topology === "constraint" && line.constraintMachineId !== null ? machines.filter((machine) => machine.id === line.constraintMachineId) : machines;

/** null as soon as one is not known: a sum with a hole in it is no sum. Nothing to add up is not known either. */
const sumOf = (numbers: readonly (number | null)[]): number | null =>
  numbers.length === 0 || numbers.includes(null) ? null : numbers.reduce<number>((sum, n) => sum + (n ?? 0), 0);

function outputOf(material: BoardMaterial, shown: Window, shift: BoardMaterial["shifts"][number] | null): Picture["output"] {
  const counted = countedMachines(material).filter((machine) => machine.signals.some(isCount));
  const plannedIn = (window: Window) => plannedTime(window, shift?.breaks.map(asWindow) ?? []);
  const expectedIn = (window: Window) => (shift ? sumOf(counted.map((machine) => expectedOf(machine, plannedIn(window)))) : null);
  const rates = counted.map((machine) => (machine.idealCycleS === null ? null : 3600 / machine.idealCycleS));
  return {
    made: sumOf(
      counted.map((machine) =>
        piecesMade(
          byRole(
            machine,
            machine.pieces.filter((row) => row.inWindow),
          ),
        ),
      ),
    ),
    expected: expectedIn(shown),
    planned: shift ? expectedIn(asWindow(shift)) : null,
    perHour: sumOf(rates),
    of: material.line.topology === "constraint" ? (counted[0]?.name ?? null) : null,
    withoutCycle: shift ? counted.filter((machine) => expectedOf(machine, plannedIn(shown)) === null).map(({ name }) => name) : [],
  };
}

/**
 * Whether nothing at all is known of that time, of none of these machines: no state, no piece. It is not known then how many there were; 0 would say that there
 * were none. hour: of which pieces count.
 */
function isUnwatched(counted: readonly MachineMaterial[], parts: readonly Parts[], { from, to }: Window, hour: number): boolean {
  return parts
    .filter(({ machine }) => counted.includes(machine))
    .every(
      ({ machine, base }) =>
        !machine.pieces.some((row) => row.inWindow && row.hourMs === hour) &&
        base.every((part) => part.kind === "unknown" || part.to <= from || part.from >= to),
    );
}

function hoursOf(material: BoardMaterial, parts: readonly Parts[], shift: BoardMaterial["shifts"][number], nowMs: number): HourCell[] {
  const counted = countedMachines(material).filter((machine) => machine.signals.some(isCount));
  const breaks = shift.breaks.map(asWindow);
  const expectedIn = (window: Window) => sumOf(counted.map((machine) => expectedOf(machine, plannedTime(window, breaks))));
  const madeIn = (machine: MachineMaterial, hour: number) =>
    piecesMade(
      byRole(
        machine,
        machine.pieces.filter((row) => row.inWindow && row.hourMs === hour),
      ),
    );
  const cells: HourCell[] = [];
  // Clock hours of the site; the zone's offset to whole hours is in hourFromMs.
  const offset = material.hourFromMs % hourMs;
  for (let hour = Math.floor((shift.fromMs - offset) / hourMs) * hourMs + offset; hour < shift.toMs; hour += hourMs) {
    const cell: Window = { from: Math.max(hour, shift.fromMs), to: Math.min(hour + hourMs, shift.toMs) };
    const past: Window = { from: cell.from, to: Math.min(cell.to, nowMs) };
    const isKnown = cell.from < nowMs && !isUnwatched(counted, parts, past, hour);
    const made = isKnown ? sumOf(counted.map((machine) => madeIn(machine, hour))) : null;
    cells.push({ ...cell, made, expected: expectedIn(cell), due: made === null ? null : expectedIn(past) });
  }
  return cells;
}

function nextChangeAt(material: BoardMaterial, parts: readonly Parts[], nowMs: number): number {
  const instants = [
    material.hourFromMs + hourMs,
    material.nextShift?.fromMs ?? null,
    ...material.shifts.flatMap((shift) => [shift.fromMs, shift.toMs, ...shift.breaks.flatMap((pause) => [pause.fromMs, pause.toMs])]),
    ...material.sources.map((source) => (source.lastAtMs === null ? null : source.lastAtMs + source.noDataTimeoutS * 1000)),
    ...parts.map(({ machine, base, timeoutS }) => {
      const last = base.at(-1);
      return timeoutS === null || last?.kind !== "run" ? null : Math.max(last.from, latest(machine.pieceMinutes.map(([, at]) => at)) ?? 0) + timeoutS * 1000;
    }),
  ];
  // "longer than", not "as long as": a time-out has passed one instant later
  return Math.min(...instants.filter((at): at is number => at !== null && at >= nowMs).map((at) => at + 1), nowMs + 24 * hourMs);
}

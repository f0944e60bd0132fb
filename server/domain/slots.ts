/** The calendar of a line as a partition: clock hours, each cut where shifts begin and end and days change. Facts never lie over two of them. */

import { Temporal } from "temporal-polyfill";
import type { Window } from "./windows.ts";

export type ScheduledShift = Window & { id: string; businessDate: string };
/** shiftId null: unscheduled time, booked to its local date. hourAt: start of the clock hour in the site's zone. */
export type Slot = Window & { shiftId: string | null; date: string; hourAt: number };

/** All of the window, in order. The clock hour in which clocks go back is two, which are told apart by their starts. */
export function slotsOf(window: Window, shifts: readonly ScheduledShift[], zone: string): Slot[] {
  const slots: Slot[] = [];
  const inOrder = [...shifts].sort((a, b) => a.from - b.from);
  let next = 0;
  for (let from = window.from; from < window.to; ) {
    const local = Temporal.Instant.fromEpochMilliseconds(from).toZonedDateTimeISO(zone);
    const hour = local.round({ smallestUnit: "hour", roundingMode: "floor" });
    const hourAt = hour.epochMilliseconds;
    const nextHour = hour.add({ hours: 1 }).epochMilliseconds;
    while (next < inOrder.length && (inOrder[next]?.to ?? 0) <= from) next += 1;
    const shift = inOrder[next];
    const isIn = shift !== undefined && shift.from <= from;
    const edge = shift === undefined ? Number.POSITIVE_INFINITY : isIn ? shift.to : shift.from;
    const to = Math.min(window.to, nextHour, edge);
    slots.push({ from, to, shiftId: isIn ? shift.id : null, date: isIn ? shift.businessDate : local.toPlainDate().toString(), hourAt });
    from = to;
  }
  return slots;
}

/** Start of the clock hour that holds the instant; offsets of zones are whole quarters of an hour, and clocks change at whole hours or half ones. */
export function clockHourOf(at: number, zone: string): number {
  return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone).round({ smallestUnit: "hour", roundingMode: "floor" }).epochMilliseconds;
}

import { z } from "zod";
import { instantOf, isTimeZone } from "#/server/domain/shift.ts";
import { may, router } from "#/server/trpc.ts";
import { type Asked, auditSites, historyOf, searchEntries } from "./service.ts";

const key = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\|\d{1,9}\|\d{1,18}$/);
const word = (most: number) =>
  z
    .string()
    .trim()
    .max(most)
    .transform((text) => (text === "" ? null : text))
    .nullable()
    .default(null);

const zone = word(64).refine((text) => text === null || isTimeZone(text), { error: "This is no time zone." });
const time = word(32).refine((text) => text === null || instantIn(text, "UTC") !== null, { error: "Give a day and a time, as 2026-05-04T10:00." });

/** What the page's address and the export's hold. from, to: a time of day in `zone`, or an instant with Z. */
export const entryFilter = z.object({
  site: word(64),
  zone,
  from: time,
  to: time,
  who: word(100),
  action: word(100),
  kind: word(63),
  id: word(200),
  text: word(200),
});

/** `2026-05-04T10:00` in that zone, `2026-05-04` as its midnight, `2026-05-04T08:00:00Z`; null: none of them. */
function instantIn(text: string, timeZone: string): Date | null {
  const [, day, hour = "0", minute = "0"] = /^(\d{4}-\d\d-\d\d)(?:T([01]\d|2[0-3]):([0-5]\d)(?::\d\d)?)?$/.exec(text) ?? [];
  const instant = day === undefined && /^\d{4}-\d\d-\d\dT.*Z$/.test(text) ? new Date(text) : null;
  if (day === undefined) return instant !== null && !Number.isNaN(instant.getTime()) ? instant : null;
  try {
    return instantOf(day, Number(hour) * 60 + Number(minute), timeZone);
  } catch {
    return null; // RangeError: no such day
  }
}

/** What was asked for, as the search takes it. */
export const askedOf = ({ zone: inZone, from, to, ...rest }: z.output<typeof entryFilter>): Asked => ({
  ...rest,
  from: from === null ? null : instantIn(from, inZone ?? "UTC"),
  to: to === null ? null : instantIn(to, inZone ?? "UTC"),
});

export const auditRouter = router({
  sites: may("audit.read").query(({ ctx }) => auditSites(ctx)),
  entries: may("audit.read")
    .input(entryFilter.extend({ cursor: key.nullable().default(null) }))
    .query(({ ctx, input: { cursor, ...asked } }) => searchEntries(ctx, askedOf(asked), cursor)),
  history: may("history.read")
    .input(z.object({ kind: z.string().min(1).max(63), id: z.string().min(1).max(200), cursor: key.nullable().default(null) }))
    .query(({ ctx, input: { cursor, ...subject } }) => historyOf(ctx, subject, cursor)),
});

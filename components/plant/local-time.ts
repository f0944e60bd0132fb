/** Instants in forms: as a clock at the site shows them. The plant file takes them as that, too: a time without an offset is the site's. */
import { dateAndTime } from "#/components/ui/clock.ts";

const instant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z$/;
/** By which clocks are put back, somewhere. */
const steps = [1_800_000, 3_600_000, 7_200_000];

/**
 * `2026-11-21T22:13:45Z` in Europe/Berlin is `2026-11-21 23:13:45`. As it was where no zone is known, where it is no instant in UTC (a day, a time at the site),
 * and in the hour that a clock shows twice.
 */
export function localText(text: string, zone: string | null): string {
  const at = Date.parse(text);
  if (zone === null || !instant.test(text) || Number.isNaN(at) || at % 1000 !== 0) return text;
  const local = dateAndTime(at, zone);
  if (steps.some((step) => [at - step, at + step].some((other) => dateAndTime(other, zone) === local))) return text;
  return local.replace(/:00$/, "");
}

/** What was typed as the plant file writes it: a T between day and time. */
export const fileText = (typed: string): string => typed.trim().replace(/^(\d{4}-\d{2}-\d{2}) +(?=\d)/, "$1T");

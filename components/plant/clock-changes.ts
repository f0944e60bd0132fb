/** When the clock changes in a zone: for looking at shifts before such a night comes. */

export type ClockChange = { /** Local day, 2026-10-25. */ day: string; fromOffsetMin: number; toOffsetMin: number };

const dayMs = 86_400_000;

/** Of the `days` days from `fromAt` (ms) on, in order. Offsets are minutes east of UTC. */
export function clockChanges(zone: string, fromAt: number, days: number): ClockChange[] {
  const parts = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
  });
  const look = (at: number) => {
    const found = Object.fromEntries(parts.formatToParts(at).map(({ type, value }) => [type, value]));
    const day = `${found.year}-${found.month}-${found.day}`;
    return { day, offsetMin: (Date.parse(`${day}T${found.hour}:${found.minute}Z`) - at) / 60_000 };
  };
  const changes: ClockChange[] = [];
  const start = fromAt - (fromAt % dayMs);
  let before = look(start);
  for (let n = 1; n <= days; n++) {
    const now = look(start + n * dayMs);
    // Seen at midnight UTC: the change lies in the day before, by the clock of most zones that have one.
    if (now.offsetMin !== before.offsetMin)
      changes.push({ day: look(start + n * dayMs - dayMs / 2).day, fromOffsetMin: before.offsetMin, toOffsetMin: now.offsetMin });
    before = now;
  }
  return changes;
}

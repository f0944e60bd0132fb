/** Instants in a plant's zone, hours from 0 to 23 in every language: a shift that begins at 22:00 is called so everywhere. */
const made = new Map<string, Intl.DateTimeFormat>();
const format = (zone: string, key: string, options: Intl.DateTimeFormatOptions, locale = "en-GB") => {
  const name = `${zone}|${key}|${locale}`;
  const known = made.get(name) ?? new Intl.DateTimeFormat(locale, { timeZone: zone, hourCycle: "h23", ...options });
  made.set(name, known);
  return known;
};

export const hourMinute = (at: number, zone: string) => format(zone, "hm", { hour: "2-digit", minute: "2-digit" }).format(at);
export const hourMinuteSecond = (at: number, zone: string) => format(zone, "hms", { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(at);
export const dayAndTime = (at: number, zone: string, locale: string) =>
  format(zone, "day", { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }, locale).format(at);
export const dayOf = (at: number, zone: string, locale: string) =>
  format(zone, "date", { weekday: "short", day: "numeric", month: "short" }, locale).format(at);
export const dateAndTime = (at: number, zone: string) =>
  format(zone, "full", { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" }, "sv-SE").format(at);

/** "Berlin", of Europe/Berlin. */
export const placeOf = (zone: string) => zone.slice(zone.lastIndexOf("/") + 1).replaceAll("_", " ");
/** "GMT+1" at that instant. */
export const offsetOf = (at: number, zone: string) =>
  format(zone, "offset", { timeZoneName: "shortOffset" })
    .formatToParts(at)
    .find((part) => part.type === "timeZoneName")?.value ?? zone;

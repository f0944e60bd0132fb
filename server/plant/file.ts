/**
 * The plant as a YAML file: its shape, told to zod. docs/plant-file.md explains it with an example.
 * What needs a look at more than one place of the file (references, duplicates, overlaps) is in `file-rules.ts`.
 */
import { z } from "zod";
import { isCurrency } from "#/server/domain/currency.ts";
import { plainName, whyNoName } from "#/server/domain/naming.ts";
import { lossClasses } from "#/server/domain/state.ts";
import { parseClock, parseDays, parseDuration } from "./file-values.ts";

export const signalRoles = [
  "state",
  "good_count",
  "reject_count",
  "rework_count",
  "total_count",
  "fault_code",
  "job",
  "product",
  "measurement",
  "energy",
] as const;
export const topologies = ["parallel", "constraint"] as const;
export const sourceForms = ["json", "sparkplug", "mapped"] as const;
export const calendarKinds = ["holiday", "extra_shift", "cancelled_shift"] as const;

/** As `is_plant_key` in the database: a key is a segment of topics and of addresses on screen. */
export const keyPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

const key = z
  .string()
  .regex(keyPattern, "must be 1 to 64 letters, digits, '.', '_' or '-', and begin with a letter or digit: it becomes part of topics and addresses");
/** Neither control characters nor halves of characters: no screen shows them and no database keeps them. */
const isSound = (raw: string) => !/\p{Cc}/u.test(raw) && raw.isWellFormed();
const unsound = "must not have line breaks, tabs, other control characters or halves of characters";
/** What an index takes, with room for a second one beside it. */
const longestBytes = 1_000;
const fits = (raw: string) => Buffer.byteLength(raw) <= longestBytes;
const tooLong = `must be ${longestBytes} bytes at most`;

const name = z
  .string()
  .transform(plainName)
  .pipe(
    z
      .string()
      .min(1, { error: "must not be empty", abort: true })
      .max(200, "must be 200 characters at most")
      .refine(isSound, { error: unsound, abort: true })
      .refine((raw) => whyNoName(raw) !== "blank", { error: "must have something in it that can be seen", abort: true })
      .refine((raw) => whyNoName(raw) === null, "must not have characters that cannot be seen or that turn the text beside them"),
  );
const text = z.string().min(1, "must not be empty").refine(fits, tooLong).refine(isSound, unsound);
const number = z.number();

/** Refuses with the reason that `parse` throws; the value goes on parsed. */
const parsed = <T>(parse: (raw: string | number) => T) =>
  z
    .custom<string | number>((raw) => typeof raw === "string" || typeof raw === "number", "must be text")
    .transform((raw, ctx): T => {
      try {
        return parse(raw);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        ctx.addIssue({ code: "custom", message: error.message });
        return z.NEVER;
      }
    });

/** Seconds; written `90d`, `1h30m`, `500ms` or as a number of seconds. */
const durationS = parsed(parseDuration);
/** Minutes after midnight; written `06:00`. Ends may be written past midnight: `30:00` is 06:00 of the next day. */
const clockMinutes = parsed(parseClock);
const days = z.preprocess((raw) => (Array.isArray(raw) ? raw.join(",") : raw), parsed(parseDays));
const date = z.iso.date("must be a day such as 2026-04-01");
const dateOrInstant = z
  .string()
  .regex(
    /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?)?$/,
    "must be a day such as 2026-04-01 (its midnight at the site), a local time such as 2026-04-01T06:00, or an instant such as 2026-04-01T04:00:00Z",
  )
  .refine(exists, "is a day or time that does not exist");
function exists(raw: string): boolean {
  const [date = "", time = "00:00Z"] = raw.split("T");
  const at = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(date) && !Number.isNaN(new Date(`${date}T${time}`).getTime());
}

const currency = z.string().refine(isCurrency, "is no currency of ISO 4217; write its code in capitals, such as EUR, USD or JPY");
const amount = number.min(0, "must not be below 0").max(1_000_000_000, "must be 1000000000 at most");
const percent = number.gt(0, "must be above 0: it is a percentage, such as 85").max(100, "must be 100 at most: it is a percentage, such as 85");

const oneOrMany = <T extends z.ZodType>(item: T) => z.preprocess((raw) => (raw === undefined || Array.isArray(raw) ? raw : [raw]), z.array(item));

/** A renamed thing: the key that it had. Its history goes with it. */
const was = key.optional();

const sourceFields = {
  /** Silence longer than this makes the time of the source's machines unknown. */
  no_data_timeout: durationS.pipe(z.int("must be whole seconds").min(60, "must be at least 60s: presence is kept by the minute")).default(60),
  /** Values older than this on arrival are set aside. */
  max_backfill: durationS.pipe(z.int("must be whole seconds").min(1, "must be longer than 0")).default(7_776_000),
};
/** A publisher that several machines or signals share; they name it by its address. */
const sharedSource = z.strictObject({ form: z.enum(sourceForms), address: text, was: text.optional(), ...sourceFields });
/** A machine's own publisher, or the address of a shared one. json: address defaults to site/area/line/machine. */
const machineSource = z.preprocess(
  (raw) => (typeof raw === "string" ? { shared: raw } : raw),
  z.strictObject({ shared: text.optional(), form: z.enum(sourceForms).default("json"), address: text.optional(), ...sourceFields }),
);

/** Where a value comes from that does not follow takt/v1/...: a topic with a path in its payload, or a Sparkplug metric. */
const mapping = z.strictObject({
  topic: text.optional(),
  path: z.string().refine(fits, tooLong).refine(isSound, unsound).default(""),
  ts_path: text.optional(),
  descriptor: text.optional(),
  metric: text.optional(),
});

const signal = z.strictObject({
  key,
  was,
  name: name.optional(),
  role: z.enum(signalRoles),
  unit: z.string().trim().max(32, "must be 32 characters at most").refine(isSound, unsound).default(""),
  scale: number.refine((n) => n !== 0, "must not be 0").default(1),
  offset: number.default(0),
  values: z.record(text, z.union([text, z.number()])).optional(),
  counter: z.enum(["cumulative", "increment"]).optional(),
  modulus: number.gt(1, "must be above 1").optional(),
  period: durationS.pipe(z.number().gt(0, "must be longer than 0")).optional(),
  low: number.optional(),
  high: number.optional(),
  /** Measurements: a smaller change from the last kept value is not kept, in unit. */
  dead_band: number.gt(0, "must be above 0").optional(),
  /** Measurements and energy: raw values are kept for ever, as those of states and counts are. */
  keep_raw: z.boolean().optional(),
  /** Sparkplug machines: the metric's name; the signal's key where none is given. */
  metric: text.optional(),
  /** The address of a shared source, where it is not the machine's. */
  source: text.optional(),
  mapping: oneOrMany(mapping).default([]),
});

const bounds = { from: dateOrInstant.optional(), until: dateOrInstant.optional() };
const idealCycle = z.strictObject({
  /** Without one: the machine's default, for every product that has no rate of its own. */
  product: text.optional(),
  /** Ideal seconds per piece: machine cycle / cavities. */
  seconds: number
    .gt(0, { error: "must be above 0: it is the ideal time of one piece", abort: true })
    .min(0.001, "must be at least 0.001: no piece takes less than a millisecond")
    .max(30 * 86_400, "must be 2592000 at most: no piece takes longer than 30 days"),
  ...bounds,
});
/** In the site's currency: of one hour of the machine. */
const hourlyCost = z.strictObject({ cost: amount, ...bounds });
/** In the site's currency: what a good piece is worth, what a rejected one costs. */
const productCost = z.strictObject({ product: text, value: amount.optional(), scrap: amount.optional(), ...bounds });
/** In the site's currency: of one kWh. */
const energyPrice = z.strictObject({ price: amount, ...bounds });
/** What is to be reached, at least one of them. pieces_per_hour: good ones. */
const target = z.strictObject({
  oee: percent.optional(),
  availability: percent.optional(),
  performance: percent.optional(),
  quality: percent.optional(),
  pieces_per_hour: number.gt(0, "must be above 0").optional(),
  ...bounds,
});
const targets = oneOrMany(target).default([]);

const machine = z.strictObject({
  key,
  was,
  name: name.optional(),
  kind: name.default("machine"),
  /** A machine of the same line by its key, or of the site as area/line/machine. */
  upstream: text.optional(),
  downstream: text.optional(),
  no_count_timeout: durationS.pipe(z.number().min(60, "must be at least 60s")).optional(),
  source: machineSource.optional(),
  ideal_cycles: oneOrMany(idealCycle).default([]),
  hourly_costs: oneOrMany(hourlyCost).default([]),
  targets,
  signals: z.array(signal).default([]),
});

const line = z.strictObject({
  key,
  was,
  name: name.optional(),
  topology: z.enum(topologies).default("parallel"),
  constraint_machine: text.optional(),
  last_machine: text.optional(),
  shift_pattern: oneOrMany(
    z.preprocess((raw) => (typeof raw === "string" ? { pattern: raw } : raw), z.strictObject({ pattern: text, from: date.optional(), until: date.optional() })),
  ).default([]),
  targets,
  machines: z.array(machine).default([]),
});

const area = z.strictObject({ key, was, name: name.optional(), lines: z.array(line).default([]) });

const breaks = z.array(z.strictObject({ name: name.default("Break"), start: clockMinutes, end: clockMinutes })).default([]);
const shift = z.strictObject({
  key,
  was,
  name: name.optional(),
  days,
  start: clockMinutes,
  end: clockMinutes,
  breaks,
});
const shiftPattern = z.strictObject({ key, was, name: name.optional(), shifts: z.array(shift).default([]) });

const reason = z.strictObject({
  key,
  was,
  name: name.optional(),
  /** Without one: its parent's. */
  loss: z.enum(lossClasses).optional(),
  fault_code: z.union([text, z.number().transform(String)]).optional(),
  get reasons() {
    return z.array(reason).default([]);
  },
});

const team = z.strictObject({ key, was, name: name.optional() });

/** Days on which shifts are other than their pattern says: none, one more, or one less. */
const calendarEntry = z.strictObject({
  key,
  was,
  name: name.optional(),
  kind: z.enum(calendarKinds),
  date,
  /** Included. Without one: one day. */
  last_date: date.optional(),
  /** area/line; without one: all lines of the site. */
  line: text.optional(),
  /** cancelled_shift: pattern/shift. */
  shift: text.optional(),
  /** extra_shift. */
  start: clockMinutes.optional(),
  end: clockMinutes.optional(),
  breaks,
});

const device = z.strictObject({
  key,
  was,
  name: name.optional(),
  /** Common name of its certificate; the broker takes it for the user name. */
  identity: z
    .string()
    .trim()
    .min(1, "must not be empty")
    .max(64, "must be 64 characters at most, as the common name of a certificate")
    .refine(isSound, unsound),
  /** SHA-256 of the certificate, 64 hexadecimal digits, with or without colons. */
  fingerprint: z
    .string()
    .transform((raw) => raw.replaceAll(":", "").toLowerCase())
    .pipe(z.string().regex(/^[0-9a-f]{64}$/, "must be the SHA-256 fingerprint of the certificate: 64 hexadecimal digits, with or without colons"))
    .optional(),
  expires: dateOrInstant.optional(),
  /** Common name in that certificate, as it was read from it; the broker refuses the device where it is not the identity. */
  certificate_name: text.optional(),
  firmware: z.string().trim().max(100, "must be 100 characters at most").refine(isSound, unsound).default(""),
  /** Topic filters below which it may publish. */
  topics: z.preprocess((raw) => (typeof raw === "string" ? [raw] : raw), z.array(text)).default([]),
});

const site = z.strictObject({
  key,
  was,
  name: name.optional(),
  zone: text,
  currency: currency.optional(),
  product_costs: oneOrMany(productCost).default([]),
  energy_prices: oneOrMany(energyPrice).default([]),
  targets,
  shift_patterns: z.array(shiftPattern).default([]),
  reasons: z.array(reason).default([]),
  teams: z.array(team).default([]),
  calendar: z.array(calendarEntry).default([]),
  devices: z.array(device).default([]),
  sources: z.array(sharedSource).default([]),
  areas: z.array(area).default([]),
});

const product = z.strictObject({ key, was, name: name.optional() });
const productLine = z.strictObject({ key, was, name: name.optional(), products: z.array(product).default([]) });

const enterprise = z.strictObject({ key, was, name: name.optional(), currency: currency.optional() });
/** One unit of the currency in the group's currency, in that month. */
const currencyRate = z.strictObject({
  currency,
  month: z.string().regex(/^\d{4}-(0[1-9]|1[0-2])$/, "must be a month such as 2026-04"),
  rate: number.gt(0, "must be above 0: it is what one unit is worth in the group's currency").max(1_000_000_000, "must be 1000000000 at most"),
});

export const plantFile = z.strictObject({
  enterprise,
  currency_rates: z.array(currencyRate).default([]),
  product_lines: z.array(productLine).default([]),
  sites: z.array(site).default([]),
});

/** The file as read: defaults filled in, durations in seconds, clock times in minutes after midnight, days as ISO numbers. */
export type PlantFile = z.infer<typeof plantFile>;
export type SiteEntry = PlantFile["sites"][number];
export type AreaEntry = SiteEntry["areas"][number];
export type LineEntry = AreaEntry["lines"][number];
export type MachineEntry = LineEntry["machines"][number];
export type SignalEntry = MachineEntry["signals"][number];
export type ShiftPatternEntry = SiteEntry["shift_patterns"][number];
export type ShiftEntry = ShiftPatternEntry["shifts"][number];
export type ReasonEntry = z.infer<typeof reason>;
export type CalendarEntry = SiteEntry["calendar"][number];
export type DeviceEntry = SiteEntry["devices"][number];
export type TargetEntry = z.infer<typeof target>;

/** The fields of an entry of each kind, as people write them; what stands below it is another entry. */
export const entryShapes = {
  enterprise,
  currency_rate: currencyRate,
  product_line: productLine.omit({ products: true }),
  product,
  site: site.omit({ shift_patterns: true, reasons: true, teams: true, calendar: true, devices: true, sources: true, areas: true }),
  shift_pattern: shiftPattern.omit({ shifts: true }),
  shift,
  reason: reason.omit({ reasons: true }),
  team,
  device,
  source: sharedSource,
  area: area.omit({ lines: true }),
  line: line.omit({ machines: true }),
  machine: machine.omit({ signals: true }),
  signal,
  calendar_entry: calendarEntry,
} as const;

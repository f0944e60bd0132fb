// The command line of `npm run simulate`: what can be asked for, checked before anything starts.
import { parseArgs } from "node:util";
import type { MachineForm } from "#/simulator/model/definition.ts";
import { messageOf, Trouble } from "#/simulator/trouble.ts";

export const usage = `npm run simulate -- [what] [options]       the simulated plant against the broker of MQTT_URL

what
  --live                  publish what the plant does now (the default), until Ctrl-C
  --backfill 14d          publish its history, newest day first; with --live both at once
  --from T [--to T]       publish the time from T on (ISO 8601, or an age such as 2h), then go on live or stop at --to
  --for 10m               stop after that much of the plant's time
  --replay FILE.csv --map FILE.yaml    publish recorded data instead
  --print-plant           print the plant file (with --lines: of the load plant) and stop; into a file: npm run -s simulate -- --print-plant > FILE

how
  --speed 60 | max        the plant's time against the clock's; 1 is the default, other speeds need --from
  --seed TEXT             another plant of the same kind; the default is takt
  --only PATH             machines below site[/area[/line[/machine]]] alone
  --format batched|single|sparkplug    for all machines; the default is as the plant has it (json means batched)
  --lines N --machines M --rate R      a load plant: N lines x M machines with R values/s each
  --primary-host ID       Sparkplug: publish only while this host application is online
  --max-rate N            values/s of history; 40000 beside --live, so that live values do not queue behind it, else as fast as it goes
  --in-flight N           messages that wait for the broker's acknowledgement, 500 unless said
  --truth FILE            what was published, for comparison; --truth-values FILE each value once it was acknowledged
  --marker FILE           where --backfill and --live remember what is done; "none" to forget
  --mqtt URL              instead of MQTT_URL

misbehaviour
  --duplicates 0.1 --shuffle 0.05 --late 0.02 [--late-by 60s]    shares of the messages
  --garbage 0.01          messages that no one should send, as a share on top
  --lost-link M@FROM+LEN  machine M loses its link at FROM (ISO, or an offset such as 30s) for LEN, and delivers its backlog after
  --counter-reset M@FROM  machine M's counters start over
  --clock-skew M@-90s     machine M's clock is wrong by that much; M may be "all"

replay (as fast as it goes unless --speed says otherwise; --shuffle, --duplicates and --late work too)
  --as-recorded           with the recorded times, not moved by whole weeks; lifts max_backfill of the sources in the database of DATABASE_URL, and begins when the ingest workers go by it
  --max-backfill-is-set   with --as-recorded: the plant file's max_backfill reaches that far already and is applied, leave the database alone
`;

export type LostLink = { machine: string; from: Moment; lengthMs: number };
/** An instant, or ms after the start. */
export type Moment = { at: number } | { after: number };
export type Options = {
  what: "live" | "backfill" | "both" | "replay" | "print-plant";
  backfillMs: number;
  from: number | null;
  to: number | null;
  forMs: number | null;
  speed: number; // Infinity: max
  seed: string;
  only: string | null;
  format: MachineForm | null;
  load: { lines: number; machines: number; rate: number } | null;
  primaryHost: string | null;
  inFlight: number;
  maxRate: number; // values/s of history; Infinity: as fast as it goes
  truth: string | null;
  truthValues: string | null;
  marker: string | null;
  mqtt: string | null;
  duplicates: number;
  shuffle: number;
  late: number;
  lateByMs: number;
  garbage: number;
  lostLinks: LostLink[];
  counterResets: { machine: string; from: Moment }[];
  clockSkews: { machine: string; byMs: number }[];
  replay: { file: string; map: string; asRecorded: boolean; maxBackfillIsSet: boolean } | null;
};

const unitMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

export function durationMs(raw: string, option: string): number {
  const match = /^([+-]?)(\d+(?:\.\d+)?)(ms|s|min|m|h|d|w)$/.exec(raw.trim());
  if (!match) throw new Trouble(`--${option} ${raw}: write a duration such as 30s, 10m, 2h or 14d.`);
  return (match[1] === "-" ? -1 : 1) * Number(match[2]) * (unitMs[match[3] ?? ""] ?? Number.NaN);
}

function instant(raw: string, option: string, now: number): number {
  if (/^\d+(\.\d+)?(ms|s|min|m|h|d|w)$/.test(raw)) return now - durationMs(raw, option);
  if (raw === "now") return now;
  const at = /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/.test(raw) ? Date.parse(raw) : Number.NaN;
  if (!Number.isFinite(at)) throw new Trouble(`--${option} ${raw}: write an instant such as 2026-11-20T06:00:00Z, or an age such as 2h.`);
  return at;
}

function moment(raw: string, option: string): Moment {
  const offset = raw.replace(/^\+/, "");
  return /^\d+(\.\d+)?(ms|s|min|m|h|d)$/.test(offset) ? { after: durationMs(offset, option) } : { at: instant(raw, option, 0) };
}

function share(raw: string | undefined, option: string): number {
  if (raw === undefined) return 0;
  const value = Number(raw);
  if (!(value >= 0 && value <= 1)) throw new Trouble(`--${option} ${raw}: write a share between 0 and 1, such as 0.1.`);
  return value;
}

function count(raw: string | undefined, option: string, most: number): number | null {
  if (raw === undefined) return null;
  const value = Number(raw);
  if (!Number.isInteger(value) || value < 1 || value > most) throw new Trouble(`--${option} ${raw}: write a whole number from 1 to ${most}.`);
  return value;
}

const split = (raw: string, option: string): [machine: string, rest: string] => {
  const at = raw.indexOf("@");
  if (at < 1) throw new Trouble(`--${option} ${raw}: write it as machine@...`);
  return [raw.slice(0, at), raw.slice(at + 1)];
};

function lostLink(raw: string): LostLink {
  const [machine, rest] = split(raw, "lost-link");
  const plus = rest.lastIndexOf("+");
  if (plus < 1) throw new Trouble(`--lost-link ${raw}: write it as machine@from+length, such as press-01@30s+2m.`);
  return { machine, from: moment(rest.slice(0, plus), "lost-link"), lengthMs: durationMs(rest.slice(plus + 1), "lost-link") };
}

const formats: Record<string, MachineForm> = { json: "batched", batched: "batched", single: "single", sparkplug: "sparkplug" };

export function parseOptions(args: readonly string[], now: number): Options {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const many = { type: "string", multiple: true } as const;
  let values: ReturnType<typeof parse>;
  const parse = () =>
    parseArgs({
      args: [...args],
      allowPositionals: false,
      options: {
        live: flag,
        backfill: text,
        from: text,
        to: text,
        for: text,
        speed: text,
        seed: text,
        only: text,
        format: text,
        lines: text,
        machines: text,
        rate: text,
        "primary-host": text,
        "in-flight": text,
        "max-rate": text,
        truth: text,
        "truth-values": text,
        marker: text,
        mqtt: text,
        duplicates: text,
        shuffle: text,
        late: text,
        "late-by": text,
        garbage: text,
        "lost-link": many,
        "counter-reset": many,
        "clock-skew": many,
        replay: text,
        map: text,
        "as-recorded": flag,
        "max-backfill-is-set": flag,
        "print-plant": flag,
      },
    }).values;
  try {
    values = parse();
  } catch (error) {
    throw new Trouble(`${messageOf(error).split(". ")[0]}. See npm run simulate -- --help.`);
  }

  const load = values.lines ?? values.machines ?? values.rate;
  const rate = Number(values.rate ?? 10);
  if (!(rate > 0)) throw new Trouble(`--rate ${values.rate}: write the values per second of one machine, such as 10.`);
  const form = values.format === undefined ? null : (formats[values.format] ?? null);
  if (values.format !== undefined && !form) throw new Trouble(`--format ${values.format}: it is batched, single or sparkplug.`);
  const speed = values.speed === undefined ? (values.replay ? Infinity : 1) : values.speed === "max" ? Infinity : Number(values.speed);
  if (!(speed > 0)) throw new Trouble(`--speed ${values.speed}: write a number above 0, or max.`);
  const from = values.from === undefined ? null : instant(values.from, "from", now);
  if (speed !== 1 && from === null && !values.replay) throw new Trouble("--speed needs --from: the plant would soon speak of a future that Takt refuses.");
  const to = values.to === undefined ? null : instant(values.to, "to", now);
  if (from !== null && to !== null && to <= from) throw new Trouble("--to must be later than --from.");
  if (values.replay && !values.map) throw new Trouble("--replay needs --map FILE: which column is which signal. simulator/replay/sme.map.yaml is an example.");

  const what = values["print-plant"] ? "print-plant" : values.replay ? "replay" : values.backfill === undefined ? "live" : values.live ? "both" : "backfill";
  return {
    what,
    backfillMs: values.backfill === undefined ? 0 : durationMs(values.backfill, "backfill"),
    from,
    to,
    forMs: values.for === undefined ? null : durationMs(values.for, "for"),
    speed,
    seed: values.seed ?? "takt",
    only: values.only ?? null,
    format: form,
    load: load === undefined ? null : { lines: count(values.lines, "lines", 999) ?? 1, machines: count(values.machines, "machines", 99) ?? 10, rate },
    primaryHost: values["primary-host"] ?? null,
    inFlight: count(values["in-flight"], "in-flight", 60_000) ?? 500,
    maxRate: count(values["max-rate"], "max-rate", 10_000_000) ?? (what === "both" ? 40_000 : Infinity),
    truth: values.truth ?? null,
    truthValues: values["truth-values"] ?? null,
    marker: values.marker ?? null,
    mqtt: values.mqtt ?? null,
    duplicates: share(values.duplicates, "duplicates"),
    shuffle: share(values.shuffle, "shuffle"),
    late: share(values.late, "late"),
    lateByMs: durationMs(values["late-by"] ?? "60s", "late-by"),
    garbage: share(values.garbage, "garbage"),
    lostLinks: (values["lost-link"] ?? []).map(lostLink),
    counterResets: (values["counter-reset"] ?? []).map((raw) => {
      const [machine, rest] = split(raw, "counter-reset");
      return { machine, from: moment(rest, "counter-reset") };
    }),
    clockSkews: (values["clock-skew"] ?? []).map((raw) => {
      const [machine, rest] = split(raw, "clock-skew");
      return { machine, byMs: durationMs(rest, "clock-skew") };
    }),
    replay:
      values.replay && values.map
        ? { file: values.replay, map: values.map, asRecorded: values["as-recorded"] ?? false, maxBackfillIsSet: values["max-backfill-is-set"] ?? false }
        : null,
  };
}

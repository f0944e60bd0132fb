/**
 * What other programs may read at /api/v1, by nouns of the plant. Each asks a procedure, so that permission, scope and errors are the screens' own, and says what
 * it answers as a schema: nothing else leaves, and the document at /api/v1/openapi.json cannot disagree. Names here are a promise: they change in /api/v2 only.
 */
import { z } from "zod";
import type { Picture, Tile, Trouble } from "#/server/boards/picture-types.ts";
import { silentAfterMs } from "#/server/domain/heartbeat.ts";
import type { Action } from "#/server/domain/permission.ts";
import { Refusal } from "#/server/errors.ts";
import type { appRouter } from "#/server/router.ts";
import type { createCaller } from "#/server/trpc.ts";

export type Api = ReturnType<ReturnType<typeof createCaller<(typeof appRouter)["_def"]["record"]>>>;

/** path: below /api/v1, with {names} of parameters. action: what a token needs. */
export type Endpoint = {
  path: string;
  name: string;
  summary: string;
  action: Action;
  parameters: z.ZodObject;
  answer: z.ZodType;
  /** @throws Refusal INVALID where a parameter is wrong, and what the procedure throws */
  ask(api: Api, parameters: Record<string, string>): Promise<unknown>;
};

type Described<Parameters extends z.ZodObject, Answer extends z.ZodType> = Omit<Endpoint, "parameters" | "answer" | "ask"> & {
  parameters: Parameters;
  answer: Answer;
  ask(api: Api, parameters: z.output<Parameters>): Promise<z.input<Answer>>;
};

function endpoint<Parameters extends z.ZodObject, Answer extends z.ZodType>(described: Described<Parameters, Answer>): Endpoint {
  return {
    ...described,
    async ask(api, given) {
      const parameters = described.parameters.safeParse(given);
      if (!parameters.success) throw new Refusal("INVALID", parameters.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join(" "));
      return described.answer.parse(await described.ask(api, parameters.data));
    },
  };
}

const instant = z.iso.datetime().describe("UTC, ISO 8601");
const at = (ms: number) => new Date(ms).toISOString();
const atOrNull = (ms: number | null) => (ms === null ? null : at(ms));
const key = z.string().min(1).max(64);

const line = z.object({
  address: z.string().describe("site/area/line, as in the topics"),
  name: z.string(),
  site: z.string().describe("the site's name"),
  area: z.string().describe("the area's name"),
  zone: z.string().describe("IANA time zone of the site"),
});

const lines = endpoint({
  path: "/lines",
  name: "lines",
  summary: "The lines that the token may see",
  action: "board.read",
  parameters: z.object({}),
  answer: z.object({ lines: z.array(line.extend({ machines: z.int().describe("in use") })) }),
  async ask(api) {
    const rows = await api.boards.lines();
    return {
      lines: rows.map((row) => ({
        address: `${row.siteKey}/${row.areaKey}/${row.lineKey}`,
        name: row.lineName,
        site: row.siteName,
        area: row.areaName,
        zone: row.zone,
        machines: row.machines,
      })),
    };
  },
});

const state = z.enum(["run", "micro_stop", "down", "changeover", "planned_stop", "starved", "blocked", "not_scheduled", "unknown"]);
const pieces = z.number().nullable();

const machine = z.object({
  key: z.string(),
  name: z.string(),
  state: state.describe("unknown: Takt does not know; never idle"),
  since: instant.nullable(),
  reason: z.string().nullable(),
  product: z.string().nullable(),
  pieces_this_hour: pieces,
  pieces_this_shift: pieces,
  rejects_this_shift: pieces,
  expected_this_shift: pieces.describe("pieces by now at the ideal rate"),
  last_cycle_s: z.number().nullable(),
  ideal_cycle_s: z.number().nullable(),
  data_at: instant.nullable().describe("instant of the newest value"),
});

const board = endpoint({
  path: "/board/{site}/{area}/{line}",
  name: "board",
  summary: "What the board of a line shows now",
  action: "board.read",
  parameters: z.object({ site: key, area: key, line: key }),
  answer: z.object({
    at: instant.describe("when this was put together"),
    line,
    trouble: z
      .object({ part: z.enum(["database", "worker", "reader", "broker", "subscriptions", "server"]), since: instant.nullable() })
      .nullable()
      .describe("something that all of it hangs on is away: what follows is the last that was known"),
    shift: z.object({ name: z.string(), from: instant, to: instant }).nullable(),
    made: pieces,
    expected: pieces.describe("by now, at the ideal rate"),
    planned: pieces.describe("in the whole shift"),
    hours: z.array(z.object({ from: instant, to: instant, made: pieces, expected: pieces })),
    machines: z.array(machine),
  }),
  async ask(api, address) {
    const { picture, trouble } = await api.boards.line(address);
    if (picture === null) throw new Error("the picture of a line could not be made");
    return boardOf(JSON.parse(picture) as Picture, trouble);
  },
});

const boardOf = (picture: Picture, trouble: Trouble | null) => ({
  at: at(picture.at),
  line: {
    address: picture.line.address,
    name: picture.line.name,
    site: picture.line.siteName,
    area: picture.line.areaName,
    zone: picture.line.zone,
  },
  trouble: trouble && { part: trouble.part, since: atOrNull(trouble.sinceAt) },
  shift: picture.shift && { name: picture.shift.name, from: at(picture.shift.from), to: at(picture.shift.to) },
  made: picture.output.made,
  expected: picture.output.expected,
  planned: picture.output.planned,
  hours: picture.hours.map(({ from, to, made, expected }) => ({ from: at(from), to: at(to), made, expected })),
  machines: picture.tiles.map(machineOf),
});

const machineOf = (tile: Tile) => ({
  key: tile.key,
  name: tile.name,
  state: tile.missing === null ? tile.kind : ("unknown" as const),
  since: tile.missing === null ? atOrNull(tile.sinceAt) : null,
  reason: tile.reason,
  product: tile.product,
  pieces_this_hour: tile.piecesHour,
  pieces_this_shift: tile.piecesShift,
  rejects_this_shift: tile.rejectsShift,
  expected_this_shift: tile.expectedShift,
  last_cycle_s: tile.lastCycleS,
  ideal_cycle_s: tile.idealCycleS,
  data_at: atOrNull(tile.dataAt),
});

const sources = endpoint({
  path: "/sources",
  name: "sources",
  summary: "Where values come from, and whether they still do",
  action: "data_health.read",
  parameters: z.object({}),
  answer: z.object({
    at: instant,
    sources: z.array(
      z.object({
        address: z.string(),
        form: z.enum(["json", "sparkplug", "mapped"]),
        site: z.string(),
        machines: z.array(z.string()),
        last_value_at: instant.nullable(),
        lag_s: z.number().nullable().describe("from the device's clock to receipt"),
        is_silent: z.boolean().describe("nothing came for longer than the source's time-out"),
      }),
    ),
  }),
  async ask(api) {
    const found = await api.dataHealth.sources();
    return {
      at: at(found.at),
      sources: found.sources.map((source) => ({
        address: source.address,
        form: source.form,
        site: source.siteName,
        machines: source.machines,
        last_value_at: atOrNull(source.lastAt),
        lag_s: source.lagS,
        is_silent: source.lastAt === null || found.at - source.lastAt > source.noDataTimeoutS * 1000,
      })),
    };
  },
});

const displays = endpoint({
  path: "/displays",
  name: "displays",
  summary: "Wall displays, and whether they are on",
  action: "screen.read",
  parameters: z.object({}),
  answer: z.object({
    at: instant,
    displays: z.array(
      z.object({
        id: z.int(),
        name: z.string(),
        site: z.string(),
        boards: z.array(z.string()).describe("addresses of lines"),
        last_heartbeat_at: instant.nullable(),
        is_silent: z.boolean(),
        is_revoked: z.boolean(),
      }),
    ),
  }),
  async ask(api) {
    const found = await api.displays.list();
    return {
      at: at(found.at),
      displays: found.displays.map((display) => {
        const heardAt = display.screens[0]?.at ?? null;
        return {
          id: display.id,
          name: display.name,
          site: display.siteName,
          boards: display.boards.map(({ address }) => address),
          last_heartbeat_at: atOrNull(heardAt),
          is_silent: heardAt === null || found.at - heardAt > silentAfterMs,
          is_revoked: display.revokedAt !== null,
        };
      }),
    };
  },
});

export const endpoints: readonly Endpoint[] = [lines, board, sources, displays];

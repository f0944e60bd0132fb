// All procedures with everybody, at their own place and at others', against the one map of who may do what (server/domain/permission.ts).

import { TRPCError } from "@trpc/server";
import superjson from "superjson";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Action, actions, mayAnywhere, mayAt, sees } from "#/server/domain/permission.ts";
import { requestOf } from "#/server/identity/testing.ts";
import { appRouter } from "#/server/router.ts";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";
import { createCaller, type Meta } from "#/server/trpc.ts";
import { type Example, type Examples, examples, type ProcedurePath } from "./examples.ts";
import { type Row, tableOf } from "./table.ts";
import { aWorld, fingerprint, type Place, type Who, type World } from "./world.ts";

let db: TestDatabase;
let world: World;
beforeAll(async () => {
  db = await aDatabase();
  process.env.DATABASE_URL = db.url; // changes go through the process's own pool
  process.env.AUTH_SECRET = "a secret of the tests that is long enough";
  process.env.LOG_LEVEL = "silent";
  world = await aWorld(db);
});
afterAll(() => db.drop());

const procedures = appRouter._def.procedures as unknown as Record<string, { _def: { type: string; meta?: Meta } }>;
const paths = Object.keys(procedures).sort() as ProcedurePath[];

type Answer = { code: "OK"; text: string } | { code: TRPCError["code"]; text: string };

async function call(path: ProcedurePath, who: Who, input: unknown): Promise<Answer> {
  const end = new AbortController();
  const caller = createCaller(appRouter)(requestOf(db, who.actor), { signal: end.signal });
  const procedure = path.split(".").reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], caller) as (input: unknown) => Promise<unknown>;
  try {
    const answer = await procedure(input);
    const isStream = typeof answer === "object" && answer !== null && Symbol.asyncIterator in answer;
    return { code: "OK", text: superjson.stringify(isStream ? (await (answer as AsyncIterable<unknown>)[Symbol.asyncIterator]().next()).value : answer) };
  } catch (error) {
    if (!(error instanceof TRPCError)) throw error;
    if (error.code === "INTERNAL_SERVER_ERROR") throw new Error(`${path} failed for ${who.name}: ${error.message}`, { cause: error });
    return { code: error.code, text: error.message };
  } finally {
    end.abort();
  }
}

/** A case of a procedure: its path, and what it is of where it has several. */
type Case = { path: ProcedurePath; name: string; action: Action; example: Example };
const casesOf = (path: ProcedurePath): Case[] => {
  const given: Examples | undefined = examples[path];
  if (!given) return []; // the test before says so
  const action = procedures[path]?._def.meta?.action;
  if (!action) throw new Error(`${path} has no action.`);
  if ("about" in given) return [{ path, name: path, action, example: given as Example }];
  return Object.entries(given as Record<string, Example>).map(([of, example]) => ({ path, name: `${path} ${of}`, action, example }));
};

/** The codes that the map calls for; OK: allowed. */
function expected({ path, action, example }: Case, { actor }: Who, place: Place): readonly string[] {
  const { about, needs = [], byPeople, never } = example;
  if (!mayAnywhere(actor, action)) return [actor.kind === "nobody" ? "UNAUTHORIZED" : "FORBIDDEN"];
  if (byPeople && actor.kind !== "person") return ["UNAUTHORIZED", "FORBIDDEN"];
  if (never) return ["BAD_REQUEST", "UNPROCESSABLE_CONTENT", "NOT_FOUND", "FORBIDDEN"];
  const lineId = about === "line" ? place.lineId : null;
  const isAllowedAt = ({ siteId }: Place) => [action, ...needs].every((need) => mayAt(actor, need, siteId, lineId));
  switch (about) {
    case "list":
      return ["OK"];
    case "own":
      return path === "account.endSession" && place !== world.own ? ["NOT_FOUND"] : ["OK"];
    case "display":
      return actor.kind === "display" ? ["OK"] : ["FORBIDDEN"];
    case "sites":
      return isAllowedAt(world.own) && isAllowedAt(world.other) ? ["OK"] : ["NOT_FOUND", "FORBIDDEN", "BAD_REQUEST"];
    default:
      if (isAllowedAt(place)) return ["OK"];
      // Of a site of which nothing is seen there is nothing; a form that names it names what is none.
      return sees(actor, place.siteId, lineId) ? ["FORBIDDEN"] : ["NOT_FOUND", "FORBIDDEN", "BAD_REQUEST"];
  }
}

const marksOf = (text: string) => [world.own.mark, world.other.mark].filter((mark) => text.includes(mark));

/** What is wrong with what one was answered; null: nothing. */
async function fault(asked: Case, who: Who, place: Place, cell: { allowed: boolean }): Promise<string | null> {
  const { path, action, example } = asked;
  const input = await example.ask(place, world, who);
  const before = await fingerprint(db);
  const { code, text } = await call(path, who, input);
  const wanted = expected(asked, who, place);
  const isAllowed = wanted.includes("OK");
  cell.allowed = example.about === "list" ? isAllowed && mayAt(who.actor, action, place.siteId) : isAllowed;
  if (isAllowed ? code !== "OK" && !example.refused?.includes(code) : !wanted.includes(code)) return `${code} (${text}) in place of ${wanted.join(" or ")}`;
  if (!isAllowed && (await fingerprint(db)) !== before) return "was refused, and has changed something all the same";
  if (code !== "OK") return null;
  const isOwn = actions[action].reach === "self";
  const may = [world.own, world.other].filter(({ siteId }, n) => (isOwn ? n === 0 : mayAt(who.actor, action, siteId))).map(({ mark }) => mark);
  const leaked = marksOf(text).filter((mark) => !may.includes(mark));
  if (leaked.length > 0) return `shows what is at another site: ${leaked} in ${text.slice(0, 400)}`;
  if (example.shows && mayAt(who.actor, action, place.siteId) && !text.includes(place.mark)) return "does not show what is there";
  return null;
}

function places({ path, example: { about } }: Case): Place[] {
  if (about === "line") return [world.own, world.besides, world.other];
  return about === "own" && path !== "account.endSession" ? [world.own] : [world.own, world.other];
}

it("every procedure has an example, and every example a procedure", () => {
  expect(Object.keys(examples).sort()).toEqual(paths);
});

it("every procedure is open to whom the map opens it, where it does, and to nobody else", { timeout: 300_000 }, async () => {
  const faults: string[] = [];
  const rows: Row[] = [];
  for (const asked of paths.flatMap(casesOf)) {
    const row: Row = { name: asked.name, action: asked.action, cells: [] };
    for (const who of world.everybody) {
      const cells: { allowed: boolean }[] = [];
      for (const place of places(asked)) {
        const cell = { allowed: false };
        const said = await fault(asked, who, place, cell);
        if (said !== null)
          faults.push(`${asked.name}, ${who.name}, ${place === world.own ? "own place" : place === world.other ? "other site" : "other line"}: ${said}`);
        cells.push(cell);
      }
      row.cells.push(cells);
    }
    rows.push(row);
  }
  const checks = rows.flatMap(({ cells }) => cells.flat()).length;
  const names = world.everybody.map(({ name }) => name);
  const sum = `${paths.length} procedures, ${names.length} who ask, own and other places: ${checks} checks, ${faults.length} of them not as the map says.`;
  process.stdout.write(`\n${tableOf(names, rows)}\n${sum}\n`);
  expect(faults).toEqual([]);
});

/** The input once for each text (or each number) in it, with that spoilt. */
function spoilt<Of extends string | number>(input: unknown, kind: "string" | "number", by: (one: Of) => Of): unknown[] {
  if (typeof input === kind) return [by(input as Of)];
  if (Array.isArray(input)) return input.flatMap((one, n) => spoilt(one, kind, by).map((other) => input.with(n, other)));
  if (typeof input !== "object" || input === null || input instanceof Date) return [];
  return Object.entries(input).flatMap(([name, one]) => spoilt(one, kind, by).map((other) => ({ ...input, [name]: other })));
}

it("no procedure fails on text that cannot be kept: it says so", { timeout: 60_000 }, async () => {
  const [all, display] = ["administrator of all", "display"].map((name) => world.everybody.find((who) => who.name === name));
  if (!all || !display) throw new Error("nobody asks");
  const faults: string[] = [];
  let asked = 0;
  for (const { path, name, example } of paths.flatMap(casesOf)) {
    const who = example.about === "display" ? display : all;
    const input = await example.ask(world.own, world, who);
    const inputs = [
      ...spoilt<string>(input, "string", (text) => `${text}\u0000`),
      ...spoilt<string>(input, "string", () => "\ud83d"),
      ...(input === undefined ? [] : [{ ...input, text: "a\u0000b" }]),
    ];
    for (const one of inputs) {
      const { code, text } = await call(path, who, one);
      asked++;
      if (code !== "BAD_REQUEST" || !text.includes("cannot be kept")) faults.push(`${name} with ${JSON.stringify(one)}: ${code} (${text})`);
    }
  }
  expect(faults).toEqual([]);
  expect(asked).toBeGreaterThan(200);
});

it("no procedure fails on a number that no column holds", { timeout: 60_000 }, async () => {
  const [all, display] = ["administrator of all", "display"].map((name) => world.everybody.find((who) => who.name === name));
  if (!all || !display) throw new Error("nobody asks");
  const taken: string[] = [];
  let asked = 0;
  for (const { path, name, example } of paths.flatMap(casesOf)) {
    const who = example.about === "display" ? display : all;
    const input = await example.ask(world.own, world, who);
    for (const huge of [99_999_999_999, -99_999_999_999, 1e300])
      for (const one of spoilt<number>(input, "number", () => huge)) {
        const { code } = await call(path, who, one); // throws where it fails
        asked++;
        if (code === "OK") taken.push(`${name} with ${JSON.stringify(one)}`);
      }
  }
  expect(taken).toEqual([]);
  expect(asked).toBeGreaterThan(50);
});

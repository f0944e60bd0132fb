// What is open ends when its right does, by the database's own word, whoever changes the row.
import { TRPCError } from "@trpc/server";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { Actor, Grant, Role } from "#/server/domain/permission.ts";
import { appRouter } from "#/server/router.ts";
import { aDatabase, aLine, type TestDatabase, type TestLine } from "#/server/testing.ts";
import { createCaller } from "#/server/trpc.ts";
import { grant, personWith, requestOf } from "./testing.ts";

let db: TestDatabase;
let line: TestLine;
let address: { site: string; area: string; line: string };
const open: AbortController[] = [];

beforeAll(async () => {
  db = await aDatabase();
  process.env.DATABASE_URL = db.url; // boards are read through the process's own pool
  line = await aLine(db);
  [address = { site: "", area: "", line: "" }] = await db.rows<typeof address>(
    "select s.key as site, a.key as area, l.key as line from line l join area a on a.id = l.area_id join site s on s.id = a.site_id where l.id = $1",
    [line.lineId],
  );
});
afterEach(() => {
  for (const controller of open.splice(0)) controller.abort();
});
afterAll(() => db.drop());

/** Somebody in the database, with what they hold read anew each time. */
async function aPerson(role: Role = "supervisor"): Promise<{ id: string; actor: () => Promise<Actor> }> {
  const [person] = await db.rows<{ id: string }>("insert into person (name, email) values ('Ann', $1) returning id", [`${crypto.randomUUID()}@example.com`]);
  const id = person?.id ?? "";
  await db.rows("insert into membership (person_id, role, site_id) values ($1, $2, $3)", [id, role, line.siteId]);
  const actor = async () => {
    const grants = await db.rows<Grant>(
      `select m.role, m.site_id as site, (select array_agg(line_id) from membership_line x where x.membership_id = m.id) as lines
       from membership m join person p on p.id = m.person_id where p.id = $1 and p.disabled_at is null`,
      [id],
    );
    return { ...personWith(...grants), id };
  };
  return { id, actor };
}

/** A board that is open; `ended` is the sentence of its end. */
async function watching(actor: () => Promise<Actor>): Promise<{ ended: Promise<TRPCError> }> {
  const controller = new AbortController();
  open.push(controller);
  const caller = createCaller(appRouter)({ ...requestOf(db, await actor()), again: actor }, { signal: controller.signal });
  const events = await caller.boards.watch(address);
  await events[Symbol.asyncIterator]().next();
  const ended = (async () => {
    try {
      for await (const _ of events);
      throw new Error("The board ended without a word.");
    } catch (error) {
      if (error instanceof TRPCError) return error;
      throw error;
    }
  })();
  return { ended };
}

it("ends a board within a second of the membership's removal, in words", async () => {
  const { id, actor } = await aPerson();
  const board = await watching(actor);
  const from = performance.now();
  await db.rows("delete from membership where person_id = $1", [id]);
  expect(await board.ended).toMatchObject({ code: "FORBIDDEN", message: expect.stringContaining("may not do this") });
  expect(performance.now() - from).toBeLessThan(5_000);
});

it("ends it when the person is disabled, is signed out, or keeps another line only", async () => {
  const disabled = await aPerson();
  const board = await watching(disabled.actor);
  await db.rows("update person set disabled_at = now() where id = $1", [disabled.id]);
  expect((await board.ended).code).toBe("FORBIDDEN");

  const signedOut = await aPerson();
  await db.rows("insert into session (token, person_id, expires_at) values ($1, $2, now() + interval '1 day')", [crypto.randomUUID(), signedOut.id]);
  const isIn = async (): Promise<Actor> => {
    const [session] = await db.rows("select id from session where person_id = $1", [signedOut.id]);
    return session ? signedOut.actor() : { kind: "nobody", id: "", name: "Nobody" };
  };
  const second = await watching(isIn);
  await db.rows("update session set seen_at = now() where person_id = $1", [signedOut.id]);
  await db.rows("delete from session where person_id = $1", [signedOut.id]);
  expect((await second.ended).code).toBe("UNAUTHORIZED");

  const operator = await aPerson("operator");
  const third = await watching(operator.actor);
  const [other] = await db.rows<{ id: number }>("insert into line (area_id, key, name) values ($1, 'other', 'Other') returning id", [line.areaId]);
  await db.rows("insert into membership_line (membership_id, line_id) select id, $2 from membership where person_id = $1", [operator.id, other?.id]);
  expect((await third.ended).code).toBe("NOT_FOUND");
});

it("leaves it open where another role still allows it, and where nobody can say because the database is away", async () => {
  const { id, actor } = await aPerson();
  await db.rows("insert into membership (person_id, role, site_id) values ($1, 'viewer', null)", [id]);
  let looks = 0;
  let told: () => void = () => undefined;
  const board = await watching(async () => {
    looks += 1;
    told();
    if (looks === 2) throw Object.assign(new Error("connect"), { code: "ECONNREFUSED" });
    return actor();
  });
  // The first look was the request's own.
  for (const role of ["supervisor", "quality"] as const) {
    const looked = new Promise<void>((resolve) => {
      told = resolve;
    });
    await db.rows("update membership set role = 'quality' where person_id = $1 and role = $2", [id, role]);
    await looked;
  }
  const still = await Promise.race([board.ended.then(() => "ended"), new Promise((resolve) => setTimeout(() => resolve("open"), 500))]);
  expect([looks, still]).toEqual([3, "open"]);
});

it("ends a list that follows changes when a site of it is taken away, though another remains", async () => {
  const { id } = await aPerson();
  let grants = [grant("technician", line.siteId), grant("technician", line.siteId + 1)];
  const actor = async (): Promise<Actor> => ({ ...personWith(...grants), id });
  const controller = new AbortController();
  open.push(controller);
  const caller = createCaller(appRouter)({ ...requestOf(db, await actor()), again: actor }, { signal: controller.signal });
  const changes = (await caller.dataHealth.changes())[Symbol.asyncIterator]();
  await changes.next();
  grants = grants.slice(0, 1);
  await db.rows("select pg_notify('permission', $1)", [`person:${id}`]);
  await expect(
    (async () => {
      for (;;) await changes.next();
    })(),
  ).rejects.toThrow("Your permissions have changed");
});

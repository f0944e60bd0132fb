import { afterAll, beforeAll, expect, it } from "vitest";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";
import { dropOldSignIns } from "./old-sign-ins.ts";
import { jobsOn } from "./testing.ts";

let database: TestDatabase;
let jobs: ReturnType<typeof jobsOn>;
beforeAll(async () => {
  database = await aDatabase();
  jobs = jobsOn(database);
});
afterAll(async () => {
  await jobs?.pool.end();
  await database?.drop();
});

const now = new Date("2026-06-01T12:00:00Z");
const daysAgo = (days: number) => new Date(now.getTime() - days * 86_400_000);

it("drops what is over, and nothing that still opens or says why it does not", async () => {
  const [person] = await database.rows<{ id: string }>("insert into person (name, username) values ('Ann', 'ann') returning id");
  const session = (token: string, seenAt: Date, expiresAt: Date) =>
    database.rows("insert into session (token, person_id, seen_at, expires_at, idle_s) values ($1, $2, $3, $4, 3600)", [token, person?.id, seenAt, expiresAt]);
  await session("good", daysAgo(0), daysAgo(-1));
  await session("idle", daysAgo(1), daysAgo(-1));
  await session("over", daysAgo(0), daysAgo(1));
  for (const [hash, age] of [
    ["a", 10],
    ["b", 100],
  ] as const)
    await database.rows(
      "insert into one_time_link (purpose, secret_hash, created_at, created_by, expires_at) values ('first_administrator', $1, $2, 'test', $3)",
      [Buffer.from(hash), daysAgo(age + 1), daysAgo(age)],
    );
  for (const [key, age, until] of [
    ["a", 4, daysAgo(-1)],
    ["b", 6, daysAgo(1)],
  ] as const)
    await database.rows("insert into sign_in_try (key, failures, last_at, forgotten_at) values ($1, 1, $2, $3)", [Buffer.from(key), daysAgo(age), until]);
  for (const [hash, age] of [
    ["a", 0],
    ["b", 1],
  ] as const)
    await database.rows("insert into sign_in_ticket (row_key, secret_hash, due_at) values ($1, $1, $2)", [Buffer.from(hash), daysAgo(age)]);
  for (const [hash, age] of [
    ["a", 399],
    ["b", 401],
  ] as const)
    await database.rows("insert into known_device (person_id, secret_hash, last_seen_at) values ($1, $2, $3)", [person?.id, Buffer.from(hash), daysAgo(age)]);
  await database.rows("insert into verification (identifier, value, expires_at) values ('a', 'x', $1), ('b', 'x', $2)", [daysAgo(1), daysAgo(-1)]);
  expect(await dropOldSignIns(jobs.db, now)).toEqual({ sessions: 2, challenges: 1, links: 1, tries: 1, tickets: 1, devices: 1 });
  expect(await dropOldSignIns(jobs.db, now)).toEqual({ sessions: 0, challenges: 0, links: 0, tries: 0, tickets: 0, devices: 0 });
  expect(await database.rows("select token from session")).toEqual([{ token: "good" }]);
});

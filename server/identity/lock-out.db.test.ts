// Limits of tries: they hold, and nobody can lock somebody else out with them.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";
import { aSignIn, Browser } from "./testing-browser.ts";
import { afterTry, beginTry, limits, slowDownMs } from "./tries.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await aDatabase();
  process.env.DATABASE_URL = db.url;
  process.env.AUTH_SECRET = "a secret of the tests that is long enough";
  process.env.LOG_LEVEL = "silent";
});
afterAll(() => db.drop());
beforeEach(async () => {
  await db.asOwner.rows("truncate person, sign_in_try cascade");
});

const password = "a few words in a row";
const fail = async (browser: Browser, times: number, login = "ann") => {
  const statuses: number[] = [];
  for (let n = 0; n < times; n++) statuses.push((await browser.signIn(login, `not the password ${n}`)).status);
  return statuses;
};

describe("lock-out", () => {
  it("stops who guesses after five tries, also with the right password, and says how long", async () => {
    await aSignIn({ username: "ann", password });
    const stranger = new Browser("203.0.113.5");
    expect(await fail(stranger, 6)).toEqual([401, 401, 401, 401, 401, 429]);
    const answer = await stranger.signIn("ann", password);
    expect(answer).toMatchObject({ status: 429, body: { code: "WAIT" } });
    expect(answer.body.waitS).toBeGreaterThan(20);
    expect(answer.body.waitS).toBeLessThanOrEqual(30);
  });

  it("does not stop the person: from elsewhere, or from the same network with a browser of theirs", async () => {
    await aSignIn({ username: "ann", password });
    const own = new Browser("203.0.113.5");
    expect((await own.signIn("ann", password)).status).toBe(200);
    await own.post("/sign-out");
    const stranger = new Browser("203.0.113.5"); // behind the same address
    expect((await fail(stranger, 7)).at(-1)).toBe(429);
    expect((await own.signIn("ann", password)).status).toBe(200);
    expect((await new Browser("198.51.100.7").signIn("ann", password)).status).toBe(200);
  });

  it("does not stop the person who is new to a place while the whole world guesses: it only gets slower", async () => {
    await aSignIn({ username: "ann", password });
    for (let n = 0; n < 30; n++) await beginTry([{ kind: "account", of: [await accountKey()] }], new Date()); // as 30 strangers leave it
    const from = performance.now();
    expect((await new Browser("198.51.100.9").signIn("ann", password)).status).toBe(200);
    expect(performance.now() - from).toBeGreaterThan(slowDownMs(30));
    expect(slowDownMs(1_000_000)).toBe(4_000);
  });

  it("is not got round by asking at once", async () => {
    await aSignIn({ username: "ann", password });
    const answers = await Promise.all(Array.from({ length: 24 }, () => new Browser("203.0.113.8").signIn("ann", "not the password")));
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(5);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(19);
  });

  it("bounds a network that tries many accounts, and lets those through whom their browsers know", async () => {
    await aSignIn({ username: "ann", password });
    const own = new Browser("203.0.113.20");
    await own.signIn("ann", password);
    const now = new Date();
    for (let n = 0; n < limits.network.free; n++) await beginTry([{ kind: "network", of: ["203.0.113.20"] }], now);
    expect((await new Browser("203.0.113.20").signIn("somebody", "x")).status).toBe(429);
    await own.post("/sign-out");
    expect((await own.signIn("ann", password)).status).toBe(200);
  });

  it("counts a whole IPv6 household as one", async () => {
    await aSignIn({ username: "ann", password });
    const statuses: number[] = [];
    for (let n = 1; n <= 6; n++) statuses.push((await new Browser(`2001:db8:1:2::${n}`).signIn("ann", "wrong")).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
    expect((await new Browser("2001:db8:1:3::1").signIn("ann", password)).status).toBe(200);
  });

  it("bounds a known browser, too: whoever steals it cannot guess for ever", async () => {
    await aSignIn({ username: "ann", password });
    const own = new Browser();
    await own.signIn("ann", password);
    expect((await fail(own, 11)).at(-1)).toBe(429);
  });

  it("knows a browser for the person who signed in with it, and for nobody else", async () => {
    await aSignIn({ username: "ann", password });
    await aSignIn({ username: "eve", password });
    const eve = new Browser("203.0.113.30");
    await eve.signIn("eve", password);
    expect((await fail(eve, 6, "ann")).at(-1)).toBe(429); // as any stranger
  });
});

const accountKey = async () => {
  const { keyed } = await import("./secrets.ts");
  const [person] = await db.rows<{ id: string }>("select id from person where username = 'ann'");
  return keyed("login", person?.id ?? "").toString("base64");
};

describe("afterTry", () => {
  const at = (s: number) => new Date(1_700_000_000_000 + s * 1000);
  const limit = { free: 3, firstWaitS: 10, longestWaitS: 60, leakS: 100 };
  const run = (times: number[]) => {
    let state = { failures: 0, lastAt: at(0), blockedUntil: null as Date | null };
    for (const s of times) state = { ...afterTry(state, limit, at(s)), lastAt: at(s) };
    return state;
  };
  it("waits after the free ones, twice as long each time, up to the longest", () => {
    expect(run([0, 0]).blockedUntil).toBeNull();
    expect(run([0, 0, 0]).blockedUntil).toEqual(at(10));
    expect(run([0, 0, 0, 0]).blockedUntil).toEqual(at(20));
    expect(run([0, 0, 0, 0, 0, 0, 0]).blockedUntil).toEqual(at(60));
    expect(run(Array.from({ length: 5_000 }, () => 0)).blockedUntil).toEqual(at(60));
  });
  it("forgets with time, also between tries that come steadily", () => {
    expect(run([0, 0, 300]).failures).toBe(1);
    expect(run([0, 50, 100, 150, 200]).failures).toBeCloseTo(3);
    expect(run(Array.from({ length: 100 }, (_, n) => n * 100)).blockedUntil).toBeNull();
  });
  it("never forgets backwards, whatever the clock does", () => {
    expect(afterTry({ failures: 2, lastAt: at(500) }, limit, at(0)).failures).toBe(3);
  });
});

describe("beginTry", () => {
  it("counts in the database, for all processes together, and begins anew after success", async () => {
    const now = new Date();
    const counts = [{ kind: "pair", of: ["a", "b"] }] as const;
    for (let n = 0; n < 4; n++) expect((await beginTry(counts, now)).blocked).toBe(false);
    const fifth = await beginTry(counts, now);
    if (fifth.blocked) throw new Error("the fifth is still looked at");
    expect((await beginTry(counts, now)).blocked).toBe(true);
    await fifth.succeeded(db);
    const again = await beginTry(counts, now);
    expect(again).toMatchObject({ blocked: false, failures: { pair: 1 } });
  });
});

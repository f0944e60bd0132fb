// Limits of tries: they hold, and nobody can lock somebody else out with them.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";
import { aSignIn, Browser } from "./testing-browser.ts";
import { afterTry, beginTry, limits, slowDownMs } from "./tries.ts";
import { takeTurn } from "./turns.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await aDatabase();
  process.env.DATABASE_URL = db.url;
  process.env.AUTH_SECRET = "a secret of the tests that is long enough";
  process.env.LOG_LEVEL = "silent";
});
afterAll(() => db.drop());
beforeEach(async () => {
  await db.asOwner.rows("truncate person, sign_in_try, sign_in_ticket cascade");
});

const password = "a few words in a row";
const fail = async (browser: Browser, times: number, login = "ann") => {
  const statuses: number[] = [];
  for (let n = 0; n < times; n++) statuses.push((await browser.signIn(login, `not the password ${n}`)).status);
  return statuses;
};

const pairOf = async (network: string) => ({ kind: "pair", of: [await accountKey(), network] }) as const;
/** As so many strangers leave it who guess in Ann's name from there. */
const guessed = async (network: string, times: number) => {
  for (let n = 0; n < times; n++) await takeTurn({ row: await pairOf(network), ticket: null, now: new Date() });
};

describe("lock-out", () => {
  it("lets who guesses wait for their turn, longer each time, and refuses nobody's right password", async () => {
    await aSignIn({ username: "ann", password });
    const stranger = new Browser("203.0.113.5");
    expect(await fail(stranger, 5)).toEqual([401, 401, 401, 401, 401]);
    const from = performance.now();
    expect((await new Browser("203.0.113.5").signIn("ann", password)).status).toBe(200); // another browser behind the same address
    expect(performance.now() - from).toBeGreaterThan(900);
    expect(performance.now() - from).toBeLessThan(5_000);
  });

  it("asks nobody to wait for longer than half a minute for a password, two minutes at a terminal, five for a PIN", () => {
    for (const kind of ["device", "pair", "network", "account"] as const) expect(limits[kind].longestWaitS).toBeLessThanOrEqual(30);
    expect(limits.terminal.longestWaitS).toBeLessThanOrEqual(120);
    expect(limits.pin.longestWaitS).toBeLessThanOrEqual(300);
  });

  it("does not stop the person: from elsewhere, or from the same network with a browser of theirs", async () => {
    await aSignIn({ username: "ann", password });
    const own = new Browser("203.0.113.5");
    expect((await own.signIn("ann", password)).status).toBe(200);
    await own.post("/sign-out");
    await guessed("203.0.113.5", 40);
    expect(await takeTurn({ row: await pairOf("203.0.113.5"), ticket: null, now: new Date() })).toMatchObject({ isOn: false });
    const from = performance.now();
    expect((await own.signIn("ann", password)).status).toBe(200);
    expect((await new Browser("198.51.100.7").signIn("ann", password)).status).toBe(200);
    expect(performance.now() - from).toBeLessThan(3_000);
  });

  it("does not stop the person who is new to a place while the whole world guesses: it only gets slower", async () => {
    await aSignIn({ username: "ann", password });
    for (let n = 0; n < 30; n++) await beginTry([{ kind: "account", of: [await accountKey()] }], new Date()); // as 30 strangers leave it
    const from = performance.now();
    expect((await new Browser("198.51.100.9").signIn("ann", password)).status).toBe(200);
    expect(performance.now() - from).toBeGreaterThan(slowDownMs(25));
    expect(slowDownMs(1_000_000)).toBe(4_000);
  });

  it("counts a whole IPv6 household as one", async () => {
    await aSignIn({ username: "ann", password });
    for (let n = 1; n <= 5; n++) await new Browser(`2001:db8:1:2::${n}`).signIn("ann", "wrong");
    expect(await takeTurn({ row: await pairOf("2001:db8:1:2::/64"), ticket: null, now: new Date() })).toMatchObject({ isOn: false, isNext: true });
    const from = performance.now();
    expect((await new Browser("2001:db8:1:3::1").signIn("ann", password)).status).toBe(200);
    expect(performance.now() - from).toBeLessThan(1_000);
  });

  it("bounds a known browser, too: whoever steals it cannot guess for ever", async () => {
    const now = new Date();
    const counts = [{ kind: "device", of: ["ann", "d"] }] as const;
    for (let n = 0; n < 10; n++) await beginTry(counts, now);
    expect(await beginTry(counts, now)).toMatchObject({ blocked: true, waitS: 1 });
  });

  it("knows a browser for the person who signed in with it, and for nobody else", async () => {
    await aSignIn({ username: "ann", password });
    await aSignIn({ username: "eve", password });
    const eve = new Browser("203.0.113.30");
    await eve.signIn("eve", password);
    await fail(eve, 5, "ann");
    expect(await takeTurn({ row: await pairOf("203.0.113.30"), ticket: null, now: new Date() })).toMatchObject({ isOn: false }); // as any stranger
  });
});

const accountKey = async () => {
  const { keyed } = await import("./secrets.ts");
  const [person] = await db.rows<{ id: string }>("select id from person where username = 'ann'");
  return keyed("login", person?.id ?? "").toString("base64");
};

describe("afterTry", () => {
  const at = (s: number) => new Date(1_700_000_000_000 + s * 1000);
  const limit = { free: 3, firstWaitS: 10, every: 1, longestWaitS: 60, leakS: 100 };
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
    let slow = { failures: 2, lastAt: at(0) };
    const waits = [0, 0, 0, 0, 0, 0, 0].map(() => {
      const after = afterTry(slow, { ...limit, every: 3 }, at(0));
      slow = { ...after, lastAt: at(0) };
      return ((after.blockedUntil?.getTime() ?? 0) - at(0).getTime()) / 1000;
    });
    expect(waits).toEqual([10, 10, 10, 20, 20, 20, 40]);
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
    const counts = [{ kind: "reentry", of: ["a"] }] as const;
    for (let n = 0; n < 4; n++) expect((await beginTry(counts, now)).blocked).toBe(false);
    const fifth = await beginTry(counts, now);
    if (fifth.blocked) throw new Error("the fifth is still looked at");
    expect((await beginTry(counts, now)).blocked).toBe(true);
    await fifth.succeeded(db);
    const again = await beginTry(counts, now);
    expect(again).toMatchObject({ blocked: false, failures: { reentry: 1 } });
  });
});

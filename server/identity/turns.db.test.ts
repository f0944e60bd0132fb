// Floods, played with a clock: whoever waits as told comes in within the time that is said, and few guesses are looked at.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";
import { aSignIn, Browser } from "./testing-browser.ts";
import { beginTry, keyOf, limits } from "./tries.ts";
import { askAgainS, takeTurn } from "./turns.ts";

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

const from = Date.parse("2026-06-01T06:00:00Z");
const at = (s: number) => new Date(from + s * 1000);
const row = { kind: "pair", of: ["ann", "203.0.113.5"] } as const;

/** Somebody in front of the row: asks, keeps what ticket they get, comes back when told. naive: keeps no ticket and comes back every 3 s. */
class Visitor {
  nextAtS: number;
  private ticket: string | null = null;
  private readonly isNaive: boolean;
  constructor(nextAtS: number, { isNaive = false } = {}) {
    this.nextAtS = nextAtS;
    this.isNaive = isNaive;
  }
  /** Whether the try was looked at. */
  async ask(nowS: number): Promise<boolean> {
    const turn = await takeTurn({ row, ticket: this.ticket, now: at(nowS) });
    this.ticket = turn.isOn || this.isNaive ? null : turn.ticket;
    this.nextAtS = nowS + (turn.isOn ? 1 : this.isNaive ? 3 : Math.ceil(turn.waitS));
    return turn.isOn;
  }
}

/** Plays second by second: the flood guesses without end, the honest one comes at `comesAtS`. Seconds until they are in; null: not in time. */
async function play(flood: Visitor[], comesAtS: number, mostS: number): Promise<number | null> {
  const honest = new Visitor(comesAtS);
  for (let s = 0; s <= comesAtS + mostS; s++) {
    for (const one of flood) if (one.nextAtS <= s) await one.ask(s);
    if (honest.nextAtS <= s && (await honest.ask(s))) return s - comesAtS;
  }
  return null;
}

/** The row as a day of guessing leaves it: at its slowest, the last guess just now. */
const besieged = () =>
  db.rows("insert into sign_in_try (key, failures, last_at, blocked_until, forgotten_at) values ($1, 260, $2, $3, $3)", [
    keyOf(row),
    at(0),
    at(limits.pair.longestWaitS),
  ]);
const inRow = async () => (await db.rows("select from sign_in_ticket")).length;

describe("the row", () => {
  it("lets in who waits as told, while six loops keep no ticket and hammer in the same name from the same network", async () => {
    await besieged();
    const flood = Array.from({ length: 6 }, () => new Visitor(0, { isNaive: true }));
    expect(await play(flood, 20, 2 * limits.pair.longestWaitS)).not.toBeNull();
  });

  it("lets in who waits as told behind twelve who know the rules: each before them once, at most", async () => {
    await besieged();
    const flood = Array.from({ length: 12 }, () => new Visitor(0));
    expect(await play(flood, 20, 13 * limits.pair.longestWaitS)).not.toBeNull();
  });

  it("is not held by a thousand tickets drawn in advance: who does not come with each of them all the time has lost them", async () => {
    await besieged();
    const hashes = Array.from({ length: 1_000 }, (_, n) => Buffer.from(`ticket ${n}`));
    await db.rows("insert into sign_in_ticket (row_key, secret_hash, due_at) select $1, h, $2 from unnest($3::bytea[]) h", [keyOf(row), at(askAgainS), hashes]);
    expect(await play([], 1, limits.pair.longestWaitS + askAgainS)).not.toBeNull();
    expect(await inRow()).toBe(0);
  });

  it("takes a ticket once, in its own row alone, and one that is made up not at all", async () => {
    await besieged();
    const mine = await takeTurn({ row, ticket: null, now: at(10) });
    if (mine.isOn) throw new Error("no row");
    expect(mine).toMatchObject({ isNext: true, waitS: 5 });
    expect(await takeTurn({ row, ticket: null, now: at(15) })).toMatchObject({ isOn: false, isNext: false }); // quicker, and later
    expect(await takeTurn({ row, ticket: mine.ticket, now: at(15) })).toMatchObject({ isOn: true });
    expect(await inRow()).toBe(1);
    const again = await takeTurn({ row, ticket: mine.ticket, now: at(15) });
    expect(again.isOn ? null : again.ticket).not.toBe(mine.ticket);
    const other = { kind: "pair", of: ["bea", "203.0.113.5"] } as const;
    for (let n = 0; n < 6; n++) await takeTurn({ row: other, ticket: null, now: at(41) });
    const there = await takeTurn({ row: other, ticket: again.isOn ? null : again.ticket, now: at(41) });
    if (there.isOn || again.isOn) throw new Error("no row");
    expect(there.ticket).not.toBe(again.ticket);
    const made = await takeTurn({ row, ticket: "x".repeat(43), now: at(42) });
    expect(made.isOn ? null : made.ticket).not.toBe("x".repeat(43));
  });

  it("is one row for many at once", async () => {
    const turns = await Promise.all(Array.from({ length: 24 }, () => takeTurn({ row, ticket: null, now: at(0) })));
    expect(turns.filter(({ isOn }) => isOn)).toHaveLength(limits.pair.free);
    expect(turns.filter((turn) => !turn.isOn && turn.isNext)).toHaveLength(1);
  });
});

describe("signing in", () => {
  const password = "a few words in a row";

  it("keeps the place in a cookie: refused first, in when told, though others come in between", async () => {
    await aSignIn({ username: "ann", password });
    const [own, stranger] = [new Browser("203.0.113.5"), new Browser("203.0.113.5")];
    for (let n = 0; n < 5; n++) await stranger.signIn("ann", `wrong ${n}`);
    const hogs = [stranger.signIn("ann", "wrong"), new Browser("203.0.113.5").signIn("ann", "wrong")]; // held, next in the row; and a second one
    await Promise.race(hogs);
    const first = await own.signIn("ann", password);
    const answers = [first.status];
    for (let n = 0; n < 10 && answers.at(-1) === 429; n++) {
      const { waitS } = first.body;
      await new Promise((done) => setTimeout(done, Math.min(3, Number(waitS)) * 1000));
      answers.push((await own.signIn("ann", password)).status);
    }
    await Promise.all(hogs);
    expect(answers.at(-1)).toBe(200);
    expect(own.cookies.has("takt.turn")).toBe(false);
  });

  it("is not held up by a flood of names that nobody has, nor is the trail filled by it; and nothing tells which names there are", async () => {
    await aSignIn({ username: "ann", password });
    const network = { kind: "network", of: ["203.0.113.5"] } as const;
    for (let n = 0; n < 80; n++) await beginTry([network], new Date()); // as 40 loops leave it within seconds
    const begun = performance.now();
    expect((await new Browser("203.0.113.5").signIn("ann", password)).status).toBe(200);
    expect(performance.now() - begun).toBeLessThan(3_000);
    const tookS = async (login: string) => {
      const start = performance.now();
      expect((await new Browser("203.0.113.5").signIn(login, "not the password")).status).toBe(401);
      return Math.round((performance.now() - start) / 100) / 10;
    };
    const took = await Promise.all(["ann", "nobody.1", "nobody.2", "nobody.3"].map(tookS));
    for (const s of took) expect(s).toBeGreaterThanOrEqual(1);
    const noted = await db.rows("select from audit_entry where action = 'session.refused' and subject_id = ''");
    expect(noted.length).toBeLessThanOrEqual(1);
    // A name's own row is as short for who is there as for who is not.
    const statuses = async (login: string) => {
      const seen: number[] = [];
      for (let n = 0; n < 3; n++) seen.push((await new Browser("203.0.113.5").signIn(login, "wrong again")).status);
      return seen;
    };
    const [there, not] = await Promise.all([statuses("ann"), statuses("nobody.1")]);
    expect(there).toEqual(not);
  });
});

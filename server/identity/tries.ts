/**
 * How often something may be tried. Made so that nobody can lock somebody else out: what holds up is bound to who tries (this browser, or this account from this
 * network), never to the account alone; a browser in which the person has signed in before has a count of its own that strangers do not reach; and where others
 * may stand in the same row, it goes by who came first (turns.ts). Kept in the database: all web processes count together. The odds of guessing are worked out in
 * docs/security.md.
 */
import { type Db, transaction } from "#/server/db.ts";
import { keyed } from "./secrets.ts";

/**
 * free: tries before the first wait. The wait doubles with every further `every` ones, from firstWaitS to longestWaitS. leakS: seconds after which one failure is
 * forgotten. longestWaitS 0: never blocks, only counts.
 */
export type Limit = { free: number; firstWaitS: number; every: number; longestWaitS: number; leakS: number };

export const limits = {
  /** A password, by a browser that this person has signed in with before. Colleagues may use the same one. */
  device: { free: 10, firstWaitS: 1, every: 1, longestWaitS: 15, leakS: 900 },
  /** A password, by any other browser: the account and the network together. Slow only when it goes on: 15 min of guessing without a pause. Then one in 15 s, 5,760 a day. */
  pair: { free: 5, firstWaitS: 1, every: 60, longestWaitS: 15, leakS: 900 },
  /** Passwords for any accounts from one network, by browsers that are not known. Holds nobody up: who comes with a name that nobody tries would wait behind made-up ones. */
  network: { free: 50, firstWaitS: 0, every: 1, longestWaitS: 0, leakS: 12 },
  /** An account from all networks: the answers get slower, nobody is refused. */
  account: { free: 20, firstWaitS: 0, every: 1, longestWaitS: 0, leakS: 180 },
  /** A crowd's tries (below) are noted once in ten minutes, where nobody has the name. */
  crowdNoted: { free: 1, firstWaitS: 600, every: 1, longestWaitS: 600, leakS: 600 },
  /** A code of the second factor. Only who has the password comes this far, so these may refuse. */
  codeDevice: { free: 10, firstWaitS: 60, every: 1, longestWaitS: 900, leakS: 900 },
  codePair: { free: 5, firstWaitS: 60, every: 1, longestWaitS: 900, leakS: 900 },
  /** A million codes, of which three hold at a time: 20 tries, then one in 15 minutes, are one in ten in a year of trying without a pause. Known browsers are not held up by this. */
  codeAccount: { free: 20, firstWaitS: 900, every: 1, longestWaitS: 900, leakS: 900 },
  /** One code opens once. */
  codeUsed: { free: 1, firstWaitS: 180, every: 1, longestWaitS: 180, leakS: 180 },
  /** PINs at one terminal, in whosever name: a pause for all who stand there. One in 2 min is 720 a day. */
  terminal: { free: 5, firstWaitS: 1, every: 2, longestWaitS: 120, leakS: 120 },
  /**
   * Wrong PINs in one name at one terminal. From the tenth on the name's supervisors are told, who has a password gives it with the PIN, and who has none waits 30 s to
   * 5 min: 288 a day, of 10,000 PINs of four digits. Three a day are forgotten.
   */
  pin: { free: 10, firstWaitS: 30, every: 1, longestWaitS: 300, leakS: 28_800 },
  /** The own password again, by who is signed in already: in one session. */
  reentry: { free: 5, firstWaitS: 30, every: 1, longestWaitS: 900, leakS: 900 },
} as const satisfies Record<string, Limit>;

/**
 * In place of `pair` while a network tries more passwords than `network` has free: fewer guesses in each name, 1,440 a day, since there it is many names. Whose name
 * nobody else tries has the free ones and notices nothing.
 */
export const inCrowd: Limit = { free: 3, firstWaitS: 1, every: 20, longestWaitS: 60, leakS: 900 };

export type Kind = keyof typeof limits;
/** What is counted: the limit, and whose count it is (an account and a network, a terminal and a person). */
export type Count = { kind: Kind; of: readonly string[] };

/** Seconds to the next try after so many failures. */
export function waitAfterS(failures: number, { free, firstWaitS, every, longestWaitS }: Limit): number {
  const over = Math.round(failures) - free; // rounded: a few seconds between tries are no try less
  return over < 0 ? 0 : Math.min(longestWaitS, firstWaitS * 2 ** Math.min(Math.floor(over / every), 20));
}

/** Failures over the free ones that are kept at most: until the wait is the longest, and 20 more. Who was attacked is not slow for weeks. */
const mostOver = ({ firstWaitS, every, longestWaitS }: Limit): number => (longestWaitS > 0 ? Math.ceil(Math.log2(longestWaitS / firstWaitS)) * every : 0) + 20;

type State = { failures: number; lastAt: Date };

const leaked = ({ failures, lastAt }: State, { leakS }: Limit, now: Date): number =>
  Math.max(0, failures - Math.max(0, (now.getTime() - lastAt.getTime()) / 1000 / leakS));

/** The count after one more try. */
export function afterTry(before: State, limit: Limit, now: Date): { failures: number; blockedUntil: Date | null } {
  const failures = Math.min(limit.free + mostOver(limit), leaked(before, limit, now) + 1);
  const waitS = waitAfterS(failures, limit);
  return { failures, blockedUntil: waitS > 0 ? new Date(now.getTime() + waitS * 1000) : null };
}

/** A try that is looked at. */
export type Counted = {
  failures: Partial<Record<Kind, number>>;
  /** The try was right: it does not count. */
  succeeded(db: Db): Promise<void>;
};
export type Try = ({ blocked: false } & Counted) | { blocked: true /** Seconds until the next try is looked at. */; waitS: number };

export const keyOf = ({ kind, of }: Count): Buffer => keyed("try", kind, ...of);

export type Locked = { kind: Kind; limit: Limit; key: Buffer; failures: number; lastAt: Date; blockedUntil: Date | null };
type TryRow = { key: Buffer; failures: number; lastAt: Date; blockedUntil: Date | null };

/** The counts as they stand, for this transaction alone. */
export async function lockCounts(tx: Db, counts: readonly (Count & { limit?: Limit })[], now: Date): Promise<Locked[]> {
  const keys = counts.map((count) => ({ ...count, key: keyOf(count) })).sort((a, b) => Buffer.compare(a.key, b.key)); // one order: no deadlocks
  const parameters = [keys.map(({ key }) => key), now];
  await tx.rows(
    "-- tries.open\n insert into sign_in_try (key, failures, last_at, forgotten_at) select key, 0, $2, $2 from unnest($1::bytea[]) as k(key) on conflict do nothing",
    parameters,
  );
  const rows = await tx.rows<TryRow>(
    `-- tries.state
     select key, failures, last_at as "lastAt", blocked_until as "blockedUntil" from sign_in_try where key = any($1) order by key for update`,
    parameters.slice(0, 1),
  );
  return keys.map(({ kind, limit = limits[kind], key }) => {
    const row = rows.find((one) => one.key.equals(key));
    return { kind, limit, key, failures: row?.failures ?? 0, lastAt: row?.lastAt ?? now, blockedUntil: row?.blockedUntil ?? null };
  });
}

/** Seconds until all of them let a try through; 0: now. */
export const blockedS = (counts: readonly Locked[], now: Date): number =>
  Math.max(0, ...counts.map(({ blockedUntil }) => ((blockedUntil?.getTime() ?? 0) - now.getTime()) / 1000));

/** One more try in each. */
export async function countTry(tx: Db, counts: readonly Locked[], now: Date): Promise<Counted> {
  const after = counts.map(({ kind, limit, key, ...row }) => ({ kind, limit, key, ...afterTry(row, limit, now) }));
  const forgottenAt = after.map(
    ({ failures, limit, blockedUntil }) => new Date(Math.max(now.getTime() + failures * limit.leakS * 1000, blockedUntil?.getTime() ?? 0)),
  );
  await tx.rows(
    `-- tries.count
     update sign_in_try t set failures = c.failures, blocked_until = c.blocked_until, forgotten_at = c.forgotten_at, last_at = $5
     from unnest($1::bytea[], $2::float8[], $3::timestamptz[], $4::timestamptz[]) as c(key, failures, blocked_until, forgotten_at) where t.key = c.key`,
    [after.map(({ key }) => key), after.map(({ failures }) => failures), after.map(({ blockedUntil }) => blockedUntil), forgottenAt, now],
  );
  return { failures: Object.fromEntries(after.map((count) => [count.kind, count.failures])), succeeded: (db) => succeeded(db, after) };
}

/** Counts a try before it is looked at, so that many at once are no way around the limit. Where one of the counts is blocked, nothing is counted. */
export async function beginTry(counts: readonly Count[], now: Date): Promise<Try> {
  return transaction(async (tx) => {
    const locked = await lockCounts(tx, counts, now);
    const waitS = blockedS(locked, now);
    return waitS > 0 ? { blocked: true, waitS: Math.ceil(waitS) } : { blocked: false, ...(await countTry(tx, locked, now)) };
  });
}

/** Counts that others share lose this one try, and so does a PIN's: its owner comes many times a day. Other counts of the one who succeeded begin anew. */
const shared: readonly Kind[] = ["network", "account", "codeAccount", "terminal", "pin"];

async function succeeded(db: Db, counts: readonly { kind: Kind; key: Buffer }[]): Promise<void> {
  const own = counts.filter(({ kind }) => !shared.includes(kind)).map(({ key }) => key);
  const others = counts.filter(({ kind }) => shared.includes(kind)).map(({ key }) => key);
  await db.rows("-- tries.forget\n delete from sign_in_try where key = any($1)", [own]);
  await db.rows("-- tries.takeBack\n update sign_in_try set failures = greatest(0, failures - 1), blocked_until = null where key = any($1)", [others]);
}

/** These counts begin anew: an administrator lets somebody in who has mistyped too often. */
export const forgetTries = (tx: Db, counts: readonly Count[]) => tx.rows("-- tries.forget\n delete from sign_in_try where key = any($1)", [counts.map(keyOf)]);

/** Which of these counts have used up their free tries, and not yet forgotten it. */
export async function usedUpAmong<Of extends Count>(db: Db, counts: readonly Of[], now: Date): Promise<Of[]> {
  const rows = await db.rows<State & { key: Buffer }>(
    '-- tries.usedUp\n select key, failures, last_at as "lastAt" from sign_in_try where key = any($1::bytea[])',
    [counts.map(keyOf)],
  );
  const states = new Map(rows.map(({ key, ...state }) => [key.toString("hex"), state]));
  return counts.filter((count) => {
    const state = states.get(keyOf(count).toString("hex"));
    return state !== undefined && Math.round(leaked(state, limits[count.kind], now)) >= limits[count.kind].free;
  });
}

/** Milliseconds by which an answer is held back for an account that is being tried from many places. */
export const slowDownMs = (accountFailures: number): number => Math.min(4_000, Math.max(0, accountFailures - limits.account.free) * 200);

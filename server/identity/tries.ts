/**
 * How often something may be tried. Made so that nobody can lock somebody else out: what blocks is bound to who tries (this browser, or this account from this
 * network), never to the account alone; and a browser in which the person has signed in before has a count of its own that strangers do not reach.
 * Kept in the database: all web processes count together.
 */
import { type Db, transaction } from "#/server/db.ts";
import { keyed } from "./secrets.ts";

/**
 * free: tries before the first wait. The wait doubles with every further one, from firstWaitS to longestWaitS. leakS: seconds after which one failure is
 * forgotten. longestWaitS 0: never blocks, only counts.
 */
type Limit = { free: number; firstWaitS: number; longestWaitS: number; leakS: number };

export const limits = {
  /** A password, by a browser that this person has signed in with before. */
  device: { free: 10, firstWaitS: 30, longestWaitS: 900, leakS: 900 },
  /** A password, by any other browser: the account and the network together. */
  pair: { free: 5, firstWaitS: 30, longestWaitS: 900, leakS: 900 },
  /** Passwords for any accounts from one network, by browsers that are not known: a plant behind one address still mistypes fewer than five a minute. */
  network: { free: 50, firstWaitS: 60, longestWaitS: 900, leakS: 12 },
  /** An account from all networks: the answers get slower, nobody is refused. */
  account: { free: 20, firstWaitS: 0, longestWaitS: 0, leakS: 180 },
  /** A code of the second factor. Only who has the password comes this far. */
  codeDevice: { free: 10, firstWaitS: 60, longestWaitS: 900, leakS: 900 },
  codePair: { free: 5, firstWaitS: 60, longestWaitS: 900, leakS: 900 },
  /** A million codes, of which three hold at a time: 20 tries, then one in 15 minutes, are less than one in 100 in a year. Known browsers are not held up by this. */
  codeAccount: { free: 20, firstWaitS: 900, longestWaitS: 900, leakS: 900 },
  /** One code opens once. */
  codeUsed: { free: 1, firstWaitS: 180, longestWaitS: 180, leakS: 180 },
  /** A PIN at one terminal: at most 30 a day of at least 10,000. */
  pin: { free: 5, firstWaitS: 60, longestWaitS: 3600, leakS: 3600 },
  /** The own password again, by who is signed in already. */
  reentry: { free: 5, firstWaitS: 30, longestWaitS: 900, leakS: 900 },
  /** Mails with a link, asked for from one network. */
  mail: { free: 10, firstWaitS: 60, longestWaitS: 900, leakS: 60 },
} as const satisfies Record<string, Limit>;

export type Kind = keyof typeof limits;
/** What is counted: the limit, and whose count it is (an account and a network, a terminal and a person). */
export type Count = { kind: Kind; of: readonly string[] };

type TryRow = { key: Buffer; failures: number; lastAt: Date; blockedUntil: Date | null };
type State = { failures: number; blockedUntil: Date | null };

/** The count after one more try. */
export function afterTry(before: { failures: number; lastAt: Date }, limit: Limit, now: Date): State {
  const forgotten = (now.getTime() - before.lastAt.getTime()) / 1000 / limit.leakS;
  const failures = Math.max(0, before.failures - Math.max(0, forgotten)) + 1;
  const over = Math.round(failures) - limit.free; // rounded: a few seconds between tries are no try less
  const waitS = over < 0 ? 0 : Math.min(limit.longestWaitS, limit.firstWaitS * 2 ** Math.min(over, 20));
  return { failures, blockedUntil: waitS > 0 ? new Date(now.getTime() + waitS * 1000) : null };
}

export type Try =
  | { blocked: true /** Seconds until the next try is looked at. */; waitS: number }
  | { blocked: false; failures: Record<Kind, number> /** The try was right: it does not count. */; succeeded(db: Db): Promise<void> };

const keyOf = ({ kind, of }: Count): Buffer => keyed("try", kind, ...of);

/** Counts a try before it is looked at, so that many at once are no way around the limit. Where one of the counts is blocked, nothing is counted. */
export async function beginTry(counts: readonly Count[], now: Date): Promise<Try> {
  const keys = counts.map((count) => ({ ...count, key: keyOf(count) })).sort((a, b) => Buffer.compare(a.key, b.key)); // one order: no deadlocks
  return transaction(async (tx) => {
    await tx.rows(
      "-- tries.open\n insert into sign_in_try (key, failures, last_at) select key, 0, $2 from unnest($1::bytea[]) as k(key) on conflict do nothing",
      [keys.map(({ key }) => key), now],
    );
    const rows = await tx.rows<TryRow>(
      `-- tries.state
       select key, failures, last_at as "lastAt", blocked_until as "blockedUntil" from sign_in_try where key = any($1) order by key for update`,
      [keys.map(({ key }) => key)],
    );
    const until = Math.max(0, ...rows.map((row) => row.blockedUntil?.getTime() ?? 0));
    if (until > now.getTime()) return { blocked: true, waitS: Math.ceil((until - now.getTime()) / 1000) };
    const after = keys.map(({ kind, key }) => {
      const row = rows.find((one) => one.key.equals(key)) ?? { failures: 0, lastAt: now };
      return { kind, key, ...afterTry(row, limits[kind], now) };
    });
    await tx.rows(
      `-- tries.count
       update sign_in_try t set failures = c.failures, blocked_until = c.blocked_until, last_at = $4
       from unnest($1::bytea[], $2::float8[], $3::timestamptz[]) as c(key, failures, blocked_until) where t.key = c.key`,
      [after.map(({ key }) => key), after.map(({ failures }) => failures), after.map(({ blockedUntil }) => blockedUntil), now],
    );
    const failures = Object.fromEntries(after.map((count) => [count.kind, count.failures])) as Record<Kind, number>;
    return { blocked: false, failures, succeeded: (db) => succeeded(db, after) };
  });
}

/** Counts that others share lose this one try; counts of the one who succeeded begin anew. */
const shared: readonly Kind[] = ["network", "account", "codeAccount", "mail"];

async function succeeded(db: Db, counts: readonly { kind: Kind; key: Buffer }[]): Promise<void> {
  const own = counts.filter(({ kind }) => !shared.includes(kind)).map(({ key }) => key);
  const others = counts.filter(({ kind }) => shared.includes(kind)).map(({ key }) => key);
  await db.rows("-- tries.forget\n delete from sign_in_try where key = any($1)", [own]);
  await db.rows("-- tries.takeBack\n update sign_in_try set failures = greatest(0, failures - 1), blocked_until = null where key = any($1)", [others]);
}

/** These counts begin anew: an administrator lets somebody in who has mistyped too often. */
export const forgetTries = (tx: Db, counts: readonly Count[]) => tx.rows("-- tries.forget\n delete from sign_in_try where key = any($1)", [counts.map(keyOf)]);

/** Milliseconds by which an answer is held back for an account that is being tried from many places. */
export const slowDownMs = (accountFailures: number): number => Math.min(4_000, Math.max(0, accountFailures - limits.account.free) * 200);

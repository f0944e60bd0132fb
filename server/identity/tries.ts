/**
 * How often something may be tried. Made so that nobody can lock somebody else out: what holds up is bound to who tries (this browser, or this account from this
 * network), never to the account alone; a browser in which the person has signed in before has a count of its own that strangers do not reach; and where others
 * may stand in the same row (one network, one terminal), the row moves on within seconds: passwords wait in it for their turn instead of being refused.
 * Kept in the database: all web processes count together. The odds of guessing are worked out in docs/security.md.
 */
import { type Db, transaction } from "#/server/db.ts";
import { keyed } from "./secrets.ts";

/**
 * free: tries before the first wait. The wait doubles with every further one, from firstWaitS to longestWaitS. leakS: seconds after which one failure is
 * forgotten. longestWaitS 0: never blocks, only counts. Of failures over the free ones at most `mostOver` are kept: who was attacked is not slow for days.
 */
type Limit = { free: number; firstWaitS: number; longestWaitS: number; leakS: number };

export const limits = {
  /** A password, by a browser that this person has signed in with before. Colleagues may use the same one. */
  device: { free: 10, firstWaitS: 1, longestWaitS: 15, leakS: 900 },
  /** A password, by any other browser: the account and the network together. One in 15 s is 5,760 a day. */
  pair: { free: 5, firstWaitS: 1, longestWaitS: 15, leakS: 900 },
  /** Passwords for any accounts from one network, by browsers that are not known: a plant behind one address still mistypes fewer than five a minute. */
  network: { free: 50, firstWaitS: 0.25, longestWaitS: 2, leakS: 12 },
  /** An account from all networks: the answers get slower, nobody is refused. */
  account: { free: 20, firstWaitS: 0, longestWaitS: 0, leakS: 180 },
  /** A code of the second factor. Only who has the password comes this far, so these may refuse. */
  codeDevice: { free: 10, firstWaitS: 60, longestWaitS: 900, leakS: 900 },
  codePair: { free: 5, firstWaitS: 60, longestWaitS: 900, leakS: 900 },
  /** A million codes, of which three hold at a time: 20 tries, then one in 15 minutes, are one in ten in a year of trying without a pause. Known browsers are not held up by this. */
  codeAccount: { free: 20, firstWaitS: 900, longestWaitS: 900, leakS: 900 },
  /** One code opens once. */
  codeUsed: { free: 1, firstWaitS: 180, longestWaitS: 180, leakS: 180 },
  /** PINs at one terminal, in whosever name: a pause for all who stand there. */
  terminal: { free: 5, firstWaitS: 1, longestWaitS: 30, leakS: 30 },
  /** Wrong PINs in one name at one terminal: ten, and three more a day. Then the PIN alone is not enough there: it takes the password with it, or a supervisor. */
  pin: { free: 10, firstWaitS: 28_800, longestWaitS: 28_800, leakS: 28_800 },
  /** The own password again, by who is signed in already: in one session. */
  reentry: { free: 5, firstWaitS: 30, longestWaitS: 900, leakS: 900 },
  /** Mails with a link, asked for from one network. Nobody gets more than one in two minutes, whoever asks. */
  mail: { free: 10, firstWaitS: 1, longestWaitS: 10, leakS: 60 },
} as const satisfies Record<string, Limit>;

export type Kind = keyof typeof limits;
/** What is counted: the limit, and whose count it is (an account and a network, a terminal and a person). */
export type Count = { kind: Kind; of: readonly string[] };

const mostOver = 20;
/** Seconds that a try may stand in the row for its turn, where tries wait: less than browsers and proxies have patience for. */
export const longestTurnS = 20;

type TryRow = { key: Buffer; failures: number; lastAt: Date; blockedUntil: Date | null };
type State = { failures: number; blockedUntil: Date | null };

/** The count after one more try. turnAt: when it is looked at, where it waits for its turn; the next comes so much later. */
export function afterTry(before: { failures: number; lastAt: Date }, limit: Limit, now: Date, turnAt = now): State {
  const forgotten = (now.getTime() - before.lastAt.getTime()) / 1000 / limit.leakS;
  const failures = Math.min(limit.free + mostOver, Math.max(0, before.failures - Math.max(0, forgotten)) + 1);
  const over = Math.round(failures) - limit.free; // rounded: a few seconds between tries are no try less
  const waitS = over < 0 ? 0 : Math.min(limit.longestWaitS, limit.firstWaitS * 2 ** Math.min(over, 20));
  return { failures, blockedUntil: waitS > 0 ? new Date(turnAt.getTime() + waitS * 1000) : null };
}

export type Try =
  | { blocked: true /** Seconds until the next try is looked at. */; waitS: number }
  | {
      blocked: false /** Its turn comes then: it is not looked at before. */;
      waitMs: number;
      failures: Record<Kind, number> /** The try was right: it does not count. */;
      succeeded(db: Db): Promise<void>;
    };

const keyOf = ({ kind, of }: Count): Buffer => keyed("try", kind, ...of);

/**
 * Counts a try before it is looked at, so that many at once are no way around the limit. Where one of the counts is blocked, nothing is counted; but with `turnS`
 * a try whose turn comes within so many seconds stands in the row until then, and only who would stand behind these is refused, for the seconds until there is room.
 */
export async function beginTry(counts: readonly Count[], now: Date, { turnS = 0 } = {}): Promise<Try> {
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
    const turnAt = new Date(Math.max(now.getTime(), ...rows.map((row) => row.blockedUntil?.getTime() ?? 0)));
    const waitMs = turnAt.getTime() - now.getTime();
    if (waitMs > turnS * 1000) return { blocked: true, waitS: Math.ceil(waitMs / 1000 - turnS) };
    const after = keys.map(({ kind, key }) => {
      const row = rows.find((one) => one.key.equals(key)) ?? { failures: 0, lastAt: now };
      return { kind, key, ...afterTry(row, limits[kind], now, turnAt) };
    });
    await tx.rows(
      `-- tries.count
       update sign_in_try t set failures = c.failures, blocked_until = c.blocked_until, last_at = $4
       from unnest($1::bytea[], $2::float8[], $3::timestamptz[]) as c(key, failures, blocked_until) where t.key = c.key`,
      [after.map(({ key }) => key), after.map(({ failures }) => failures), after.map(({ blockedUntil }) => blockedUntil), now],
    );
    const failures = Object.fromEntries(after.map((count) => [count.kind, count.failures])) as Record<Kind, number>;
    return { blocked: false, waitMs, failures, succeeded: (db) => succeeded(db, after) };
  });
}

/** Counts that others share lose this one try, and so does a PIN's: its owner comes many times a day. Other counts of the one who succeeded begin anew. */
const shared: readonly Kind[] = ["network", "account", "codeAccount", "mail", "terminal", "pin"];

async function succeeded(db: Db, counts: readonly { kind: Kind; key: Buffer }[]): Promise<void> {
  const own = counts.filter(({ kind }) => !shared.includes(kind)).map(({ key }) => key);
  const others = counts.filter(({ kind }) => shared.includes(kind)).map(({ key }) => key);
  await db.rows("-- tries.forget\n delete from sign_in_try where key = any($1)", [own]);
  await db.rows("-- tries.takeBack\n update sign_in_try set failures = greatest(0, failures - 1), blocked_until = null where key = any($1)", [others]);
}

/** These counts begin anew: an administrator lets somebody in who has mistyped too often. */
export const forgetTries = (tx: Db, counts: readonly Count[]) => tx.rows("-- tries.forget\n delete from sign_in_try where key = any($1)", [counts.map(keyOf)]);

/** Which of these counts let nothing through now. */
export async function closedAmong<Of extends Count>(db: Db, counts: readonly Of[], now: Date): Promise<Of[]> {
  const keys = counts.map((count) => ({ count, key: keyOf(count).toString("hex") }));
  const rows = await db.rows<{ key: string }>(
    "-- tries.closed\n select encode(key, 'hex') as key from sign_in_try where key = any($1::bytea[]) and blocked_until > $2",
    [keys.map(({ key }) => Buffer.from(key, "hex")), now],
  );
  const closed = new Set(rows.map(({ key }) => key));
  return keys.filter(({ key }) => closed.has(key)).map(({ count }) => count);
}

/** Milliseconds by which an answer is held back for an account that is being tried from many places. */
export const slowDownMs = (accountFailures: number): number => Math.min(4_000, Math.max(0, accountFailures - limits.account.free) * 200);

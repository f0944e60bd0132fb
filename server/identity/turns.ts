/**
 * Tries that wait for their turn: first come, first served. Who comes while others wait gets a ticket (a random secret in a cookie, of which a hash is kept) and is
 * told when to ask again; who stays away loses the place. So the wait of whoever stands in the row is bounded by those who came before and are still there: who
 * comes later, however often, comes later. A ticket is good for one try, in one row.
 */
import { type Db, transaction } from "#/server/db.ts";
import { hashOfSecret, isSecretShaped, newSecret } from "./secrets.ts";
import { blockedS, type Count, type Counted, countTry, type Limit, limits, lockCounts, waitAfterS } from "./tries.ts";

/** Seconds after which a ticket is to be shown again, at the latest: thousands drawn in advance are worth nothing to who does not come with each of them all the time. */
export const askAgainS = 10;
/** The first time sooner: the tickets of those who never come back leave the row at once. */
export const firstAskAgainS = 3;
/** Seconds that a ticket may be late, over a bad network. */
export const graceS = 4;
/** Nobody is asked to come back sooner. */
const leastS = 0.25;

export type Turn =
  | { isOn: true; counted: Counted }
  | {
      isOn: false;
      ticket: string;
      /** Seconds until it is to be shown again. */
      waitS: number;
      /** Seconds until its turn, if all come who are before it. */
      leftS: number;
      /** Nobody is before it. */
      isNext: boolean;
    };

type Taking = {
  /** Whose row it is. limit: in place of its own. */
  row: Count;
  limit?: Limit;
  /** Counted with it, and holding up nobody. */
  others?: readonly Count[];
  ticket: string | null;
  now: Date;
};

/** A try is counted and may be looked at, or has a place in the row. */
export function takeTurn({ row, limit = limits[row.kind], others = [], ticket, now }: Taking): Promise<Turn> {
  return transaction(async (tx) => {
    const own = await lockCounts(tx, [{ ...row, limit }], now);
    const [count] = own;
    if (!count) throw new Error("no count");
    const { id, ahead, returned } = await placeOf(tx, count.key, ticket, now);
    const freeInS = blockedS(own, now);
    if (ahead === 0 && freeInS === 0) {
      if (id !== null) await tx.rows("-- turns.used\n delete from sign_in_ticket where id = $1", [id]);
      return { isOn: true, counted: await countTry(tx, [...own, ...(await lockCounts(tx, others, now))], now) };
    }
    let leftS = freeInS;
    for (let n = 1; n <= returned; n++) leftS += waitAfterS(count.failures + n, limit);
    const waitS = Math.max(leastS, Math.min(ahead > 0 && leftS === 0 ? 1 : leftS, id === null && ahead > 0 ? firstAskAgainS : askAgainS));
    const dueAt = new Date(now.getTime() + waitS * 1000);
    const kept = await keep(tx, { id, ticket, key: count.key, dueAt });
    return { isOn: false, ticket: kept, waitS, leftS: Math.max(leftS, waitS), isNext: ahead === 0 };
  });
}

type Place = { id: string | null; ahead: number; returned: number };

/** ahead: tickets before this one whose holders may still come; returned: of them, those who came back once. Locked with the row's count. */
async function placeOf(tx: Db, key: Buffer, ticket: string | null, now: Date): Promise<Place> {
  await tx.rows("-- turns.left\n delete from sign_in_ticket where row_key = $1 and due_at < $2", [key, new Date(now.getTime() - graceS * 1000)]);
  const hash = ticket !== null && isSecretShaped(ticket) ? hashOfSecret(ticket) : null;
  const [place] = await tx.rows<Place>(
    `-- turns.place
     select m.id::text as id, count(t.id)::int as ahead, count(t.id) filter (where t.has_returned)::int as returned
     from (select 1) one left join sign_in_ticket m on m.row_key = $1 and m.secret_hash = $2
       left join sign_in_ticket t on t.row_key = $1 and (m.id is null or t.id < m.id)
     group by m.id`,
    [key, hash],
  );
  return place ?? { id: null, ahead: 0, returned: 0 };
}

async function keep(tx: Db, { id, ticket, key, dueAt }: { id: string | null; ticket: string | null; key: Buffer; dueAt: Date }): Promise<string> {
  if (id !== null && ticket !== null) {
    await tx.rows("-- turns.stay\n update sign_in_ticket set due_at = $2, has_returned = true where id = $1", [id, dueAt]);
    return ticket;
  }
  const secret = newSecret();
  await tx.rows("-- turns.come\n insert into sign_in_ticket (row_key, secret_hash, due_at) values ($1, $2, $3)", [key, hashOfSecret(secret), dueAt]);
  return secret;
}

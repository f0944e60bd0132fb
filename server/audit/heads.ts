/** Heads of the chains as they are published outside of the database: one line of JSON each, the same in a file, a mail and an MQTT message. */
import { z } from "zod";
import type { Db } from "#/server/db.ts";

/** seq and hash (hex) of a chain's last entry; at: when the entry was written, UTC. */
export type Head = { chain: number; site: string | null; seq: number; hash: string; at: string };

export const readHeads = (db: Db): Promise<Head[]> =>
  db.rows<Head>(`-- audit.heads
    select c.chain, s.key as site, c.seq::float8 as seq, encode(c.hash, 'hex') as hash,
      to_char(c.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at
    from audit_chain c left join site s on s.id = c.chain where c.seq > 0 order by c.chain`);

/** Lines with `published`, the instant of publishing. */
export const linesOf = (heads: readonly Head[], published: Date): string =>
  heads.map((head) => `${JSON.stringify({ ...head, published: published.toISOString() })}\n`).join("");

export type PublishedHead = Head & { published: string };
const line = z.object({
  chain: z.int().min(0),
  site: z.string().nullable(),
  seq: z.int().min(1),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  at: z.string(),
  published: z.string(),
});

/** What stands in a file of heads. Lines that are none (a mail's other text) are passed over; `unreadable`: numbers of lines that should be heads and are not. */
export function parseHeads(text: string): { heads: PublishedHead[]; unreadable: number[] } {
  const heads: PublishedHead[] = [];
  const unreadable: number[] = [];
  for (const [i, raw] of text.split("\n").entries()) {
    const at = raw.indexOf('{"chain"'); // a mail program may have put a mark of quotation before it
    if (at < 0) continue;
    const parsed = line.safeParse(jsonOf(raw.slice(at).trim()));
    if (parsed.success) heads.push(parsed.data);
    else unreadable.push(i + 1);
  }
  return { heads, unreadable };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // refused by the schema
  }
}

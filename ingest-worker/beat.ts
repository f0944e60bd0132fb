// Each second: sign of life with figures. Each ten: the lease is renewed. Each thirty: what notices may have missed.
import type pg from "pg";
import { type Lease, LeaseLost, renewLease } from "./lease.ts";
import type { Stats } from "./stats.ts";

const tickMs = 1_000;

type Hooks = {
  sign(): Promise<void>;
  lookAgain(): void;
  onLost(error: LeaseLost): void;
  /** The write loop meets the same trouble and deals with it. */
  onTrouble(error: Error): void;
};

export function beat(side: pg.Client, lease: Lease, hooks: Hooks): { stop(): void } {
  let busy = false;
  let beats = 0;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    hooks
      .sign()
      .then(async () => {
        if (beats++ % 10 === 0) await renewLease(side, lease);
        if (beats % 30 === 0) hooks.lookAgain();
      })
      .catch((error: Error) => {
        if (error instanceof LeaseLost) hooks.onLost(error);
        else hooks.onTrouble(error);
      })
      .finally(() => {
        busy = false;
      });
  }, tickMs);
  return { stop: () => clearInterval(timer) };
}

/** ms: all that was sent before is committed, of edge nodes, and of all that comes by the session at the broker. */
export type Reach = { writtenTo: number; watchedTo: number };

/** Tells all who look at workers how this one fares. */
export async function sign(db: pg.ClientBase, name: string, stats: Stats, reach: Reach, now: number): Promise<void> {
  await db.query({
    name: "ingest.sign",
    text: `-- ingest.sign
      with signed as (insert into ingest_worker (name, at, started_at, stats) values ($1, now(), $2, $3)
        on conflict (name) do update set at = excluded.at, started_at = excluded.started_at, stats = excluded.stats returning name)
      select pg_notify('worker', name) from signed`,
    values: [name, stats.startedAt, { ...stats.picture(now), ...reach }],
  });
}

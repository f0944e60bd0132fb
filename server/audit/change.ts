/** Every change goes through here: one transaction in which the database knows who changes what from where and why, so that its triggers can write it down. */
import { type Db, type Manner, transaction } from "#/server/db.ts";
import type { Actor } from "#/server/domain/permission.ts";

export type Changing = { actor: Actor; from: { address: string | null; userAgent: string | null }; now: () => Date };
/** action: noun.verbed, as `signal.mapped`. why: what the person gave as the reason, where one was asked for. */
export type What = { action: string; why?: string | null };

/** Runs `work` in one transaction: all of it or nothing, and written down with it. @throws what `work` throws, after the rollback */
export function change<Result>(ctx: Changing, what: What, work: (tx: Db) => Promise<Result>, manner: Pick<Manner, "statementMs"> = {}): Promise<Result> {
  return transaction(async (tx) => {
    await say(tx, ctx, what);
    return work(tx);
  }, manner);
}

/** Tells a transaction that is open already who acts in it. `change` does it by itself; command line programs have transactions of their own. */
export async function say(tx: Db, { actor, from }: Pick<Changing, "actor" | "from">, what: What): Promise<void> {
  const setting = { actor: named(actor), ...from, action: what.action, why: what.why ?? null };
  await tx.rows("-- audit.context\n select set_config('takt.audit', $1, true)", [JSON.stringify(setting)]);
}

const named = ({ kind, id, name }: Actor) => ({ kind, id, name });

/** `options` of a connection or pool: whoever writes through it without saying who acts is this program, not "someone with a database tool". */
export function programOptions(id: string, name: string): string {
  const setting = JSON.stringify({ actor: { kind: "program", id, name }, address: null, userAgent: null, why: null });
  return `-c takt.audit=${setting.replace(/[\\ ]/g, "\\$&")}`;
}

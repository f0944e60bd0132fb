/** How somebody gets in, as an administrator helps with it: links, sessions, second factor, waits. Whoever may do this could become that person, so it takes all of their sites. */
import { record } from "#/server/audit/record.ts";
import type { Db } from "#/server/db.ts";
import { Refusal } from "#/server/errors.ts";
import { networkOf } from "#/server/identity/address.ts";
import { makeLink, type Purpose } from "#/server/identity/links.ts";
import { canMail, sendLink, sendNotice } from "#/server/identity/mail.ts";
import { endSession, resetSecondFactor, signOutEverywhere } from "#/server/identity/reset.ts";
import { keyed } from "#/server/identity/secrets.ts";
import { type Count, forgetTries } from "#/server/identity/tries.ts";
import { log } from "#/server/log.ts";
import { type Acting, changed, wholePerson } from "./administration.ts";
import { knownDevices, type PersonDetail, refusedFrom } from "./queries.ts";

/** Seconds. Handed on by a person, a link for a new password takes longer than one that is asked for at the screen. */
const handedOnS = { invitation: 7 * 24 * 3600, password_reset: 24 * 3600 } as const satisfies Partial<Record<Purpose, number>>;

/** What an administrator is shown once. mail: the address to which the link went, or why it did not go anywhere. */
export type GivenLink = { url: string; purpose: "invitation" | "password_reset"; expiresAt: number; mail: { to: string; isSent: boolean } | null };

/**
 * A link by which the person chooses a password: an invitation before the first one, a new password after it. Links given before open nothing any more.
 * byMail: sent there, too, where Takt can send mail and the person has an address.
 * @throws Refusal NOT_FOUND, FORBIDDEN, RULE_BROKEN: the person is disabled
 */
export async function giveLink(ctx: Acting, id: string, byMail: boolean): Promise<GivenLink> {
  const { person, purpose, url, expiresAt } = await changed(ctx, "person.link_given", async (tx) => {
    const found = await wholePerson(ctx, tx, id);
    if (found.state === "disabled") throw new Refusal("RULE_BROKEN", `${found.name} is disabled. Enable them first.`);
    const wanted = found.hasPassword ? "password_reset" : "invitation";
    await noted(tx, "person.link_given", found, { purpose: wanted });
    const link = await makeLink(tx, { purpose: wanted, personId: id, by: ctx.actor.name, now: ctx.now(), lastsS: handedOnS[wanted] });
    return { person: found, purpose: wanted, ...link } as const;
  });
  const mail = byMail && canMail() && person.email !== null ? await mailed({ ...person, email: person.email }, purpose, url) : null;
  return { url, purpose, expiresAt: expiresAt.getTime(), mail };
}

/** The link stands whether the mail goes or not; the administrator is told. */
async function mailed(to: PersonDetail & { email: string }, purpose: GivenLink["purpose"], url: string): Promise<{ to: string; isSent: boolean }> {
  try {
    await sendLink({ to, purpose, url, lastsS: handedOnS[purpose] });
    return { to: to.email, isSent: true };
  } catch (error) {
    log().warn({ err: error, mail: purpose }, "a mail could not be sent");
    return { to: to.email, isSent: false };
  }
}

/** Signs the person out everywhere (the session in which this is asked stays), or ends one session. How many ended. */
export function endSessions(ctx: Acting, id: string, sessionId: string | null): Promise<{ ended: number }> {
  return changed(ctx, "session.ended_by_other", async (tx) => {
    const person = await wholePerson(ctx, tx, id);
    const own = ctx.actor.kind === "person" && ctx.actor.id === id ? ctx.actor.sessionId : null;
    const ended = sessionId === null ? await signOutEverywhere(tx, id, own) : Number(await endSession(tx, id, sessionId));
    if (ended > 0) await noted(tx, "session.ended_by_other", person, { ended });
    return { ended };
  });
}

/** For a lost phone: the person signs in without a code and sets up another authenticator. All their sessions end: whoever has the phone may have one. */
export async function takeSecondFactor(ctx: Acting, id: string): Promise<void> {
  const person = await changed(ctx, "person.second_factor_reset", async (tx) => {
    const found = await wholePerson(ctx, tx, id);
    if (!(await resetSecondFactor(tx, id))) throw new Refusal("RULE_BROKEN", `${found.name} has no second factor.`);
    if (!(ctx.actor.kind === "person" && ctx.actor.id === id)) await signOutEverywhere(tx, id);
    return found;
  });
  sendNotice(person, "second_factor_off");
}

/** The longest wait is a quarter of an hour (codes). */
const countsForMs = 2 * 3600_000;

/** Who has mistyped too often need not wait: their own counts begin anew. What others count (a network's) stays. */
export function unlock(ctx: Acting, id: string): Promise<void> {
  return changed(ctx, "person.unlocked", async (tx) => {
    const person = await wholePerson(ctx, tx, id);
    await forgetTries(tx, await countsOf(tx, id, ctx.now()));
    await tx.rows(
      "-- people.unlockSecondFactor\nupdate two_factor set locked_until = null, failed_verification_count = 0 where person_id = $1 and locked_until is not null",
      [id],
    );
    await noted(tx, "person.unlocked", person);
  });
}

/** Links, sessions and counts of tries are no rows that the trail follows by itself. */
const noted = (tx: Db, action: string, { id, name }: { id: string; name: string }, after: Record<string, unknown> = {}): Promise<void> =>
  record(tx, { siteId: null, action, subject: { kind: "person", id, name }, after });

/** The counts that hold this person alone, named as signing in names them (server/identity/sign-in.ts). */
async function countsOf(tx: Db, id: string, now: Date): Promise<Count[]> {
  const account = keyed("login", id).toString("base64");
  const devices = (await knownDevices(tx, id)).map((hash) => hash.toString("hex"));
  const networks = new Set((await refusedFrom(tx, id, new Date(now.getTime() - countsForMs))).map(networkOf));
  const terminals = await tx.rows<{ id: number }>("-- people.terminals\nselect id from terminal where revoked_at is null");
  return [
    { kind: "account", of: [account] },
    { kind: "codeAccount", of: [id] },
    ...devices.flatMap((device): Count[] => [
      { kind: "device", of: [account, device] },
      { kind: "codeDevice", of: [id, device] },
    ]),
    ...[...networks, "unknown"].flatMap((network): Count[] => [
      { kind: "pair", of: [account, network] },
      { kind: "codePair", of: [id, network] },
    ]),
    ...terminals.map(({ id: terminal }): Count => ({ kind: "pin", of: [String(terminal), id] })),
  ];
}

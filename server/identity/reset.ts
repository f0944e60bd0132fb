/** What is taken from a person or given anew by others: sessions, second factor, PIN, password. Each inside a `change` of the caller's. */
import type { Db } from "#/server/db.ts";
import { opensAll } from "#/server/domain/pin.ts";
import { hashOfPassword } from "./passwords.ts";
import { hashOfPin, newPin } from "./secrets.ts";

/** Ends all of a person's sessions but `except`. How many there were. */
export async function signOutEverywhere(tx: Db, personId: string, except: string | null = null): Promise<number> {
  const ended = await tx.rows("-- reset.sessions\n delete from session where person_id = $1 and id is distinct from $2 returning id", [personId, except]);
  await tell(tx, personId);
  return ended.length;
}

/** Ends one session of the person's. False where it is none of theirs. */
export async function endSession(tx: Db, personId: string, sessionId: string): Promise<boolean> {
  const ended = await tx.rows("-- reset.session\n delete from session where person_id = $1 and id = $2 returning id", [personId, sessionId]);
  await tell(tx, personId);
  return ended.length > 0;
}

/** What is open (a board, a list that follows changes) looks again whether it still may. */
const tell = (tx: Db, personId: string) => tx.rows("-- reset.tell\n select pg_notify('permission', $1)", [`person:${personId}`]);

/** The person signs in without a code from now on, and may set up another authenticator. False where there was none. */
export async function resetSecondFactor(tx: Db, personId: string): Promise<boolean> {
  const gone = await tx.rows("-- reset.secondFactor\n delete from two_factor where person_id = $1 returning id", [personId]);
  await tx.rows("-- reset.secondFactorFlag\n update person set two_factor_enabled = false, updated_at = now() where id = $1 and two_factor_enabled", [
    personId,
  ]);
  return gone.length > 0;
}

/** By whose hand a PIN came, and what it opens therefore (server/domain/pin.ts). */
export type PinOrigin = { givenBy: string | null; opens: readonly string[] };
/** The person chose it, having given their password. */
export const chosenPin: PinOrigin = { givenBy: null, opens: opensAll };

/** A new PIN, to be told to the person: it opens a terminal only to choose another. */
export async function givePin(tx: Db, personId: string, origin: PinOrigin): Promise<string> {
  const pin = newPin();
  await setPin(tx, personId, pin, { mustChange: true, origin });
  return pin;
}

/** Terminals that the person's former PIN has open are locked. */
export async function setPin(tx: Db, personId: string, pin: string, { mustChange = false, origin = chosenPin } = {}): Promise<void> {
  await tx.rows(
    `-- reset.pin
     insert into person_pin (person_id, hash, must_change, given_by, opens, set_at) values ($1, $2, $3, $4, $5, now())
     on conflict (person_id) do update
     set hash = excluded.hash, must_change = excluded.must_change, given_by = excluded.given_by, opens = excluded.opens, set_at = excluded.set_at`,
    [personId, await hashOfPin(personId, pin), mustChange, origin.givenBy, origin.opens],
  );
  await lockTerminals(tx, personId);
}

const lockTerminals = (tx: Db, personId: string) => tx.rows("-- reset.lockTerminals\n delete from session where person_id = $1 and method = 'pin'", [personId]);

export async function takePin(tx: Db, personId: string): Promise<boolean> {
  await lockTerminals(tx, personId);
  return (await tx.rows("-- reset.takePin\n delete from person_pin where person_id = $1 returning person_id", [personId])).length > 0;
}

/** The password that opens from now on. That it is one (whyNotPassword) was asked before. */
export async function setPassword(tx: Db, personId: string, password: string): Promise<void> {
  await tx.rows(
    `-- reset.password
     insert into account (person_id, provider_id, account_id, password) values ($1, 'credential', $1::uuid::text, $2)
     on conflict (person_id, provider_id) do update set password = excluded.password, updated_at = now()`,
    [personId, await hashOfPassword(password)],
  );
}

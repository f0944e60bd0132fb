/** Shared terminals: registered by a supervisor, unlocked with a PIN, revoked from anywhere. */
import { createHash } from "node:crypto";
import { type Changing, change } from "#/server/audit/change.ts";
import { type Db, db } from "#/server/db.ts";
import { isLookAlike, lookAlikeSentence } from "#/server/domain/naming.ts";
import type { Actor } from "#/server/domain/permission.ts";
import { floorRoles, whatPinOpens } from "#/server/domain/pin.ts";
import { Refusal } from "#/server/errors.ts";
import { isSecure } from "#/server/identity/env.ts";
import { leaveNotice } from "#/server/identity/notices.ts";
import type { Permitted } from "#/server/identity/permit.ts";
import { givePin } from "#/server/identity/reset.ts";
import { cookieOf, hashOfSecret, isSecretShaped, newSecret } from "#/server/identity/secrets.ts";
import { cookieName } from "#/server/identity/session.ts";
import { recordOf } from "#/server/identity/trail.ts";
import { type Count, forgetTries, usedUpAmong } from "#/server/identity/tries.ts";
import {
  lockTerminal,
  type PinHolder,
  pinsAt,
  seeTerminal,
  type TerminalPerson,
  type TerminalPersonRow,
  type TerminalRow,
  type TerminalSite,
  terminalById,
  terminalBySecret,
  terminalPeople,
  terminalPerson,
  terminalSites,
  terminalsOf,
} from "./queries.ts";

export const terminalCookie = (): string => cookieName("terminal");
/** 400 days: browsers keep no cookie for longer. Each unlocking sets it again. */
export const terminalCookieS = 400 * 24 * 3600;

export const terminalCookieOptions = () => ({ path: "/", httpOnly: true, sameSite: "lax", secure: isSecure(), maxAge: terminalCookieS }) as const;

/** What the browser's terminal cookie holds; null: it is none, or not shaped like one of ours. */
export const terminalSecret = (headers: Headers): string | null => {
  const secret = cookieOf(headers, terminalCookie());
  return secret !== null && isSecretShaped(secret) ? secret : null;
};

/** The terminal that this browser is; null: none, or one that was revoked. */
export async function terminalOf(headers: Headers, now: Date): Promise<TerminalRow | null> {
  const secret = terminalSecret(headers);
  return secret === null ? null : terminalBySecret(db, hashOfSecret(secret), now);
}

/** The terminal with those who may unlock it: what its own screen shows. Names of people of the floor, to whoever stands in front of it. */
export async function terminalScreen(headers: Headers, address: string | null, now: Date): Promise<{ terminal: TerminalRow; people: TerminalPerson[] } | null> {
  const terminal = await terminalOf(headers, now);
  if (!terminal) return null;
  await seeTerminal(db, terminal.id, address, now);
  return { terminal, people: await terminalPeople(db, terminal, floorRoles) };
}

export const whoUnlocks = (terminal: TerminalRow, personId: string): Promise<TerminalPersonRow | null> => terminalPerson(db, terminal, floorRoles, personId);

export type NewTerminal = { siteId: number; name: string; lineIds: readonly number[]; autoLockS: number };

/** A new terminal and the secret for its cookie. @throws Refusal FORBIDDEN, NOT_FOUND, INVALID */
export async function registerTerminal(
  ctx: Pick<Permitted, "need"> & Changing,
  { siteId, name, lineIds, autoLockS }: NewTerminal,
): Promise<{ id: number; secret: string }> {
  ctx.need(siteId);
  const secret = newSecret();
  const createdBy = ctx.actor.kind === "person" ? ctx.actor.id : null;
  const id = await change(ctx, { action: "terminal.registered" }, async (tx) => {
    await checkName(tx, siteId, name, null);
    const [row] = await tx.rows<{ id: number }>(
      "-- terminals.register\n insert into terminal (site_id, name, secret_hash, auto_lock_s, created_by, created_at) values ($1, $2, $3, $4, $5, $6) returning id",
      [siteId, name, hashOfSecret(secret), autoLockS, createdBy, ctx.now()],
    );
    if (!row) throw new Error("The terminal was not stored.");
    await setLines(tx, row.id, siteId, lineIds);
    return row.id;
  });
  return { id, secret };
}

/** @throws Refusal INVALID: it cannot be told from that of another terminal of the site */
async function checkName(tx: Db, siteId: number, name: string, id: number | null): Promise<void> {
  const others = await tx.rows<{ name: string }>(
    "-- terminals.namesOfOthers\n select name from terminal where site_id = $1 and revoked_at is null and id is distinct from $2::int",
    [siteId, id],
  );
  if (others.some((other) => isLookAlike(other.name, name)))
    throw new Refusal("INVALID", lookAlikeSentence, { fields: [{ path: "name", sentence: lookAlikeSentence }] });
}

/** @throws Refusal INVALID: a line of another site, or one that there is not */
async function setLines(tx: Db, terminalId: number, siteId: number, lineIds: readonly number[]): Promise<void> {
  await tx.rows("-- terminals.clearLines\n delete from terminal_line where terminal_id = $1 and line_id <> all($2)", [terminalId, lineIds]);
  const kept = await tx.rows(
    `-- terminals.lines
     with wanted as (select l.id from line l join area a on a.id = l.area_id where a.site_id = $2 and l.id = any($3)),
       added as (insert into terminal_line (terminal_id, line_id) select $1, id from wanted on conflict do nothing)
     select id from wanted`,
    [terminalId, siteId, lineIds],
  );
  if (kept.length !== new Set(lineIds).size) throw new Refusal("INVALID", "One of the lines is not of this site any more. Choose the lines again.");
}

export type ListedTerminal = TerminalRow & { version: string };

export const listTerminals = async (ctx: Pick<Permitted, "scope"> & { db: Db; now: () => Date }): Promise<ListedTerminal[]> =>
  (await terminalsOf(ctx.db, ctx.scope, ctx.now())).map((terminal) => ({ ...terminal, version: versionOf(terminal) }));
export const sitesForTerminals = (ctx: Pick<Permitted, "scope"> & { db: Db }): Promise<TerminalSite[]> => terminalSites(ctx.db, ctx.scope);

const missing = "There is no such terminal.";

export type TerminalSettings = { name: string; lineIds: readonly number[]; autoLockS: number };
const settingsOf = ({ name, lines, autoLockS }: TerminalRow): TerminalSettings => ({ name, lineIds: lines.map(({ id }) => id), autoLockS });

/** Of what can be changed of a terminal: other settings have another one. */
export const terminalVersion = (settings: TerminalSettings): string => createHash("sha256").update(JSON.stringify(settings)).digest("base64url").slice(0, 22);
const versionOf = (terminal: TerminalRow): string => terminalVersion(settingsOf(terminal));

/** A terminal's name, lines and time to its lock. @throws Refusal NOT_FOUND, FORBIDDEN, INVALID, CONFLICT (present: version, values) */
export async function changeTerminal(
  ctx: Pick<Permitted, "found"> & Changing & { db: Db },
  { id, version, name, lineIds, autoLockS }: TerminalSettings & { id: number; version: string },
): Promise<void> {
  const { siteId } = ctx.found(await terminalById(ctx.db, id, ctx.now()), missing);
  await change(ctx, { action: "terminal.changed" }, async (tx) => {
    await lockTerminal(tx, id);
    const stored = await terminalById(tx, id, ctx.now());
    if (!stored) throw new Refusal("NOT_FOUND", missing);
    if (versionOf(stored) !== version)
      throw new Refusal("CONFLICT", "Someone else has changed this terminal in the meantime.", {
        present: { version: versionOf(stored), values: settingsOf(stored) },
      });
    await checkName(tx, siteId, name, id);
    await tx.rows("-- terminals.change\n update terminal set name = $2, auto_lock_s = $3 where id = $1", [id, name, autoLockS]);
    await setLines(tx, id, siteId, lineIds);
  });
}

/** The browser is no terminal any more, and whoever has it unlocked is signed out. @throws Refusal NOT_FOUND, FORBIDDEN */
export async function revokeTerminal(ctx: Pick<Permitted, "found"> & Changing & { db: Db }, id: number): Promise<void> {
  const terminal = ctx.found(await terminalById(ctx.db, id, ctx.now()), missing);
  if (terminal.revokedAt !== null) return;
  await change(ctx, { action: "terminal.revoked" }, async (tx) => {
    await tx.rows("-- terminals.revoke\n update terminal set revoked_at = $2 where id = $1 and revoked_at is null", [id, ctx.now()]);
    const ended = await tx.rows<{ personId: string }>(
      '-- terminals.endSessions\n delete from session where terminal_id = $1 returning person_id as "personId"',
      [id],
    );
    for (const { personId } of ended) await tx.rows("-- terminals.tell\n select pg_notify('permission', $1)", [`person:${personId}`]);
  });
}

export type PinRow = Omit<PinHolder, "grants"> & {
  /** Whoever asks may give them one: they may do nothing that the asker may not. */
  mayGive: boolean;
  /** Too many wrong PINs in their name: names of the terminals at which the PIN alone is not enough now, or is waited for. */
  closedAt: string[];
};

type PinList = Pick<Permitted, "scope"> & { db: Db; actor: Actor; now: () => Date };

export async function listPins(ctx: PinList): Promise<PinRow[]> {
  const [people, terminals] = await Promise.all([pinsAt(ctx.db, ctx.scope, floorRoles), terminalsOf(ctx.db, ctx.scope, ctx.now())]);
  const counts = people.flatMap(({ id, hasPin }) =>
    hasPin ? terminals.filter(({ revokedAt }) => revokedAt === null).map((terminal) => ({ ...pinCount(terminal.id, id), id, name: terminal.name })) : [],
  );
  const closed = await usedUpAmong(ctx.db, counts, ctx.now());
  return people.map(({ grants, ...row }) => ({
    ...row,
    mayGive: whatPinOpens(ctx.actor, grants) !== null,
    closedAt: closed.filter(({ id }) => id === row.id).map(({ name }) => name),
  }));
}

/** What counts wrong PINs in somebody's name at a terminal. */
export const pinCount = (terminalId: number, personId: string): Count => ({ kind: "pin", of: [String(terminalId), personId] });

const nobodyHere = "Nobody like this works at your sites.";

/**
 * A new PIN for who has forgotten theirs, or never had one: shown once, good for one use, in which the person chooses another. The old one opens nothing any more.
 * Whoever gives it has it in hand, so it opens no more than the giver may do, and the person is told of it.
 * @throws Refusal NOT_FOUND: nobody who works at the actor's sites; FORBIDDEN: they may do more there than the actor
 */
export function giveNewPin(ctx: Pick<Permitted, "scope"> & Changing, personId: string): Promise<{ name: string; pin: string }> {
  return change(ctx, { action: "person.pin_given" }, async (tx) => {
    const [person] = await pinsAt(tx, ctx.scope, floorRoles, personId);
    if (!person) throw new Refusal("NOT_FOUND", nobodyHere);
    const opens = whatPinOpens(ctx.actor, person.grants);
    if (opens === null)
      throw new Refusal(
        "FORBIDDEN",
        `${person.name} may do more at your sites than you. They choose a PIN themselves under My account, or somebody who may all of that gives them one.`,
      );
    const pin = await givePin(tx, person.id, { givenBy: ctx.actor.kind === "person" ? ctx.actor.id : null, opens });
    await forgetPinTries(tx, ctx, person.id); // of the PIN that opens nothing any more
    await recordOf(tx, "person.pin_given", person);
    await leaveNotice(tx, person.id, "pin_given", ctx.actor.name, ctx.now());
    return { name: person.name, pin };
  });
}

/** Too many wrong PINs were entered in somebody's name: at the actor's terminals they are let in with their own again. @throws Refusal NOT_FOUND */
export function letInWithPin(ctx: Pick<Permitted, "scope"> & Changing, personId: string): Promise<void> {
  return change(ctx, { action: "person.pin_let_in" }, async (tx) => {
    const [person] = await pinsAt(tx, ctx.scope, floorRoles, personId);
    if (!person) throw new Refusal("NOT_FOUND", nobodyHere);
    await forgetPinTries(tx, ctx, person.id);
    await recordOf(tx, "person.pin_let_in", person);
  });
}

async function forgetPinTries(tx: Db, { scope, now }: Pick<Permitted, "scope"> & Changing, personId: string): Promise<void> {
  const terminals = await terminalsOf(tx, scope, now());
  await forgetTries(
    tx,
    terminals.map(({ id }) => pinCount(id, personId)),
  );
}

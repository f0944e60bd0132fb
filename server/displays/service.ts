/** Displays: who opens them, and what people do with them. */
import { type Changing, change } from "#/server/audit/change.ts";
import { buildId } from "#/server/build.ts";
import { type Db, db } from "#/server/db.ts";
import { isLookAlike, lookAlikeSentence } from "#/server/domain/naming.ts";
import type { Actor } from "#/server/domain/permission.ts";
import { nextRoundFrom, type Rotation } from "#/server/domain/rotation.ts";
import { type FieldFault, Refusal } from "#/server/errors.ts";
import { identityEnv } from "#/server/identity/env.ts";
import type { Permitted } from "#/server/identity/permit.ts";
import { type DisplaySettings, insertDisplay, linesOfSite, namesOfOthers, revoke, type Told, tell, updateDisplay, updateLink } from "./changes.ts";
import { knownConcerns } from "./concerns.ts";
import { hashOfLink, makeLink, tokenIn } from "./link.ts";
import { beat, type DisplayRow, displayRow, displayRows, forgetScreens, type Heartbeat, type HeartbeatRow, heartbeatRows, standingRow } from "./queries.ts";

export type DisplayActor = Extract<Actor, { kind: "display" }>;
/** Why a link opens nothing. none: no link at all; forged: Takt did not make it; replaced: it made another since. */
export type WhyClosed = "none" | "forged" | "replaced" | "revoked" | "expired";
/** locale: the display's own, in which it also says why it is closed; null: the browser's, or no display is known by this link. */
export type Standing = { actor: DisplayActor; why: null } | { actor: null; why: WhyClosed; locale: string | null };

/** What a link is good for now. */
export async function standingOf(token: string | null, now: Date): Promise<Standing> {
  if (token === null) return { actor: null, why: "none", locale: null };
  const hash = hashOfLink(token);
  if (!hash) return { actor: null, why: "forged", locale: null };
  const row = await standingRow(db, hash);
  if (!row) return { actor: null, why: "replaced", locale: null };
  if (row.revokedAt !== null) return { actor: null, why: "revoked", locale: row.locale };
  if (row.linkExpiresAt !== null && row.linkExpiresAt <= now.getTime()) return { actor: null, why: "expired", locale: row.locale };
  return { actor: { kind: "display", id: String(row.id), name: row.name, siteId: row.siteId, lines: row.lineIds }, why: null };
}

/** The display whose link the request's cookie holds; null where there is none, or it is no longer good. */
export const displayActor = async (headers: Headers): Promise<DisplayActor | null> => (await standingOf(tokenIn(headers), new Date())).actor;

/** Notes a display's sign of life. */
export async function noteHeartbeat(
  ctx: { db: Db; from: Changing["from"]; now: () => Date },
  displayId: number,
  said: Heartbeat,
): Promise<{ at: number; build: string }> {
  const now = ctx.now();
  const [row] = await beat(ctx.db, displayId, now, ctx.from, said);
  if (row?.isNew) await forgetScreens(ctx.db, displayId);
  return { at: now.getTime(), build: buildId() };
}

/** What people see of a display. */
export type ListedDisplay = DisplayRow & { screens: Omit<HeartbeatRow, "displayId">[] };

/** The displays of the sites where the actor may see them. */
export async function listDisplays(ctx: Permitted<{ db: Db }>): Promise<ListedDisplay[]> {
  const rows = await displayRows(ctx.db, ctx.scope);
  const beats = await heartbeatRows(
    ctx.db,
    rows.map(({ id }) => id),
  );
  return rows.map((row) => ({
    ...row,
    screens: beats.filter(({ displayId }) => displayId === row.id).map(({ displayId: _display, ...screen }) => screen),
  }));
}

type Acting = Permitted<Changing & { db: Db }>;

const settingsOf = (row: DisplayRow): DisplaySettings => ({
  name: row.name,
  theme: row.theme,
  locale: row.locale,
  raiseAfterS: row.raiseAfterS,
  raiseForS: row.raiseForS,
  boards: row.boards.map(({ lineId, shownS }) => ({ lineId, shownS })),
});

/** @throws Refusal INVALID with the fields that are wrong */
async function check(tx: Db, siteId: number, settings: DisplaySettings, id: number | null): Promise<void> {
  const fields: FieldFault[] = [];
  const others = await namesOfOthers(tx, siteId, id);
  if (others.some((name) => name.toLowerCase() === settings.name.toLowerCase()))
    fields.push({ path: "name", sentence: `Another display of this site is called "${settings.name}".` });
  else if (others.some((name) => isLookAlike(name, settings.name))) fields.push({ path: "name", sentence: lookAlikeSentence });
  const lineIds = settings.boards.map(({ lineId }) => lineId);
  const there = await linesOfSite(tx, siteId, lineIds);
  if (new Set(lineIds).size < lineIds.length) fields.push({ path: "boards", sentence: "A board is in the rotation twice." });
  if (lineIds.some((lineId) => !there.includes(lineId)))
    fields.push({ path: "boards", sentence: "A board is not of this site, or its line is no longer in use." });
  if (fields.length > 0) throw new Refusal("INVALID", fields.map(({ sentence }) => sentence).join(" "), { fields });
}

const dayMs = 24 * 3_600_000;
const expiryOf = (now: Date, days: number | null) => (days === null ? null : new Date(now.getTime() + days * dayMs));

/** base: where browsers reach Takt, where that is said (PUBLIC_URL); null: where the page that asks came from. */
export type NewLink = { id: number; token: string; base: string | null };
const newLinkOf = (id: number, token: string): NewLink => ({ id, token, base: identityEnv().PUBLIC_URL ?? null });

/** The new display's link is given once and kept nowhere. @throws Refusal FORBIDDEN, INVALID */
export async function createDisplay(ctx: Acting, siteId: number, settings: DisplaySettings, expiresInDays: number | null): Promise<NewLink> {
  ctx.need(siteId);
  const { token, hash } = makeLink();
  const now = ctx.now();
  const id = await change(ctx, { action: "display.created" }, async (tx) => {
    await check(tx, siteId, settings, null);
    const createdBy = ctx.actor.kind === "person" ? ctx.actor.id : null;
    return insertDisplay(tx, { siteId, settings, hash, at: now, linkExpiresAt: expiryOf(now, expiresInDays), createdBy });
  });
  return newLinkOf(id, token);
}

const noDisplay = (id: number) => `There is no display ${id}.`;
const displayIn = async (ctx: Acting, id: number): Promise<DisplayRow> => ctx.found(await displayRow(ctx.db, id), noDisplay(id));

/** Why a change of a display found nothing to change. */
async function refusedChange(tx: Db, id: number): Promise<Refusal> {
  const row = await displayRow(tx, id);
  if (!row) return new Refusal("NOT_FOUND", noDisplay(id));
  if (row.revokedAt !== null) return new Refusal("RULE_BROKEN", `The display "${row.name}" was revoked. Make a new one.`);
  return new Refusal("CONFLICT", `Someone else just changed the display "${row.name}".`, { present: { version: row.version, values: settingsOf(row) } });
}

/** @throws Refusal CONFLICT with what is stored now where someone else saved first */
export async function changeDisplay(ctx: Acting, id: number, version: number, settings: DisplaySettings): Promise<void> {
  const { siteId } = await displayIn(ctx, id);
  await change(ctx, { action: "display.changed" }, async (tx) => {
    await check(tx, siteId, settings, id);
    if (!(await updateDisplay(tx, id, version, settings))) throw await refusedChange(tx, id);
  });
}

/** Another link; the one before opens nothing from now on. @throws Refusal CONFLICT where someone else changed it first: their new link must not die unseen */
export async function newLink(ctx: Acting, id: number, version: number, expiresInDays: number | null): Promise<NewLink> {
  await displayIn(ctx, id);
  const { token, hash } = makeLink();
  const at = ctx.now();
  await change(ctx, { action: "display.relinked" }, async (tx) => {
    if (!(await updateLink(tx, id, version, { hash, at, expiresAt: expiryOf(at, expiresInDays) }))) throw await refusedChange(tx, id);
  });
  return newLinkOf(id, token);
}

/** For good; once more does no harm. */
export async function revokeDisplay(ctx: Acting, id: number): Promise<void> {
  await displayIn(ctx, id);
  await change(ctx, { action: "display.revoked" }, (tx) => revoke(tx, id, ctx.now()));
}

async function tellDisplay(ctx: Acting, id: number, action: string, told: Told): Promise<void> {
  await change(ctx, { action }, async (tx) => {
    if (!(await tell(tx, id, told))) throw await refusedChange(tx, id);
  });
}

/** It shows its name and number large for 20 s. */
export async function identifyDisplay(ctx: Acting, id: number): Promise<void> {
  await displayIn(ctx, id);
  await tellDisplay(ctx, id, "display.identified", { identifyAt: ctx.now() });
}

export async function reloadDisplay(ctx: Acting, id: number): Promise<void> {
  await displayIn(ctx, id);
  await tellDisplay(ctx, id, "display.reloaded", { reloadAt: ctx.now() });
}

/** What a display shows is told by this and the clock (server/domain/rotation.ts). */
export const rotationOf = (row: DisplayRow): Rotation => ({
  boards: row.boards,
  fromAt: row.rotationFromAt,
  pin: row.pinnedLineId === null ? null : { lineId: row.pinnedLineId, untilAt: row.pinnedUntilAt },
  raise: row.raiseAfterS === null ? null : { afterS: row.raiseAfterS, forS: row.raiseForS },
  concerns: knownConcerns(row.boards.map(({ lineId }) => lineId)),
  seenAt: row.concernsSeenAt,
});

/** The board after the one shown comes now; a pin ends, and what brought a board up counts as seen. */
export async function nextBoard(ctx: Acting, id: number): Promise<void> {
  const row = await displayIn(ctx, id);
  const now = ctx.now();
  const rotationFromAt = new Date(nextRoundFrom(rotationOf(row), now.getTime()));
  await tellDisplay(ctx, id, "display.moved_on", { rotationFromAt, concernsSeenAt: now, pin: null });
}

/** Holds one of its boards, for so many minutes or (null) until a person ends it. @throws Refusal RULE_BROKEN where the board is none of its own */
export async function pinBoard(ctx: Acting, id: number, lineId: number, minutes: number | null): Promise<void> {
  const row = await displayIn(ctx, id);
  if (!row.boards.some((board) => board.lineId === lineId)) throw new Refusal("RULE_BROKEN", `This board is not in the rotation of "${row.name}".`);
  const untilAt = minutes === null ? null : new Date(ctx.now().getTime() + minutes * 60_000);
  await tellDisplay(ctx, id, "display.pinned", { pin: { lineId, untilAt } });
}

export async function unpinBoard(ctx: Acting, id: number): Promise<void> {
  await displayIn(ctx, id);
  await tellDisplay(ctx, id, "display.unpinned", { pin: null });
}

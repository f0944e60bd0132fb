/** SQL that changes displays. Each is one part of a change (server/audit/change.ts). */
import type { Db } from "#/server/db.ts";
import type { RotationBoard } from "#/server/domain/rotation.ts";

/** What people set of a display. */
export type DisplaySettings = {
  name: string;
  theme: "dark" | "light";
  /** null: the browser's language. */
  locale: string | null;
  raiseAfterS: number | null;
  /** Of no meaning where raiseAfterS is null. */
  raiseForS: number | null;
  boards: readonly RotationBoard[];
};

const raiseForS = ({ raiseAfterS, raiseForS }: DisplaySettings) => (raiseAfterS === null ? null : raiseForS);

type NewDisplay = { siteId: number; settings: DisplaySettings; hash: Buffer; at: Date; linkExpiresAt: Date | null; createdBy: string | null };

/** The new display's id. */
export async function insertDisplay(tx: Db, { siteId, settings, hash, at, linkExpiresAt, createdBy }: NewDisplay): Promise<number> {
  const [row] = await tx.rows<{ id: number }>(
    `-- displays.insertDisplay
    insert into display (site_id, name, theme, locale, raise_after_s, raise_for_s, link_hash, link_made_at, link_expires_at, rotation_from_at, created_at, created_by)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $8, $8, $10) returning id`,
    [siteId, settings.name, settings.theme, settings.locale, settings.raiseAfterS, raiseForS(settings), hash, at, linkExpiresAt, createdBy],
  );
  if (!row) throw new Error("insert into display returned nothing");
  await putBoards(tx, row.id, settings.boards);
  return row.id;
}

/** True where the display was at that version and not revoked. A pin on a board that was taken off goes with it. */
export async function updateDisplay(tx: Db, id: number, version: number, settings: DisplaySettings): Promise<boolean> {
  const found = await tx.rows(
    `-- displays.updateDisplay
    update display set name = $3, theme = $4, locale = $5, raise_after_s = $6, raise_for_s = $7, version = version + 1,
      pinned_line_id = case when pinned_line_id = any($8::int[]) then pinned_line_id end,
      pinned_until_at = case when pinned_line_id = any($8::int[]) then pinned_until_at end
    where id = $1 and version = $2 and revoked_at is null returning id`,
    [id, version, settings.name, settings.theme, settings.locale, settings.raiseAfterS, raiseForS(settings), settings.boards.map(({ lineId }) => lineId)],
  );
  if (found.length === 0) return false;
  await putBoards(tx, id, settings.boards);
  return true;
}

/** Leaves alone what is as it was: the audit trail then shows what changed and nothing else. */
async function putBoards(tx: Db, displayId: number, boards: readonly RotationBoard[]): Promise<void> {
  const lines = boards.map(({ lineId }) => lineId);
  await tx.rows("-- displays.dropBoards\n delete from display_board where display_id = $1 and line_id <> all($2::int[])", [displayId, lines]);
  await tx.rows(
    `-- displays.putBoards
    insert into display_board as b (display_id, line_id, position, shown_s)
    select $1, line_id, n, shown_s from unnest($2::int[], $3::int[]) with ordinality as given(line_id, shown_s, n)
    on conflict (display_id, line_id) do update set position = excluded.position, shown_s = excluded.shown_s
    where (b.position, b.shown_s) is distinct from (excluded.position, excluded.shown_s)`,
    [displayId, lines, boards.map(({ shownS }) => shownS)],
  );
}

/** Of these lines those that are in use at the site. */
export const linesOfSite = async (tx: Db, siteId: number, lineIds: readonly number[]): Promise<number[]> =>
  (
    await tx.rows<{ id: number }>(
      `-- displays.linesOfSite
      select l.id from line l join area a on a.id = l.area_id join site s on s.id = a.site_id
      where s.id = $1 and l.id = any($2) and l.retired_at is null and a.retired_at is null and s.retired_at is null`,
      [siteId, lineIds],
    )
  ).map(({ id }) => id);

/** Names of the site's other displays that are in use. */
export const namesOfOthers = async (tx: Db, siteId: number, but: number | null): Promise<string[]> =>
  (
    await tx.rows<{ name: string }>(
      "-- displays.namesOfOthers\n select name from display where site_id = $1 and revoked_at is null and id is distinct from $2::int",
      [siteId, but],
    )
  ).map(({ name }) => name);

export const updateLink = async (tx: Db, id: number, version: number, link: { hash: Buffer; at: Date; expiresAt: Date | null }): Promise<boolean> =>
  (
    await tx.rows(
      `-- displays.updateLink
      update display set link_hash = $3, link_made_at = $4, link_expires_at = $5, version = version + 1
      where id = $1 and version = $2 and revoked_at is null returning id`,
      [id, version, link.hash, link.at, link.expiresAt],
    )
  ).length > 0;

export const revoke = async (tx: Db, id: number, at: Date): Promise<boolean> =>
  (await tx.rows("-- displays.revoke\n update display set revoked_at = $2, version = version + 1 where id = $1 and revoked_at is null returning id", [id, at]))
    .length > 0;

/** What a person tells a display that is on: undefined leaves it as it is. */
export type Told = {
  identifyAt?: Date;
  reloadAt?: Date;
  rotationFromAt?: Date;
  concernsSeenAt?: Date;
  pin?: { lineId: number; untilAt: Date | null } | null;
};

export const tell = async (tx: Db, id: number, told: Told): Promise<boolean> =>
  (
    await tx.rows(
      `-- displays.tell
      update display set identify_at = coalesce($2, identify_at), reload_at = coalesce($3, reload_at), rotation_from_at = coalesce($4, rotation_from_at),
        concerns_seen_at = coalesce($5, concerns_seen_at), pinned_line_id = case when $6 then $7 else pinned_line_id end,
        pinned_until_at = case when $6 then $8::timestamptz else pinned_until_at end
      where id = $1 and revoked_at is null returning id`,
      [
        id,
        told.identifyAt ?? null,
        told.reloadAt ?? null,
        told.rotationFromAt ?? null,
        told.concernsSeenAt ?? null,
        told.pin !== undefined,
        told.pin?.lineId ?? null,
        told.pin?.untilAt ?? null,
      ],
    )
  ).length > 0;

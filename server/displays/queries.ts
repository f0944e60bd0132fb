/** SQL of the displays. Instants come as ms since 1970. */
import type { Db } from "#/server/db.ts";
import type { Scope } from "#/server/domain/permission.ts";
import { inSites, sitesIn } from "#/server/scope.ts";

const ms = (column: string) => `(extract(epoch from ${column}) * 1000)::float8`;

/** What decides whether a link opens its display, and what the display may then see. */
export type StandingRow = {
  locale: string | null;
  id: number;
  name: string;
  siteId: number;
  linkExpiresAt: number | null;
  revokedAt: number | null;
  /** Of its boards those in use at its own site. */
  lineIds: number[];
};

export async function standingRow(db: Db, linkHash: Buffer): Promise<StandingRow | null> {
  const [row] = await db.rows<StandingRow>(
    `-- displays.standingRow
    select d.id, d.name, d.locale, d.site_id as "siteId", ${ms("d.link_expires_at")} as "linkExpiresAt", ${ms("d.revoked_at")} as "revokedAt",
      array(select b.line_id from display_board b join line l on l.id = b.line_id join area a on a.id = l.area_id
            where b.display_id = d.id and a.site_id = d.site_id and l.retired_at is null and a.retired_at is null order by b.position, b.line_id) as "lineIds"
    from display d where d.link_hash = $1`,
    [linkHash],
  );
  return row ?? null;
}

export type BoardRow = { lineId: number; address: string; name: string; areaName: string; shownS: number };

/** What a display goes by. */
export type DisplayRow = {
  id: number;
  siteId: number;
  siteKey: string;
  siteName: string;
  zone: string;
  name: string;
  theme: "dark" | "light";
  locale: string | null;
  linkMadeAt: number;
  linkExpiresAt: number | null;
  raiseAfterS: number | null;
  raiseForS: number | null;
  rotationFromAt: number;
  pinnedLineId: number | null;
  pinnedUntilAt: number | null;
  concernsSeenAt: number | null;
  identifyAt: number | null;
  reloadAt: number | null;
  createdAt: number;
  createdBy: string | null;
  revokedAt: number | null;
  version: number;
  boards: BoardRow[];
};

const displaySql = `
    select d.id, d.site_id as "siteId", s.key as "siteKey", s.name as "siteName", s.zone, d.name, d.theme, d.locale,
      ${ms("d.link_made_at")} as "linkMadeAt", ${ms("d.link_expires_at")} as "linkExpiresAt", d.raise_after_s as "raiseAfterS", d.raise_for_s as "raiseForS",
      ${ms("d.rotation_from_at")} as "rotationFromAt", d.pinned_line_id as "pinnedLineId", ${ms("d.pinned_until_at")} as "pinnedUntilAt",
      ${ms("d.concerns_seen_at")} as "concernsSeenAt", ${ms("d.identify_at")} as "identifyAt", ${ms("d.reload_at")} as "reloadAt",
      ${ms("d.created_at")} as "createdAt", p.name as "createdBy", ${ms("d.revoked_at")} as "revokedAt", d.version,
      coalesce((select json_agg(json_build_object('lineId', l.id, 'address', s.key || '/' || a.key || '/' || l.key, 'name', l.name, 'areaName', a.name, 'shownS', b.shown_s)
                                order by b.position, l.id)
                from display_board b join line l on l.id = b.line_id join area a on a.id = l.area_id
                where b.display_id = d.id and a.site_id = d.site_id and l.retired_at is null and a.retired_at is null), '[]') as boards
    from display d join site s on s.id = d.site_id left join person p on p.id = d.created_by`;

export async function displayRow(db: Db, displayId: number): Promise<DisplayRow | null> {
  const [row] = await db.rows<DisplayRow>(`-- displays.displayRow${displaySql} where d.id = $1`, [displayId]);
  return row ?? null;
}

/** Those of the sites, by site and name; the revoked ones of the last 30 days after the others. */
export const displayRows = (db: Db, scope: Scope) =>
  db.rows<DisplayRow>(
    `-- displays.displayRows${displaySql}
    where ${inSites(1, "d.site_id")} and (d.revoked_at is null or d.revoked_at > now() - interval '30 days')
    order by d.revoked_at is not null, s.name, d.name, d.id`,
    [sitesIn(scope)],
  );

export type HeartbeatRow = {
  displayId: number;
  screenId: string;
  firstAt: number;
  at: number;
  width: number;
  height: number;
  pixelRatio: number;
  page: string;
  build: string;
  userAgent: string | null;
  address: string | null;
};

/** Of each display its screens, the one heard last first. */
export const heartbeatRows = (db: Db, displayIds: readonly number[]) =>
  db.rows<HeartbeatRow>(
    `-- displays.heartbeatRows
    select display_id as "displayId", screen_id as "screenId", ${ms("first_at")} as "firstAt", ${ms("at")} as at, width, height, pixel_ratio as "pixelRatio", page, build,
      user_agent as "userAgent", address
    from display_heartbeat where display_id = any($1) order by display_id, at desc`,
    [displayIds],
  );

export type Heartbeat = { screenId: string; width: number; height: number; pixelRatio: number; page: string; build: string };

/** Writes the sign of life of one screen. */
export const beat = (db: Db, displayId: number, at: Date, from: { userAgent: string | null; address: string | null }, said: Heartbeat) =>
  db.rows<{ isNew: boolean }>(
    `-- displays.beat
    insert into display_heartbeat as h (display_id, screen_id, first_at, at, width, height, pixel_ratio, page, build, user_agent, address)
    values ($1, $2, $3, $3, $4, $5, $6, $7, $8, $9, $10)
    on conflict (display_id, screen_id) do update set at = excluded.at, width = excluded.width, height = excluded.height, pixel_ratio = excluded.pixel_ratio,
      page = excluded.page, build = excluded.build, user_agent = excluded.user_agent, address = excluded.address
    returning h.first_at = h.at as "isNew"`,
    [displayId, said.screenId, at, said.width, said.height, said.pixelRatio, said.page, said.build, from.userAgent, from.address],
  );

/** Of a display's screens only the eight heard last are kept: a browser that forgets who it was is another one each time. */
export const forgetScreens = (db: Db, displayId: number) =>
  db.rows(
    `-- displays.forgetScreens
    delete from display_heartbeat where display_id = $1
      and screen_id not in (select screen_id from display_heartbeat where display_id = $1 order by at desc limit 8)`,
    [displayId],
  );

/** Lines that may be put on a display, by site, in the order of the plant. */
export type LineChoice = { siteId: number; siteName: string; lineId: number; name: string; areaName: string };

export const lineChoices = (db: Db, scope: Scope) =>
  db.rows<LineChoice>(
    `-- displays.lineChoices
    select s.id as "siteId", s.name as "siteName", l.id as "lineId", l.name, a.name as "areaName"
    from line l join area a on a.id = l.area_id join site s on s.id = a.site_id
    where l.retired_at is null and a.retired_at is null and s.retired_at is null and ${inSites(1, "s.id")}
    order by s.name, a.name, l.name, l.id`,
    [sitesIn(scope)],
  );

/** Boards: which there are, and the picture of one. */

import type { Db } from "#/server/db.ts";
import type { Scope } from "#/server/domain/permission.ts";
import { Refusal } from "#/server/errors.ts";
import type { Permitted } from "#/server/identity/permit.ts";
import { type MadePicture, makePicture } from "./picture.ts";
import type { Picture, Tile, Trouble } from "./picture-types.ts";
import { addressOfLine, boardMaterial, type LineAddress, type LineRow, lineOf, lineRows } from "./queries.ts";

/** The line that the actor may look at. @throws Refusal NOT_FOUND, also where it is not theirs */
export async function lineIdAt(ctx: Permitted<{ db: Db }>, address: LineAddress): Promise<number> {
  return ctx.found(await lineOf(ctx.db, address), `There is no line ${address.site}/${address.area}/${address.line}.`).lineId;
}

/** Where the board of a line is; null: the line is no longer in use. */
export async function boardPathOf(db: Db, lineId: number): Promise<string | null> {
  const address = await addressOfLine(db, lineId);
  return address && `/board/${address.site}/${address.area}/${address.line}`;
}

/** vouchedTo: of upstream.ts. @throws Refusal NOT_FOUND: the line was retired meanwhile */
export async function boardPicture(db: Db, lineId: number, now: Date, vouchedTo: ReadonlyMap<number, number | null> = new Map()): Promise<MadePicture> {
  const material = await boardMaterial(db, lineId, now);
  if (!material) throw new Refusal("NOT_FOUND", "This line is no longer in use.");
  return makePicture(material, now.getTime(), vouchedTo);
}

/** A line on the first screen. trouble: why what is shown may be of before. */
export type LineSummary = {
  address: string;
  name: string;
  machines: { name: string; kind: Tile["kind"] }[];
  made: number | null;
  expected: number | null;
  shift: string | null;
  worst: { name: string; kind: Tile["kind"]; sinceAt: number | null; reason: string | null } | null;
  trouble: Trouble | null;
};
export type SiteSummary = { key: string; name: string; zone: string; areas: { name: string; lines: LineSummary[] }[] };

const worstFirst: readonly Tile["kind"][] = ["down", "unknown", "blocked", "starved", "micro_stop", "changeover", "planned_stop", "not_scheduled"];

/** Of the machines that are not running the one that has been so longest. */
export function worstOf(tiles: Picture["tiles"]): LineSummary["worst"] {
  const rank = (tile: Tile) => worstFirst.indexOf(tile.kind);
  const worst = [...tiles].filter((tile) => tile.kind !== "run").sort((a, b) => rank(a) - rank(b) || (a.sinceAt ?? 0) - (b.sinceAt ?? 0))[0];
  return worst ? { name: worst.name, kind: worst.kind, sinceAt: worst.sinceAt, reason: worst.reason } : null;
}

/** picture null: it could not be made. */
export type Look = { picture: Picture | null; trouble: Trouble | null };

/** Sites, areas and lines in use where the actor may. `look` gives the picture of a line. */
export async function plantSummary(db: Db, scope: Scope, look: (lineId: number) => Promise<Look>): Promise<SiteSummary[]> {
  const rows = await lineRows(db, scope);
  const looks = await Promise.all(rows.map((row) => look(row.lineId)));
  const sites: SiteSummary[] = [];
  for (const [index, row] of rows.entries()) {
    const site = sites.find((s) => s.key === row.siteKey) ?? { key: row.siteKey, name: row.siteName, zone: row.zone, areas: [] };
    if (!sites.includes(site)) sites.push(site);
    const area = site.areas.find((a) => a.name === row.areaName) ?? { name: row.areaName, lines: [] };
    if (!site.areas.includes(area)) site.areas.push(area);
    area.lines.push(summaryOf(row, looks[index] ?? { picture: null, trouble: null }));
  }
  return sites;
}

const summaryOf = (row: LineRow, { picture, trouble }: Look): LineSummary => ({
  address: `${row.siteKey}/${row.areaKey}/${row.lineKey}`,
  name: row.lineName,
  machines: picture?.tiles.map(({ name, kind }) => ({ name, kind })) ?? [],
  made: picture?.output.made ?? null,
  expected: picture?.output.expected ?? null,
  shift: picture?.shift?.name ?? null,
  worst: picture ? worstOf(picture.tiles) : null,
  trouble,
});

/**
 * What can be signed. A kind says how the present content of one of its objects is written as text: the same content must give the same text, since a
 * signature holds for these bytes and no others. Later kinds (a report, a work order) are further lines of `kinds`.
 */
import type { Db } from "#/server/db.ts";
import { Refusal } from "#/server/errors.ts";
import { siteText } from "#/server/plant/export.ts";

/** content: reads the text. version: moves on with every change of it, so that it need not be read again while it stands. */
export type Signable = { siteId: number | null; name: string; version: string; content(): Promise<string> };
/** The object as it is now; null: there is none. */
type Read = (tx: Db, id: string) => Promise<Signable | null>;

async function textOf(tx: Db, siteKey: string): Promise<string> {
  const text = await siteText(tx, siteKey);
  if (text === null) throw new Refusal("NOT_FOUND", "This site has no configuration that could be signed."); // retired in between
  return text;
}

const kinds = {
  /** The plant of one site as the plant file has it: lines, machines, signals, rates, shifts, reasons. id: the site's. */
  site_configuration: async (tx, id) => {
    const [site] = await tx.rows<{ id: number; key: string; name: string; version: string }>(
      "-- signatures.site\nselect s.id, s.key, s.name, r.revision::text as version from site s, plant_revision r where s.id = $1 and s.retired_at is null",
      [Number(id)],
    );
    if (!site) return null;
    return { siteId: site.id, name: site.name, version: site.version, content: () => textOf(tx, site.key) };
  },
} as const satisfies Record<string, Read>;

export type SignableKind = keyof typeof kinds;
export const signableKinds = Object.keys(kinds) as [SignableKind, ...SignableKind[]];

export const readSignable = (tx: Db, kind: SignableKind, id: string): Promise<Signable | null> => kinds[kind](tx, id);

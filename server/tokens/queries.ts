/** SQL of the tokens. Instants come as ms since 1970. */
import type { Db } from "#/server/db.ts";
import type { Action, Scope } from "#/server/domain/permission.ts";
import { sitesIn } from "#/server/scope.ts";

const ms = (column: string) => `(extract(epoch from ${column}) * 1000)::float8`;

/** A token that is good as far as it itself goes. */
export type GoodToken = { id: number; name: string; ownerId: string; allSites: boolean; siteIds: number[]; actions: Action[]; usedAt: number | null };

export async function goodToken(db: Db, hash: Buffer, now: Date): Promise<GoodToken | null> {
  const [row] = await db.rows<GoodToken>(
    `-- tokens.goodToken
    select t.id, t.name, t.owner_id as "ownerId", t.all_sites as "allSites", t.site_ids as "siteIds", t.actions, ${ms("u.at")} as "usedAt"
    from api_token t left join api_token_use u on u.token_id = t.id
    where t.hash = $1 and t.revoked_at is null and t.expires_at > $2`,
    [hash, now],
  );
  return row ?? null;
}

/** At most once a minute, whoever asks meanwhile. */
export const noteUse = (db: Db, id: number, at: Date, address: string | null) =>
  db.rows(
    `-- tokens.noteUse
    insert into api_token_use as u (token_id, at, address) values ($1, $2, $3)
    on conflict (token_id) do update set at = excluded.at, address = excluded.address where u.at <= excluded.at - interval '1 minute'`,
    [id, at, address],
  );

export type TokenRow = {
  id: number;
  name: string;
  ownerId: string;
  ownerName: string;
  isOwnerDisabled: boolean;
  allSites: boolean;
  siteIds: number[];
  actions: Action[];
  createdAt: number;
  expiresAt: number;
  revokedAt: number | null;
  usedAt: number | null;
  usedFrom: string | null;
};

const tokenSql = `
    select t.id, t.name, t.owner_id as "ownerId", p.name as "ownerName", p.disabled_at is not null as "isOwnerDisabled", t.all_sites as "allSites", t.site_ids as "siteIds",
      t.actions, ${ms("t.created_at")} as "createdAt", ${ms("t.expires_at")} as "expiresAt", ${ms("t.revoked_at")} as "revokedAt", ${ms("u.at")} as "usedAt", u.address as "usedFrom"
    from api_token t join person p on p.id = t.owner_id left join api_token_use u on u.token_id = t.id`;

/** Tokens that reach one of the sites; those that are over for more than 90 days are left out. */
export const tokenRows = (db: Db, scope: Scope) =>
  db.rows<TokenRow>(
    `-- tokens.tokenRows${tokenSql}
    where ($1::int[] is null or t.all_sites or t.site_ids && $1) and least(coalesce(t.revoked_at, t.expires_at), t.expires_at) > now() - interval '90 days'
    order by coalesce(t.revoked_at, t.expires_at) <= now(), t.name, t.id`,
    [sitesIn(scope)],
  );

export async function tokenRow(db: Db, id: number): Promise<TokenRow | null> {
  const [row] = await db.rows<TokenRow>(`-- tokens.tokenRow${tokenSql} where t.id = $1`, [id]);
  return row ?? null;
}

export type SiteRow = { id: number; name: string };

/** Sites in use among these, by name. */
export const sitesOf = (db: Db, scope: Scope) =>
  db.rows<SiteRow>("-- tokens.sitesOf\n select id, name from site where retired_at is null and ($1::int[] is null or id = any($1)) order by name, id", [
    sitesIn(scope),
  ]);

export type NewTokenRow = {
  name: string;
  hash: Buffer;
  ownerId: string;
  allSites: boolean;
  siteIds: readonly number[];
  actions: readonly Action[];
  at: Date;
  expiresAt: Date;
};

export async function insertToken(tx: Db, token: NewTokenRow): Promise<number> {
  const [row] = await tx.rows<{ id: number }>(
    `-- tokens.insertToken
    insert into api_token (name, hash, owner_id, all_sites, site_ids, actions, created_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8) returning id`,
    [token.name, token.hash, token.ownerId, token.allSites, token.siteIds, token.actions, token.at, token.expiresAt],
  );
  if (!row) throw new Error("insert into api_token returned nothing");
  return row.id;
}

export const revokeToken = (tx: Db, id: number, at: Date) =>
  tx.rows("-- tokens.revokeToken\n update api_token set revoked_at = $2, version = version + 1 where id = $1 and revoked_at is null", [id, at]);

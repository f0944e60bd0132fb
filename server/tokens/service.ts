/** Tokens by which other programs ask. */
import { type Changing, change } from "#/server/audit/change.ts";
import { type Db, db } from "#/server/db.ts";
import { isLookAlike, lookAlikeSentence } from "#/server/domain/naming.ts";
import { type Action, type Actor, mayAt, scopeOf, whyMayNot } from "#/server/domain/permission.ts";
import { actionWords } from "#/server/domain/permission-words.ts";
import { grantsWithin, holdsAt, tokenActions } from "#/server/domain/token.ts";
import { type FieldFault, Refusal } from "#/server/errors.ts";
import { addressOf } from "#/server/identity/address.ts";
import type { Permitted } from "#/server/identity/permit.ts";
import { logFault } from "#/server/log.ts";
import { grantsOf } from "#/server/people/service.ts";
import { goodToken, insertToken, noteUse, revokeToken, sitesOf, type TokenRow, tokenRow, tokenRows } from "./queries.ts";
import { bearerIn, hashOfToken, makeToken } from "./secret.ts";

type TokenActor = Extract<Actor, { kind: "token" }>;

const useEveryMs = 60_000;

/**
 * The token of the request's Authorization header, with what its owner holds at this moment, cut down to the token's sites. null: none, mistyped, unknown,
 * revoked, expired, or its owner may no longer sign in.
 */
export async function tokenActor(headers: Headers, now = new Date()): Promise<TokenActor | null> {
  const given = bearerIn(headers);
  const hash = given === null ? null : hashOfToken(given);
  const token = hash && (await goodToken(db, hash, now));
  if (!token) return null;
  const grants = await grantsOf(token.ownerId);
  if (grants === null) return null;
  if (token.usedAt === null || token.usedAt <= now.getTime() - useEveryMs) {
    // What was asked is answered also where this cannot be written down.
    await noteUse(db, token.id, now, addressOf(headers)).catch((error: unknown) => logFault(error, "the use of a token could not be written down"));
  }
  return {
    kind: "token",
    id: String(token.id),
    name: token.name,
    grants: grantsWithin(grants, token.allSites ? "all" : token.siteIds),
    only: token.actions.filter((action) => tokenActions.includes(action)),
  };
}

/** A token as people see it. sites: those of them that whoever looks may see; others: how many more it has. */
export type ListedToken = Omit<TokenRow, "siteIds"> & {
  sites: string[];
  others: number;
  /** Some of its actions at some of its sites its owner may no longer do. */
  isNarrowed: boolean;
  /** Whether whoever looks may revoke it. */
  mayRevoke: boolean;
};

export async function listTokens(ctx: Permitted<{ db: Db; actor: Actor }>): Promise<ListedToken[]> {
  const [rows, sites] = await Promise.all([tokenRows(ctx.db, ctx.scope), sitesOf(ctx.db, ctx.scope)]);
  const owners = new Map(await Promise.all([...new Set(rows.map((row) => row.ownerId))].map(async (id) => [id, await grantsOf(id)] as const)));
  return rows.map((row) => {
    const { siteIds, ...shown } = row;
    const known = sites.filter(({ id }) => siteIds.includes(id));
    const held = owners.get(row.ownerId) ?? [];
    const owner: Actor = { kind: "token", id: String(row.id), name: row.name, grants: held, only: row.actions };
    const isNarrowed = !row.actions.every((action) => holdsAt(owner, action, row.allSites ? "all" : siteIds));
    return {
      ...shown,
      sites: known.map(({ name }) => name),
      others: siteIds.length - known.length,
      isNarrowed,
      mayRevoke: whyNotRevoke(ctx.actor, row) === null,
    };
  });
}

/** What whoever makes a token may give it: of each site, which actions. */
export type TokenChoices = {
  sites: { id: number; name: string; actions: Action[] }[] /** For a token at all sites; empty: whoever asks holds nothing there. */;
  everywhere: Action[];
};

export async function tokenChoices(ctx: Permitted<{ db: Db; actor: Actor }>): Promise<TokenChoices> {
  const sites = await sitesOf(ctx.db, ctx.scope);
  const { actor } = ctx;
  return {
    sites: sites.map(({ id, name }) => ({ id, name, actions: tokenActions.filter((action) => holdsAt(actor, action, [id])) })),
    everywhere: ctx.scope.sites === "all" ? tokenActions.filter((action) => holdsAt(actor, action, "all")) : [],
  };
}

export type TokenWish = { name: string; sites: "all" | readonly number[]; actions: readonly Action[]; days: number };

const dayMs = 24 * 3_600_000;

/** The new token is given once and kept nowhere. @throws Refusal INVALID with the fields by which it would do more than its maker may; FORBIDDEN */
export async function createToken(ctx: Permitted<Changing & { db: Db }>, wish: TokenWish): Promise<{ id: number; token: string }> {
  const { actor } = ctx;
  if (actor.kind !== "person") throw new Refusal("FORBIDDEN", "Only a person makes tokens.");
  const { sites } = wish;
  if (sites === "all" && ctx.scope.sites !== "all")
    throw new Refusal("FORBIDDEN", whyMayNot(actor, "token.change") ?? "You may make tokens for your own sites only.");
  if (sites !== "all") for (const site of sites) ctx.need(site);
  const fields = faultsOf(actor, wish);
  if (fields.length > 0) throw new Refusal("INVALID", fields.map(({ sentence }) => sentence).join(" "), { fields });
  const { token, hash } = makeToken();
  const at = ctx.now();
  const id = await change(ctx, { action: "token.created" }, async (tx) => {
    if ((await tokenRows(tx, ctx.scope)).some(({ name, revokedAt }) => revokedAt === null && isLookAlike(name, wish.name)))
      throw new Refusal("INVALID", lookAlikeSentence, { fields: [{ path: "name", sentence: lookAlikeSentence }] });
    return insertToken(tx, {
      name: wish.name,
      hash,
      ownerId: actor.id,
      allSites: sites === "all",
      siteIds: sites === "all" ? [] : [...new Set(sites)],
      actions: [...new Set(wish.actions)],
      at,
      expiresAt: new Date(at.getTime() + wish.days * dayMs),
    });
  });
  return { id, token };
}

function faultsOf(actor: Actor, { sites, actions }: TokenWish): FieldFault[] {
  const never = actions.filter((action) => !tokenActions.includes(action));
  const beyond = actions.filter((action) => !never.includes(action) && !holdsAt(actor, action, sites));
  return [
    ...never.map((action) => ({ path: "actions", sentence: `No token can be given this: "${actionWords[action]}".` })),
    ...beyond.map((action) => ({ path: "actions", sentence: `You may not do this at all of these sites yourself: "${actionWords[action]}".` })),
  ];
}

/** Its owner always may; others need the right at all of its sites, or they would cut off another site's programs. */
function whyNotRevoke(actor: Actor, row: TokenRow): string | null {
  if (actor.kind === "person" && actor.id === row.ownerId) return null;
  const may = row.allSites ? scopeOf(actor, "token.change").sites === "all" : row.siteIds.every((site) => mayAt(actor, "token.change", site));
  return may ? null : `The token "${row.name}" is for other sites, too: ${row.ownerName} or an administrator of all of its sites can revoke it.`;
}

/** For good; once more does no harm. @throws Refusal NOT_FOUND where whoever asks may see none of its sites, FORBIDDEN */
export async function revoke(ctx: Permitted<Changing & { db: Db }>, id: number): Promise<void> {
  const row = await tokenRow(ctx.db, id);
  const sees = row !== null && (row.allSites || row.siteIds.some((site) => mayAt(ctx.actor, "token.read", site)));
  if (!sees) throw new Refusal("NOT_FOUND", `There is no token ${id}.`);
  const reason = whyNotRevoke(ctx.actor, row);
  if (reason !== null) throw new Refusal("FORBIDDEN", reason);
  await change(ctx, { action: "token.revoked" }, (tx) => revokeToken(tx, id, ctx.now()));
}

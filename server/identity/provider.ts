/** Signing in with an OpenID Connect provider of the plant's own: code flow with PKCE, tokens checked against the provider's keys, and who gets in. */
import { APIError } from "better-auth/api";
import { genericOAuth } from "better-auth/plugins/generic-oauth";
import type { Changing } from "#/server/audit/change.ts";
import { change } from "#/server/audit/change.ts";
import { db } from "#/server/db.ts";
import { log } from "#/server/log.ts";
import { identityEnv } from "./env.ts";
import { personName } from "./logins.ts";
import { membershipsOf, type ProviderMembership } from "./provider-memberships.ts";
import { asked } from "./store.ts";

export const providerId = "oidc";

/** The button's words; null: no provider is set up. */
export const providerName = (): string | null => (identityEnv().OIDC_ISSUER ? identityEnv().OIDC_NAME : null);

const patienceMs = 5_000;

const discoveryUrl = (): string => `${identityEnv().OIDC_ISSUER?.replace(/\/$/, "")}/.well-known/openid-configuration`;

type Discovery = { issuer?: string; userinfo_endpoint?: string };

/** What the provider says of itself; null where it cannot be reached or is another than the one that is meant. */
export async function discovery(): Promise<Discovery | null> {
  try {
    const answer = await fetch(discoveryUrl(), { signal: AbortSignal.timeout(patienceMs) });
    if (!answer.ok) throw new Error(`It answered ${answer.status}.`);
    const said: Discovery = await answer.json();
    if (said.issuer?.replace(/\/$/, "") !== identityEnv().OIDC_ISSUER?.replace(/\/$/, "")) throw new Error(`It calls itself ${said.issuer}.`);
    return said;
  } catch (error) {
    log().warn({ err: error, discovery: discoveryUrl() }, "the sign-in provider cannot be used at the moment");
    return null;
  }
}

/** The library's plugin for this provider. */
export function providerPlugin(said: Discovery) {
  const { OIDC_CLIENT_ID = "", OIDC_CLIENT_SECRET, OIDC_SCOPES } = identityEnv();
  return genericOAuth({
    config: [
      {
        providerId,
        name: providerName() ?? "",
        discoveryUrl: discoveryUrl(),
        clientId: OIDC_CLIENT_ID,
        clientSecret: OIDC_CLIENT_SECRET,
        scopes: OIDC_SCOPES.split(/\s+/),
        pkce: true,
        requireIdTokenVerification: true,
        disableProviderLogout: true, // signing out of Takt leaves the provider's own session alone
        getUserInfo: ({ idToken, accessToken }) => claimsOf(said, idToken, accessToken),
        mapProfileToUser: (claims) => {
          const email = typeof claims.email === "string" ? claims.email.toLowerCase() : undefined;
          return { email, emailVerified: claims.email_verified === true, name: nameIn(claims, email), image: undefined };
        },
      },
    ],
  });
}

function nameIn(claims: Record<string, unknown>, email: string | undefined): string {
  for (const said of [claims.name, claims.preferred_username, email]) {
    const read = typeof said === "string" ? personName.safeParse(said.slice(0, 100)) : null;
    if (read?.success) return read.data;
  }
  return "?";
}

/** The claims of the identity token, which the library has checked by now, and those of the user-info endpoint. */
async function claimsOf(said: Discovery, idToken: string | undefined, accessToken: string | undefined) {
  if (!idToken) return null;
  const claims: Record<string, unknown> = JSON.parse(Buffer.from(idToken.split(".")[1] ?? "", "base64url").toString());
  let all = claims;
  if (said.userinfo_endpoint && accessToken) {
    const answer = await fetch(said.userinfo_endpoint, { headers: { authorization: `Bearer ${accessToken}` }, signal: AbortSignal.timeout(patienceMs) });
    const more: Record<string, unknown> = answer.ok ? await answer.json() : {};
    if (more.sub === claims.sub) all = { ...more, ...claims }; // OpenID Connect Core 5.3.2: an answer about somebody else does not count
  }
  asked().claims = all;
  return { ...all, id: String(all.sub), emailVerified: all.email_verified === true } as never;
}

const strongMethods = ["mfa", "otp", "hwk", "swk", "sc", "fpt", "face", "iris"]; // RFC 8176

/** Whether the provider asked for a second factor: it says so (amr), or it is known to ask always. */
export function hasSecondFactor(claims: Record<string, unknown>): boolean {
  if (identityEnv().OIDC_SECOND_FACTOR === "provider") return true;
  return Array.isArray(claims.amr) && claims.amr.some((method) => strongMethods.includes(String(method)));
}

const given = (claims: Record<string, unknown>): ProviderMembership[] => membershipsOf(claims, identityEnv().OIDC_CLAIM, identityEnv().OIDC_MEMBERSHIPS);

/** Somebody whom Takt does not know comes in only with a claim that gives them something here. @throws APIError that ends at the sign-in page */
export async function admitStranger(): Promise<void> {
  const wanted = given(asked().claims ?? {});
  const sites = await db.rows<{ key: string }>("-- provider.sites\n select key from site where key = any($1)", [wanted.map(({ siteKey }) => siteKey)]);
  if (wanted.some(({ siteKey }) => siteKey === null || sites.some(({ key }) => key === siteKey))) return;
  throw new APIError("FORBIDDEN", { code: "stranger", message: "This account is not known here. Ask an administrator." });
}

/** The memberships that come from the provider follow its claim: at every sign-in they are what it says now. Those given in Takt stay. */
export async function followClaims(ctx: Changing, personId: string, claims: Record<string, unknown>): Promise<void> {
  if (identityEnv().OIDC_MEMBERSHIPS.length === 0) return;
  try {
    await follow(ctx, personId, given(claims));
  } catch (error) {
    // Without an administrator nobody could give the right back: they keep it until somebody else has it, too.
    if (!(error instanceof Error && "constraint" in error && error.constraint === "last_administrator")) throw error;
    log().warn({ personId }, "the sign-in provider takes the right from the last administrator; they keep it");
  }
}

async function follow(ctx: Changing, personId: string, wanted: readonly ProviderMembership[]): Promise<void> {
  await change(ctx, { action: "person.memberships_from_provider" }, async (tx) => {
    const rows = [wanted.map(({ role }) => role), wanted.map(({ siteKey }) => siteKey)];
    await tx.rows(
      `-- provider.take
       delete from membership m where m.person_id = $1 and m.from_provider and not exists (
         select from unnest($2::text[], $3::text[]) as w(role, site_key) left join site s on s.key = w.site_key
         where w.role = m.role and s.id is not distinct from m.site_id and (w.site_key is null or s.id is not null))`,
      [personId, ...rows],
    );
    await tx.rows(
      `-- provider.give
       insert into membership (person_id, role, site_id, from_provider)
       select distinct $1::uuid, w.role, s.id, true from unnest($2::text[], $3::text[]) as w(role, site_key) left join site s on s.key = w.site_key
       where w.site_key is null or s.id is not null on conflict do nothing`,
      [personId, ...rows],
    );
  });
}

/** Deliberately read anew: a person who was disabled meanwhile comes in by no way. */
export async function isDisabled(personId: string): Promise<boolean> {
  const [row] = await db.rows<{ isDisabled: boolean }>('-- provider.disabled\n select disabled_at is not null as "isDisabled" from person where id = $1', [
    personId,
  ]);
  return row?.isDisabled ?? true;
}

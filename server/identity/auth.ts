/** The identity library (better-auth), set up for Takt: whose tables, which cookies, which ways in. What of it can be reached from outside is in handler.ts. */
import { betterAuth } from "better-auth";
import { APIError } from "better-auth/api";
import { twoFactor } from "better-auth/plugins/two-factor";
import { log } from "#/server/log.ts";
import { terminalPlugin } from "#/server/terminals/endpoints.ts";
import { identityEnv, isSecure, publicUrl } from "./env.ts";
import { endFormerWays, noteProviderFactor } from "./first-link.ts";
import { linkPlugin } from "./link-endpoints.ts";
import { hashOfPassword, isPassword } from "./passwords.ts";
import { admitStranger, discovery, followClaims, hasSecondFactor, isDisabled, providerId, providerName, providerPlugin } from "./provider.ts";
import { cookiePrefix, sessionLimits } from "./session.ts";
import { signInPlugin } from "./sign-in.ts";
import { asked, library } from "./store.ts";
import { personally } from "./trail.ts";

export const basePath = "/api/auth";

function build(providers: ReturnType<typeof providerPlugin>[]) {
  return betterAuth({
    appName: "Takt",
    baseURL: publicUrl(),
    basePath,
    secret: identityEnv().AUTH_SECRET,
    database: { db: library() as never, type: "postgres", transaction: false },
    telemetry: { enabled: false },
    rateLimit: { enabled: false }, // tries.ts: limits that lock nobody else out
    logger: { level: "warn", log: (level, message) => log()[level === "debug" ? "debug" : level]({ of: "identity library" }, message) },
    onAPIError: { throw: true, errorURL: `${publicUrl()}/sign-in` },
    // Where PUBLIC_URL is not set, Takt is asked under several names (localhost, an address): a page's own origin is right then. handler.ts has compared the two.
    trustedOrigins: (request) => (request ? [request.headers.get("origin")] : []),
    user: { modelName: "person", fields: { emailVerified: "email_verified", createdAt: "created_at", updatedAt: "updated_at" } },
    session: {
      modelName: "session",
      fields: {
        userId: "person_id",
        expiresAt: "expires_at",
        ipAddress: "ip_address",
        userAgent: "user_agent",
        createdAt: "created_at",
        updatedAt: "updated_at",
      },
      additionalFields: {
        idleS: { type: "number", fieldName: "idle_s", required: false, input: false },
        method: { type: "string", required: false, input: false },
        secondFactor: { type: "boolean", fieldName: "second_factor", required: false, input: false },
        terminalId: { type: "number", fieldName: "terminal_id", required: false, input: false },
      },
      expiresIn: sessionLimits.kept.absoluteS,
      disableSessionRefresh: true, // the absolute limit stays where it was set; idle time is counted in seen_at
      freshAge: 0,
    },
    account: {
      fields: {
        userId: "person_id",
        providerId: "provider_id",
        accountId: "account_id",
        accessToken: "access_token",
        refreshToken: "refresh_token",
        idToken: "id_token",
        accessTokenExpiresAt: "access_token_expires_at",
        refreshTokenExpiresAt: "refresh_token_expires_at",
        createdAt: "created_at",
        updatedAt: "updated_at",
      },
      updateAccountOnSignIn: false,
      // People's addresses are entered by administrators, so the provider's word that the address is theirs is enough; and ends all that was made before it.
      accountLinking: { enabled: true, requireLocalEmailVerified: false },
    },
    verification: {
      fields: { expiresAt: "expires_at", createdAt: "created_at", updatedAt: "updated_at" },
      storeIdentifier: "hashed",
    },
    emailAndPassword: { enabled: false, password: { hash: hashOfPassword, verify: ({ hash, password }) => isPassword(hash, password) } },
    advanced: {
      cookiePrefix,
      useSecureCookies: isSecure(),
      database: { generateId: "uuid" },
      ipAddress: { disableIpTracking: true },
      disableOriginCheck: false, // said, since under test the library would leave both out
      disableCSRFCheck: false,
    },
    databaseHooks: {
      user: {
        create: {
          before: () => admitStranger(),
        },
      },
      account: {
        create: {
          before: async (account) => {
            const by = { ...asked(), actor: personally({ id: account.userId, name: String(asked().claims?.name ?? "") }) };
            if (account.providerId !== "credential") await endFormerWays(by, account.userId);
            return { data: { ...account, accessToken: null, refreshToken: null, idToken: null, accessTokenExpiresAt: null, scope: null } };
          },
        },
      },
      session: {
        create: {
          before: async (session, context) => {
            const request = asked();
            if (await isDisabled(session.userId))
              throw new APIError("FORBIDDEN", { code: "disabled", message: "This account is switched off. Ask an administrator." });
            const from = { ipAddress: request.from.address, userAgent: request.from.userAgent };
            const path = context?.path ?? "";
            if (path.startsWith("/two-factor/")) {
              // Setting it up or switching it off puts another session in the place of the present one, which ends when that would have.
              const present = context?.context.session?.session;
              const limits = present ? { expiresAt: present.expiresAt } : keptOrNot(session.expiresAt, request.now());
              return { data: { ...session, ...from, ...limits, secondFactor: path !== "/two-factor/disable" } };
            }
            if (path !== "/callback/:id") return { data: { ...session, ...from } };
            const claims = request.claims ?? {};
            const by = { ...request, actor: personally({ id: session.userId, name: String(claims.name ?? "") }) };
            await followClaims(by, session.userId, claims);
            await noteProviderFactor(by, session.userId, providerId, hasSecondFactor(claims));
            const { absoluteS, idleS } = sessionLimits.usual;
            const expiresAt = new Date(request.now().getTime() + absoluteS * 1000);
            return { data: { ...session, ...from, expiresAt, idleS, method: "provider", secondFactor: hasSecondFactor(claims) } };
          },
        },
      },
    },
    plugins: [
      twoFactor({
        issuer: "Takt",
        accountLockout: { enabled: false }, // tries.ts counts codes, and lets known browsers through
        backupCodeOptions: { amount: 10, length: 10, storeBackupCodes: "encrypted" },
        schema: {
          user: { fields: { twoFactorEnabled: "two_factor_enabled" } },
          twoFactor: {
            modelName: "two_factor",
            fields: { userId: "person_id", backupCodes: "backup_codes", failedVerificationCount: "failed_verification_count", lockedUntil: "locked_until" },
          },
        },
      }),
      ...providers,
      linkPlugin,
      terminalPlugin,
      signInPlugin, // last: its steps after signing in come after the second factor's
    ],
  });
}

/** After the code of the second factor the library knows only how long the cookie is to last. */
function keptOrNot(expiresAt: Date, now: Date) {
  const isKept = expiresAt.getTime() - now.getTime() > 2 * sessionLimits.usual.absoluteS * 1000;
  return { method: "password", idleS: (isKept ? sessionLimits.kept : sessionLimits.usual).idleS };
}

export type Auth = ReturnType<typeof build>;

// Next bundles routes apart: one for the process.
const shared = globalThis as typeof globalThis & { taktAuth?: { auth: Auth; hasProvider: boolean; triedAt: number } };
const tryProviderAgainMs = 15_000;

/** A provider that could not be reached at the start is asked again, and signing in with a password goes on meanwhile. */
export async function auth(): Promise<{ auth: Auth; hasProvider: boolean }> {
  const kept = shared.taktAuth;
  if (kept && (kept.hasProvider || providerName() === null || Date.now() - kept.triedAt < tryProviderAgainMs)) return kept;
  const said = providerName() === null ? null : await discovery();
  const made = kept && !said ? kept.auth : build(said ? [providerPlugin(said)] : []);
  shared.taktAuth = { auth: made, hasProvider: said !== null, triedAt: Date.now() };
  return shared.taktAuth;
}

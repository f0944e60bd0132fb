/** What signing in needs of the environment, checked once. README.md has the table. Apart from server/env.ts: commands that sign nobody in run without a secret. */
import { readFileSync } from "node:fs";
import { BlockList, isIP } from "node:net";
import { z } from "zod";
import { withSecretFiles } from "#/server/domain/secret-file.ts";
import { type ProviderMembership, readMemberships } from "./provider-memberships.ts";

/** Below 256 bits of letters and digits a secret could be guessed from what it signs. */
const leastSecretLength = 32;

const origin = z
  .string()
  .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).pathname === "/" && !new URL(text).search, {
    error: "must be the address at which browsers reach Takt, for example https://takt.example.com, with no path",
  })
  .transform((text) => new URL(text).origin);

const proxies = z.string().transform((text, context) => {
  const list = new BlockList();
  for (const part of text.split(",").map((entry) => entry.trim())) {
    if (part === "") continue;
    const [address = "", bits] = part.split("/");
    const family = isIP(address);
    const prefix = bits === undefined ? (family === 6 ? 128 : 32) : Number(bits);
    if (family === 0 || !Number.isInteger(prefix) || prefix < 0 || prefix > (family === 6 ? 128 : 32)) {
      context.addIssue({ code: "custom", message: "must be addresses or networks with commas between them, for example 10.0.0.5, 10.1.0.0/16" });
      return z.NEVER;
    }
    list.addSubnet(address, prefix, family === 6 ? "ipv6" : "ipv4");
  }
  return list;
});

const memberships = z.string().transform((text, context): readonly ProviderMembership[] => {
  const read = readMemberships(text);
  if (typeof read !== "string") return read;
  context.addIssue({ code: "custom", message: read });
  return z.NEVER;
});

const schema = z
  .object({
    AUTH_SECRET: z
      .string({ error: "is missing: set it (or AUTH_SECRET_FILE) to a random text that stays the same, for example the output of: openssl rand -base64 32" })
      .min(leastSecretLength, { error: `must have at least ${leastSecretLength} characters, for example the output of: openssl rand -base64 32` }),
    PUBLIC_URL: origin.optional(),
    PORT: z.string().optional(),
    TRUSTED_PROXIES: proxies.optional(),
    SMTP_URL: z
      .string()
      .regex(/^smtps?:\/\/\S+$/, { error: "must begin with smtp:// or smtps://, for example smtps://user:password@mail.example.com" })
      .optional(),
    MAIL_FROM: z.string().optional(),
    OIDC_ISSUER: z.url({ protocol: /^https?$/, error: "must be the provider's issuer address, for example https://login.example.com/realms/plant" }).optional(),
    OIDC_CLIENT_ID: z.string().optional(),
    OIDC_CLIENT_SECRET: z.string().optional(),
    OIDC_NAME: z.string().max(40, { error: "must have at most 40 characters: it stands on a button" }).default("single sign-on"),
    OIDC_SCOPES: z.string().default("openid profile email"),
    OIDC_CLAIM: z.string().default("groups"),
    OIDC_MEMBERSHIPS: memberships.default([]),
    OIDC_SECOND_FACTOR: z.enum(["provider", "claim"], { error: "must be provider or claim" }).default("claim"),
  })
  .superRefine((env, context) => {
    const wrong = (name: string, message: string) => context.addIssue({ code: "custom", path: [name], message });
    if (env.OIDC_ISSUER && !env.OIDC_CLIENT_ID) wrong("OIDC_CLIENT_ID", "is missing: OIDC_ISSUER is set, and the provider knows Takt by this");
    if (env.OIDC_ISSUER && !env.PUBLIC_URL) wrong("PUBLIC_URL", "is missing: the provider (OIDC_ISSUER) sends people back to it");
    if (env.SMTP_URL && !env.PUBLIC_URL) wrong("PUBLIC_URL", "is missing: the links in mails (SMTP_URL) begin with it");
  });

export type IdentityEnv = z.infer<typeof schema>;

type Variables = Record<string, string | undefined>;
const filled = (variables: Variables) => withSecretFiles(variables, ["AUTH_SECRET", "SMTP_URL", "OIDC_CLIENT_SECRET"], (path) => readFileSync(path, "utf8"));

/** One line per wrong variable, as in server/env.ts. Values are never printed. */
export function whatIsWrong(variables: Variables): string[] {
  const { present, wrong } = filled(variables);
  const parsed = schema.safeParse(present);
  return wrong.length > 0 || parsed.success ? wrong : parsed.error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`);
}

let checked: IdentityEnv | undefined;

/** @throws Error that names each wrong variable; `instrumentation.ts` has already ended the process with the same lines by then */
export function identityEnv(): IdentityEnv {
  if (checked) return checked;
  const wrong = whatIsWrong(process.env);
  if (wrong.length > 0) throw new Error(wrong.join("\n"));
  checked = schema.parse(filled(process.env).present);
  return checked;
}

/** Where browsers reach Takt: what links begin with. */
export const publicUrl = (): string => identityEnv().PUBLIC_URL ?? `http://localhost:${identityEnv().PORT ?? 3000}`;

/** Behind TLS: cookies are for it alone. */
export const isSecure = (): boolean => publicUrl().startsWith("https://");

/**
 * A token: `takt_` (so that people and scanners of secrets know what they found), 256 random bits, and a checksum that refuses what was mistyped or cut off
 * without asking the database.
 */
import { crc32 } from "node:zlib";
import { hashOfSecret, newSecret } from "#/server/identity/secrets.ts";

const shape = /^takt_([A-Za-z0-9_-]{43})([0-9a-f]{8})$/;
const checksum = (secret: string) => crc32(secret).toString(16).padStart(8, "0");

export function makeToken(): { token: string; hash: Buffer } {
  const secret = newSecret();
  return { token: `takt_${secret}${checksum(secret)}`, hash: hashOfSecret(secret) };
}

/** What is stored of the token; null: it is none. */
export function hashOfToken(token: string): Buffer | null {
  const [, secret, sum] = shape.exec(token) ?? [];
  return secret && sum === checksum(secret) ? hashOfSecret(secret) : null;
}

/** The token in `Authorization: Bearer ...`; null where there is none. */
export function bearerIn(headers: Headers): string | null {
  const [, token] = /^bearer +(\S+)$/i.exec(headers.get("authorization")?.trim() ?? "") ?? [];
  return token ?? null;
}

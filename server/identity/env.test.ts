import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { whatIsWrong } from "./env.ts";

const folder = mkdtempSync(join(tmpdir(), "takt-env-"));
afterAll(() => rmSync(folder, { recursive: true }));
const secret = "0123456789abcdefghijklmnopqrstuvwxyz";
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

describe("whatIsWrong", () => {
  it("finds nothing wrong with a secret alone, from the environment or from a file", () => {
    expect(whatIsWrong({ AUTH_SECRET: secret })).toEqual([]);
    expect(whatIsWrong({ AUTH_SECRET_FILE: file("secret", `${secret}\n`), SMTP_URL: " " })).toEqual([]);
  });
  it("says in one line what is missing, and how to make it", () => {
    expect(whatIsWrong({})).toEqual([expect.stringMatching(/^AUTH_SECRET is missing: .*openssl rand/)]);
  });
  it.each([
    [{ AUTH_SECRET: "short" }, /^AUTH_SECRET must have at least 32/],
    [{ AUTH_SECRET: secret, AUTH_SECRET_FILE: "x" }, /both set/],
    [{ AUTH_SECRET_FILE: "/no/such/file" }, /^AUTH_SECRET_FILE names a file that cannot be read \(ENOENT\)/],
    [{ AUTH_SECRET_FILE: file("empty", "\n") }, /^AUTH_SECRET_FILE names a file that is empty/],
    [{ AUTH_SECRET: secret, PUBLIC_URL: "takt.example.com" }, /^PUBLIC_URL must be the address/],
    [{ AUTH_SECRET: secret, PUBLIC_URL: "https://takt.example.com/takt" }, /^PUBLIC_URL must be the address/],
    [{ AUTH_SECRET: secret, PUBLIC_URL: "javascript:alert(1)" }, /^PUBLIC_URL must be the address/],
    [{ AUTH_SECRET: secret, TRUSTED_PROXIES: "10.0.0.0/33" }, /^TRUSTED_PROXIES must be addresses/],
    [{ AUTH_SECRET: secret, TRUSTED_PROXIES: "proxy.example.com" }, /^TRUSTED_PROXIES must be addresses/],
    [{ AUTH_SECRET: secret, PUBLIC_URL: "https://takt", SMTP_URL: "http://mail" }, /^SMTP_URL must begin with smtp/],
    [{ AUTH_SECRET: secret, SMTP_URL: "smtp://mail" }, /^PUBLIC_URL is missing/],
    [{ AUTH_SECRET: secret, OIDC_ISSUER: "https://login", PUBLIC_URL: "https://takt" }, /^OIDC_CLIENT_ID is missing/],
    [{ AUTH_SECRET: secret, OIDC_ISSUER: "login", OIDC_CLIENT_ID: "x", PUBLIC_URL: "https://takt" }, /^OIDC_ISSUER must be/],
    [{ AUTH_SECRET: secret, OIDC_MEMBERSHIPS: "a=boss@*" }, /^OIDC_MEMBERSHIPS names the role "boss"/],
  ])("%j: %s", (variables, line) => {
    expect(whatIsWrong(variables)).toEqual([expect.stringMatching(line)]);
  });
  it("prints no value of a secret", () => {
    expect(whatIsWrong({ AUTH_SECRET: "tiny-secret", SMTP_URL: "http://user:hush@mail" }).join()).not.toMatch(/tiny-secret|hush/);
  });
});

import { describe, expect, it } from "vitest";

process.env.AUTH_SECRET = "a secret of the tests, long enough to be one";
process.env.PUBLIC_URL = "https://takt.example";
const { hashOfLink, linkCookieOf, makeLink, tokenIn } = await import("./link.ts");

describe("a display's link", () => {
  it("leads to what is stored of it, and is stored nowhere itself", () => {
    const { token, hash } = makeLink();
    expect(hashOfLink(token)).toEqual(hash);
    expect(hash.toString("base64url")).not.toContain(token.slice(0, 10));
    expect(makeLink().token).not.toBe(token);
  });

  it("that Takt did not make leads nowhere", () => {
    const [secret = "", signature = ""] = makeLink().token.split(".");
    const [other = "", another = ""] = makeLink().token.split(".");
    const flipped = (text: string) => `${text.startsWith("A") ? "B" : "A"}${text.slice(1)}`;
    for (const forged of [
      `${other}.${signature}`,
      `${secret}.${another}`,
      `${flipped(secret)}.${signature}`,
      `${secret}.${flipped(signature)}`,
      ...[..."ABCDEFGHIJKLMNOPQRSTUVWXYZ0189-_"].filter((last) => !signature.endsWith(last)).map((last) => `${secret}.${signature.slice(0, -1)}${last}`),
      secret,
      `${secret}.`,
      `.${signature}`,
      `${secret}.${signature}.`,
      `${secret}.${signature}\n`,
      "",
      "../../etc/passwd",
      "x".repeat(100_000),
      "🙂".repeat(33),
    ])
      expect(hashOfLink(forged), forged.slice(0, 80)).toBeNull();
  });

  it("becomes a cookie that no script reads, that comes below /display only and over TLS only", () => {
    const { token } = makeLink();
    expect(linkCookieOf(token)).toMatch(/; Path=\/display; .*HttpOnly; SameSite=Lax; Secure$/);
    expect(tokenIn(new Headers({ cookie: `a=b; ${linkCookieOf(token).split(";")[0]}; c=d` }))).toBe(token);
    expect(tokenIn(new Headers({ cookie: "takt-displays=x" }))).toBeNull();
    expect(tokenIn(new Headers())).toBeNull();
  });
});

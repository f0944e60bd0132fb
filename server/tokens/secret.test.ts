import { describe, expect, it } from "vitest";
import { bearerIn, hashOfToken, makeToken } from "./secret.ts";

describe("a token", () => {
  it("leads to what is stored of it, and is stored nowhere itself", () => {
    const { token, hash } = makeToken();
    expect(token).toMatch(/^takt_[A-Za-z0-9_-]{51}$/);
    expect(hashOfToken(token)).toEqual(hash);
    expect(makeToken().token).not.toBe(token);
  });

  it("that was cut off, mistyped or made up is none, without asking the database", () => {
    const { token } = makeToken();
    const at = 20;
    const mistyped = `${token.slice(0, at)}${token[at] === "A" ? "B" : "A"}${token.slice(at + 1)}`;
    for (const wrong of [
      token.slice(0, -1),
      `${token}0`,
      mistyped,
      token.slice(5),
      token.toUpperCase(),
      `takt_${"A".repeat(51)}`,
      "",
      "🙂",
      "x".repeat(100_000),
    ])
      expect(hashOfToken(wrong), wrong.slice(0, 60)).toBeNull();
  });

  it("comes as Authorization: Bearer, and no other way", () => {
    const bearer = (authorization: string) => bearerIn(new Headers({ authorization }));
    expect([bearer("Bearer abc"), bearer("bearer   abc "), bearer("Basic abc"), bearer("Bearer"), bearer("Bearer a b"), bearer("abc")]).toEqual([
      "abc",
      "abc",
      null,
      null,
      null,
      null,
    ]);
    expect(bearerIn(new Headers())).toBeNull();
  });
});

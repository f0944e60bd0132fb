import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { cookieOf, hashOfPin, isPin, isSecretShaped, keyed, newPin, newSecret, whyNotPin } from "./secrets.ts";

beforeAll(() => {
  process.env.AUTH_SECRET = "a secret of the tests that is long enough";
});

describe("secrets", () => {
  it("are random, and shaped so that nothing else is looked up", () => {
    const many = Array.from({ length: 100 }, newSecret);
    expect(new Set(many).size).toBe(100);
    expect(many.every(isSecretShaped)).toBe(true);
    fc.assert(fc.property(fc.string(), (text) => isSecretShaped(text) === /^[\w-]{43}$/.test(text)));
  });
  it("keyed: another purpose or another split of the texts is another hash", () => {
    const face = (...texts: [string, ...string[]]) => keyed(...texts).toString("hex");
    expect(new Set([face("a", "b", "c"), face("a", "bc"), face("ab", "c"), face("a", "b", "c", ""), face("b", "a", "c")]).size).toBe(5);
  });
});

describe("a PIN", () => {
  it.each([
    ["4711", null],
    ["80246", null],
    ["31415926", null],
    ["471", "shape"],
    ["123456789", "shape"],
    ["47 11", "shape"],
    ["abcd", "shape"],
    ["", "shape"],
    ["٤٧١١", "shape"],
    ["1234", "easy"],
    ["87654321", "easy"],
    ["0000", "easy"],
    ["1212", "easy"],
    ["1984", "easy"],
    ["2026", "easy"],
  ])("%s: %s", (pin, why) => expect(whyNotPin(pin)).toBe(why));

  it("that Takt makes is none of the easy ones", () => {
    for (let n = 0; n < 500; n++) expect(whyNotPin(newPin())).toBeNull();
  });
  it("belongs to its person: the same digits of somebody else do not open", async () => {
    const hash = await hashOfPin("ann", "4711");
    expect(await isPin(hash, "ann", "4711")).toBe(true);
    expect(await isPin(hash, "eve", "4711")).toBe(false);
    expect(await isPin(hash, "ann", "4712")).toBe(false);
    expect(await isPin(null, "ann", "4711")).toBe(false);
  });
});

it("cookieOf finds a cookie by its whole name", () => {
  const headers = new Headers({ cookie: "a=1; takt.device=x=y; xtakt.device=z; broken" });
  expect(cookieOf(headers, "takt.device")).toBe("x=y");
  expect(cookieOf(headers, "device")).toBeNull();
  expect(cookieOf(new Headers(), "a")).toBeNull();
});

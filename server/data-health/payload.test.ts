import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hexDump, mostShownBytes, showPayload } from "./payload.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("showPayload", () => {
  it("shows JSON laid out, and says why something is none", () => {
    const good = showPayload(bytes('{"a":1}'), 7, null);
    expect(good).toMatchObject({ text: '{"a":1}', decoded: '{\n  "a": 1\n}', cut: false });
    expect(showPayload(bytes("{a"), 2, null)).toMatchObject({ decoded: null, text: "{a" });
    expect(showPayload(bytes("{a"), 2, null).why).toBeTruthy();
  });
  it("cuts what is long, also within a character", () => {
    const long = bytes("ä".repeat(mostShownBytes));
    const shown = showPayload(long.subarray(0, mostShownBytes + 1), long.length, null);
    expect(shown.cut).toBe(true);
    expect(shown.text?.length).toBe(mostShownBytes / 2);
    expect(shown.why).toContain("head");
  });
  it("never shows invisible or reordering characters as they are", () => {
    expect(showPayload(bytes("a\u0000b\u202ec\n"), 8, null).text).toBe("a\\u0000b\\u202ec\n");
  });
  it("takes any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (any) => {
        const shown = showPayload(any, any.length, null);
        expect(shown.shown).toBe(any.length);
        expect(hexDump(any).split("\n").filter(Boolean).length).toBe(Math.ceil(any.length / 16));
      }),
    );
  });
  it("prints 64-bit numbers of protobuf", () => {
    const shown = showPayload(bytes("x"), 1, () => ({ seq: { low: 1, high: 0, unsigned: true, toString: () => "1" } }));
    expect(shown.decoded).toBe('{\n  "seq": "1"\n}');
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isLookAlike, nameField, plainName, readingOf, whyNoName } from "./naming.ts";

const field = nameField(20, "Give it a name.");
const said = (typed: string) => {
  const read = field.safeParse(typed);
  return read.success ? [read.data] : read.error.issues.map(({ message }) => message)[0];
};

describe("a name", () => {
  it.each(["Press 1", "Ölpumpe 3 (alt)", "Amélie O'Neil", "王小明", "أحمد", "שרה", "قطعه‌ها", "Halle 🏭", "👩‍🏭", "№ 7", "a<b>&\"'", "..", "x"])(
    "takes %s",
    (name) => {
      expect(said(name)).toEqual([name.normalize("NFC")]);
    },
  );
  it.each(["", "   ", "\u200b", "\u00a0\u3000", "\u2800\u2800", "\u3164", "\u200d\u200c", "\u0301", "\ufe0f", "\u202e", "\t\n", "\u180e\u00ad"])(
    "needs something to be seen: %j",
    (name) => {
      expect(said(name)).toBe("Give it a name.");
    },
  );
  it.each(["a\u202eb", "a\u2066b", "a\u2069", "a\u0007b", "a\u0085b", "a\u200bb", "a\u2060b", "a\u00adb", "a\u0000", "a\ud800", "a\u{e0041}"])(
    "holds nothing that cannot be seen: %j",
    (name) => {
      expect(said(name)).toContain("cannot be seen");
    },
  );
  it("is kept composed, in one line, without spaces around it, and no longer than it may be", () => {
    expect(said("  Mu\u0308ller \n\t Anna  ")).toEqual(["Müller Anna"]);
    expect(said("x".repeat(21))).toBe("The name is at most 20 characters long.");
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 12 }), (typed) => {
        const name = plainName(typed);
        expect(plainName(name)).toBe(name);
        if (whyNoName(name) === null) expect(name.isWellFormed() && !name.includes("\u0000")).toBe(true);
      }),
    );
  });
});

describe("look-alikes", () => {
  it.each([
    ["Berlin", "Веrlin"],
    ["Amira", "Аmira"],
    ["Press 1", "Рrеss 1"],
    ["OEE", "ΟΕΕ"],
    ["Line 1", "Line\u00a01"],
    ["Line 1", "Ｌｉｎｅ　１"],
    ["Line", "Li\u200dne"],
    ["Line", "Line\u200f"],
    ["Café", "Cafе\u0301"],
  ])("%s and %s", (name, other) => {
    expect(isLookAlike(name, other)).toBe(true);
    expect(isLookAlike(other, name)).toBe(true);
  });
  it.each([
    ["Berlin", "Berlin"],
    ["Berlin", "berlin"],
    ["Müller", "Muller"],
    ["L1", "LI"],
    ["Мюнхен", "Munchen"],
    ["Цех 1", "Цех 2"],
    ["Cafe\u0301", "Café"],
  ])("not %s and %s", (name, other) => {
    expect(isLookAlike(name, other)).toBe(false);
  });
  it("every letter that is folded becomes one of Latin", () => {
    expect(readingOf("АВЕЅІЈКМНОРСТУХ аеѕіјорсухһ ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ αικνορυχ")).toMatch(/^[A-Za-z ]+$/);
  });
});

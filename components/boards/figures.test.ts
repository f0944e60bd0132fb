import fc from "fast-check";
import { createFormatter } from "next-intl";
import { describe, expect, it } from "vitest";
import { countForm, cycleForm, fullBar } from "./figures.ts";

const written = (locale: string, n: number) => createFormatter({ locale, timeZone: "UTC" }).number(Math.round(n), countForm(n));

describe("counts", () => {
  it("are written whole up to six digits, then in short", () => {
    const said = [0, 999_999, 1_000_000, 1_234_567, 99_950_000, 1_000_000_000_000, 9e17, -2_345_678].map((n) => [written("en", n), written("de", n)]);
    expect(said).toEqual([
      ["0", "0"],
      ["999,999", "999.999"],
      ["1M", "1\u00a0Mio."],
      ["1.23M", "1,23\u00a0Mio."],
      ["100M", "100\u00a0Mio."],
      ["1T", "1\u00a0Bio."],
      ["9E17", "9E17"],
      ["-2.35M", "-2,35\u00a0Mio."],
    ]);
  });

  it("never take more than nine letters and a sign", () => {
    const counts = fc.double({ min: 0, max: 1e300, noNaN: true });
    fc.assert(fc.property(counts, fc.constantFrom("en", "de"), (n, locale) => written(locale, n).length <= 9));
  });
});

it("seconds for a piece have fewer decimals the longer they are", () => {
  const format = createFormatter({ locale: "en", timeZone: "UTC" });
  expect([1.234, 12.34, 86_400.4, 12_345_678].map((s) => format.number(s, cycleForm(s)))).toEqual(["1.23", "12.3", "86,400", "12.3M"]);
});

describe("the bar of full height", () => {
  it("is the highest hour as long as that leaves the others to be seen", () => {
    expect(fullBar([100, 120, 250])).toBe(250);
    expect(fullBar([])).toBe(1);
    expect(fullBar([0, 0, 7])).toBe(7);
    expect(fullBar([1, 1_000])).toBe(1_000);
  });

  it("cuts one absurd hour off, and none where all are like it", () => {
    expect(fullBar([100, 120, 110, 1_000_000_000])).toBe(360);
    expect(fullBar([1, 1_000, 1_000])).toBe(1_000);
  });
});

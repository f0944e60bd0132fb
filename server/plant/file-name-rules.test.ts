import { describe, expect, it } from "vitest";
import { around, told } from "./file-testing.ts";

const areas = (...entries: string[]) => told(around(`areas:\n${entries.map((entry) => `  - ${entry}`).join("\n")}`)).map((said) => said.replace(/^.*?\| /, ""));

describe("keys and names that an eye cannot tell apart", () => {
  it("keys that differ by capitals alone, also those of sites", () => {
    expect(areas("{ key: hall }", "{ key: Hall }")).toEqual([
      'site berlin, area Hall: the areas "hall" and "Hall" differ by capitals alone; choose another key',
    ]);
    expect(told(`${around("areas: []")}\n  - { key: BERLIN, zone: UTC }`).map((said) => said.replace(/^.*?\| /, ""))).toEqual([
      'site BERLIN: the sites "berlin" and "BERLIN" differ by capitals alone; choose another key',
    ]);
  });
  it("names with letters of another script, or with what has no width", () => {
    const said = [expect.stringContaining("reads as that of another area and is written with other letters")];
    expect(areas("{ key: a, name: Berlin }", "{ key: b, name: Веrlin }")).toEqual(said);
    expect(areas("{ key: a, name: Line }", '{ key: b, name: "Li\\u200dne" }')).toEqual(said);
    expect(areas("{ key: a, name: Hall }", "{ key: b, name: Hall }", "{ key: c, name: HALL }", "{ key: d, name: Häll }")).toEqual([]);
  });
  it.each([
    ['"\\u200b"', "must have something in it that can be seen"],
    ['"\\u3164\\u2800"', "must have something in it that can be seen"],
    ['"Press\\u202e1"', "must not have characters that cannot be seen or that turn the text beside them"],
    ['"Press\\u200b1"', "must not have characters that cannot be seen or that turn the text beside them"],
    ['"Press\\a1"', "must not have line breaks, tabs, other control characters or halves of characters"],
  ])("%s is no name", (name, why) => {
    expect(areas(`{ key: a, name: ${name} }`)).toEqual([expect.stringContaining(why)]);
  });
});

import { expect, it } from "vitest";
import { notKept, whyNotKept } from "./kept-text.ts";

it("keeps what people write, line breaks, tabs and emoji among it", () => {
  for (const text of ["", "a\tb\nc", "Å🏭", "\u202eabc", "שלום", "<script>'; drop table"]) expect(whyNotKept(text)).toBeNull();
});

it("says where there is what no database keeps, also in names of fields, and looks at each thing once", () => {
  const round: Record<string, unknown> = {
    a: { why: "x\u0000y", ok: "ok" },
    list: ["fine", "\ud83d"],
    map: new Map([["k", "\udc00"]]),
    "b\u0000": 1,
    n: 1,
    no: null,
  };
  round.self = round;
  expect(notKept(round).map(({ path, sentence }) => [path, /NUL|half/.exec(sentence)?.[0]])).toEqual([
    ["a.why", "NUL"],
    ["list.1", "half"],
    ["map.k", "half"],
    ["", "NUL"],
  ]);
  expect(notKept("\u0000")).toHaveLength(1);
  expect(notKept(undefined)).toEqual([]);
  expect(notKept(new Uint8Array([0]))).toEqual([]);
});

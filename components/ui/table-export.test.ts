import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { csvOf, xlsxOf } from "./table-export.ts";

describe("a table as CSV", () => {
  it("is read back as it was, whatever the cells hold", () => {
    const safe = fc.string({ unit: "grapheme" }).filter((text) => !/^[=+\-@\t\r]/.test(text));
    fc.assert(
      fc.property(fc.array(fc.tuple(safe, safe), { minLength: 1 }), (rows) => {
        const read = parse(csvOf({ name: "t", header: ["a", "b"], rows }), { bom: true, relax_column_count: true });
        expect(read).toEqual([["a", "b"], ...rows]);
      }),
    );
  });

  it("lets no spreadsheet run a cell as a formula", () => {
    expect(csvOf({ name: "t", header: ["a"], rows: [['=HYPERLINK("http://x")'], ["+1"], ["@a"], ["-1"], [-1], [null]] })).toBe(
      '\uFEFFa\r\n"\'=HYPERLINK(""http://x"")"\r\n\'+1\r\n\'@a\r\n\'-1\r\n-1\r\n\r\n',
    );
  });
});

it("a table as XLSX is a zip with a sheet in it", async () => {
  const blob = await xlsxOf({
    name: "People: [all] / of a very long name indeed",
    header: ["a", "b"],
    rows: [
      ["x", 1],
      [null, 2],
    ],
  });
  const bytes = new Uint8Array(await blob.arrayBuffer());
  expect(String.fromCharCode(...bytes.slice(0, 2))).toBe("PK");
  expect(new TextDecoder("latin1").decode(bytes)).toContain("xl/worksheets/sheet1.xml");
});

import { describe, expect, it } from "vitest";
import writeExcelFile from "write-excel-file/universal";
import { sheetNames, sheets } from "./import-sheets.ts";
import { mostRows, numberIn, readTable, whyAmbiguous } from "./import-table.ts";
import { csvTemplate, xlsxTemplate } from "./import-template.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const cells = async (file: Uint8Array) => {
  const { header, rows } = await readTable(file);
  return [header, ...rows.map((row) => row.cells)];
};
const why = (file: Uint8Array) =>
  readTable(file).then(
    () => "read",
    (error: Error) => error.message,
  );

describe("what spreadsheets write", () => {
  const wanted = [
    ["key", "name"],
    ["m1", "Größe"],
    ["m2", null],
  ];
  it.each([
    ["commas", "key,name\r\nm1,Größe\r\nm2,\r\n"],
    ["semicolons and a byte order mark", "\uFEFFkey;name\r\nm1;Größe\r\nm2;"],
    ["tabs", "key\tname\nm1\tGröße\nm2\t\n"],
    ["empty lines before, between and after", "\n\nkey,name\n\nm1,Größe\n,\nm2,\n\n\n"],
    ["quotation marks", '"key","name"\n"m1","Größe"\n"m2",""\n'],
    ["columns without a title at the end", "key,name,,\nm1,Größe,,\nm2,,,\n"],
  ])("%s", async (_what, text) => {
    expect((await cells(bytes(text))).map((row) => row.slice(0, 2))).toEqual(wanted);
  });
  it("UTF-16 with its mark, and the old code page of western Europe", async () => {
    expect(await cells(new Uint8Array(Buffer.from("\uFEFFkey\tname\nm1\tGröße\nm2\t\n", "utf16le")))).toEqual(wanted);
    expect(await cells(new Uint8Array(Buffer.from("key;name\nm1;Größe\nm2;\n", "latin1")))).toEqual(wanted);
  });
  it("line breaks, delimiters and quotation marks inside of quoted cells; formulas that were made harmless", async () => {
    expect(await cells(bytes('key;name\n"a";"two\nlines; and ""more"""\n"b";\'=1+1\n'))).toEqual([
      ["key", "name"],
      ["a", 'two\nlines; and "more"'],
      ["b", "=1+1"],
    ]);
  });
  it("XLSX: numbers, days, times and yes as what they are", async () => {
    const day = new Date("2026-04-01T00:00:00Z");
    const sheet = [
      ["key", "seconds", "from", "keep_raw"].map((value) => ({ value })),
      [{ value: "007" }, { value: 4.2 }, { value: day, type: Date, format: "yyyy-mm-dd" }, { value: true, type: Boolean }],
    ];
    const file = await (await writeExcelFile(sheet as never, { sheet: "S" }).toBlob()).arrayBuffer();
    expect(await cells(new Uint8Array(file))).toEqual([
      ["key", "seconds", "from", "keep_raw"],
      ["007", 4.2, day, true],
    ]);
  });
  it("row numbers are the spreadsheet's", async () => {
    expect((await readTable(bytes("key\n\na\n\nb\n"))).rows.map(({ row }) => row)).toEqual([3, 5]);
  });
});

describe("numbers", () => {
  it.each([
    ["key;s\na;1,5\nb;2.000,25\n", ","],
    ["key;s\na;1.5\nb;2\n", "."],
    ["key,s\na,1.5\n", "."],
    ['key,s\na,"1,5"\n', ","],
    ["key;s\na;1,234\n", ","],
    ["key,s\na,1\n", "."],
  ])("%j has its decimals after %s", async (text, decimal) => {
    expect((await readTable(bytes(text))).decimal).toBe(decimal);
    expect(whyAmbiguous("1,234")).toBe('"1,234" may be 1234 or 1.234. Write 1234 without the comma, or 1.234 with a point.');
    for (const number of ["0,234", "1,23", "1.234", "1234,567", "1,234.5", "x"]) expect(whyAmbiguous(number)).toBeNull();
  });
  it.each<[string, "." | ",", number | string]>([
    ["1,5", ",", 1.5],
    ["-1.234.567,5", ",", -1234567.5],
    ["1 234,5", ",", 1234.5],
    ["1'234.5", ".", 1234.5],
    ["1,234.5", ".", 1234.5],
    ["\u22125", ".", -5],
    ["1e-3", ".", 0.001],
    ["1.5", ",", "1.5"],
    ["1,5", ".", "1,5"],
    ["12 kg", ".", "12 kg"],
    ["", ".", ""],
    ["0x10", ".", "0x10"],
    ["Infinity", ".", "Infinity"],
  ])("%j with %s is %j", (text, decimal, value) => {
    expect(numberIn(text, decimal)).toBe(value);
  });
});

describe("files that cannot be read", () => {
  it.each([
    ["nothing", bytes(""), /^The file is empty\.$/],
    ["blanks", bytes(" \n , \n"), /^The file holds no rows\.$/],
    ["a quotation mark that is never closed", bytes('key,name\na,"b\nc,d\n'), /opened and never closed/],
    ["a quotation mark in the midst", bytes('key,name\na,b"c\n'), /quotation marks are not as CSV has them\. Look at line 2\./],
    ["an old Excel file", new Uint8Array([0xd0, 0xcf, 0x11, 0xe0]), /old Excel file/],
    ["a zip that is no spreadsheet", new Uint8Array([0x50, 0x4b, 3, 4, 1, 2, 3]), /cannot be read as XLSX/],
    ["an image", new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0, 0, 0]), /neither CSV nor XLSX/],
    ["too many rows", bytes(`key\n${"a\n".repeat(mostRows + 1)}`), /has 100001 rows; at most 100000/],
    ["too many bytes", new Uint8Array(21 * 1024 * 1024), /has 21 MB; at most 20 MB/],
  ])("%s", async (_what, file, sentence) => {
    expect(await why(file)).toMatch(sentence);
  });
});

describe("templates", () => {
  it.each(sheetNames)("%s can be read again", async (name) => {
    const header = sheets[name].columns.map((column) => column.name);
    expect((await readTable(bytes(csvTemplate(name)))).header).toEqual(header);
    const { header: inXlsx, rows } = await readTable(await xlsxTemplate(name, (text) => text));
    expect(inXlsx).toEqual(header);
    expect(rows).toHaveLength(1);
  });
});

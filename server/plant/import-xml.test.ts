// A spreadsheet is XML in a zip: what somebody may have put in there by hand.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { strToU8, zipSync } from "fflate";
import { afterAll, describe, expect, it } from "vitest";
import { readTable } from "./import-table.ts";

const folder = mkdtempSync(join(tmpdir(), "takt-xml-"));
const file = join(folder, "secret");
writeFileSync(file, "hidden-in-a-file");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"';
const relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const packageRelations = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"';

/** The smallest workbook, with this before the sheet's root and this text in its second row. */
const workbook = (doctype: string, text: string): Uint8Array =>
  zipSync({
    "_rels/.rels": strToU8(
      `<Relationships ${packageRelations}><Relationship Id="r1" Type="${relations}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
    ),
    "xl/workbook.xml": strToU8(`<workbook ${main} xmlns:r="${relations}"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>`),
    "xl/_rels/workbook.xml.rels": strToU8(
      `<Relationships ${packageRelations}><Relationship Id="r1" Type="${relations}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
    ),
    "xl/worksheets/sheet1.xml": strToU8(
      `<?xml version="1.0"?>${doctype}<worksheet ${main}><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>key</t></is></c></row>` +
        `<row r="2"><c r="A2" t="inlineStr"><is><t>${text}</t></is></c></row></sheetData></worksheet>`,
    ),
  });

const read = (bytes: Uint8Array): Promise<string> =>
  readTable(bytes).then(
    ({ rows }) => JSON.stringify(rows),
    (error: Error) => error.message,
  );

describe("entities in a spreadsheet", () => {
  it("the workbook is one that is read", async () => {
    expect(await read(workbook("", "m1"))).toContain('"m1"');
  });

  it("lead to no file and to no address", async () => {
    for (const from of [file, `file://${file}`, "http://127.0.0.1:1/x"])
      expect(await read(workbook(`<!DOCTYPE x [<!ENTITY e SYSTEM "${from}">]>`, "a&e;b"))).not.toContain("hidden-in-a-file");
  });

  it("do not grow", async () => {
    const levels = Array.from({ length: 12 }, (_, n) => `<!ENTITY e${n + 1} "${`&e${n};`.repeat(10)}">`).join("");
    expect((await read(workbook(`<!DOCTYPE x [<!ENTITY e0 "lol">${levels}]>`, "&e12;"))).length).toBeLessThan(1_000);
  });
});

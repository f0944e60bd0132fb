import { inflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { byteOrderMark, csvLine } from "./sheet.ts";
import { xlsxOf } from "./xlsx.ts";

async function* rows(count: number, row: (n: number) => string[]): AsyncGenerator<string[]> {
  for (let n = 0; n < count; n++) yield row(n);
}
async function bytesOf(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** By the central directory, as every reader of ZIP files goes. */
function filesOf(zip: Buffer): Map<string, string> {
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  const files = new Map<string, string>();
  let at = zip.readUInt32LE(end + 16);
  for (let n = zip.readUInt16LE(end + 10); n > 0; n--) {
    const [packed, size, path, start] = [zip.readUInt32LE(at + 20), zip.readUInt32LE(at + 24), zip.readUInt16LE(at + 28), zip.readUInt32LE(at + 42)];
    const content = inflateRawSync(zip.subarray(start + 30 + path, start + 30 + path + packed));
    expect(content.length).toBe(size);
    files.set(zip.toString("utf8", at + 46, at + 46 + path), content.toString());
    at += 46 + path;
  }
  return files;
}

describe("a workbook", () => {
  it("holds every cell as the text that it was, whatever stands in it", async () => {
    const odd = ["=1+1", "<b>&\"'", "Zürich 🏭", "line\none", "\u0007bell", "\uD800half", "", "x".repeat(40_000)];
    const files = filesOf(
      await bytesOf(
        xlsxOf(
          "A & B",
          ["One", "Two"],
          rows(1, () => odd),
        ),
      ),
    );
    expect([...files.keys()]).toEqual([
      "[Content_Types].xml",
      "_rels/.rels",
      "xl/workbook.xml",
      "xl/_rels/workbook.xml.rels",
      "xl/styles.xml",
      "xl/worksheets/sheet1.xml",
    ]);
    expect(files.get("xl/workbook.xml")).toContain('<sheet name="A &amp; B" sheetId="1" r:id="r1"/>');
    const sheet = files.get("xl/worksheets/sheet1.xml") ?? "";
    const cells = [...sheet.matchAll(/<t xml:space="preserve">([^<]*)<\/t>/g)].map(([, text]) => text);
    expect(cells).toEqual(["One", "Two", "=1+1", "&lt;b&gt;&amp;&quot;'", "Zürich 🏭", "line\none", "?bell", "\uFFFDhalf", "", "x".repeat(32_767)]);
    expect(sheet).not.toContain("<f>");
  });

  it("is sent while it is made, and asks for no more than is taken", async () => {
    let made = 0;
    const many = rows(200_000, (n) => {
      made = n;
      return [`${n} ${Math.random()}`];
    });
    const stream = xlsxOf("Many", ["N"], many);
    let first = 0;
    for (let n = 0; n < 20; n++) first += ((await stream.next()).value as Buffer).length;
    expect(first).toBeGreaterThan(1_000);
    expect(made).toBeLessThan(50_000);
    await stream.return(undefined);
    const files = filesOf(
      await bytesOf(
        xlsxOf(
          "Many",
          ["N"],
          rows(30_000, (n) => [`row ${n}`]),
        ),
      ),
    );
    expect(files.get("xl/worksheets/sheet1.xml")?.match(/<row>/g)).toHaveLength(30_001);
  });
});

describe("a line of CSV", () => {
  it("quotes what needs it, and lets no spreadsheet run it", () => {
    expect(csvLine(["a", 'say "no", please', "two\nlines", "=HYPERLINK(1)", "-1", "@x", ""])).toBe(
      'a,"say ""no"", please","two\nlines",\'=HYPERLINK(1),\'-1,\'@x,\r\n',
    );
    expect(byteOrderMark).toHaveLength(1);
  });
});

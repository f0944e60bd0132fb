/** A workbook of one sheet of texts, made while it is sent: of a trail of a million entries nothing but the row at hand is in memory. */
import { crc32, createDeflateRaw } from "node:zlib";

/** Excel's own limits: rows of a sheet, characters of a cell. */
export const mostRows = 1_048_576;
const longestCell = 32_767;

const xml = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const relationships = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const packaged = "http://schemas.openxmlformats.org/package/2006";
const types = "application/vnd.openxmlformats-officedocument.spreadsheetml";

/** ECMA-376: the parts of the smallest workbook; style 1 is bold, for the header. */
const parts = (sheetName: string): [name: string, text: string][] => [
  [
    "[Content_Types].xml",
    `${xml}<Types xmlns="${packaged}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="${types}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="${types}.worksheet+xml"/><Override PartName="/xl/styles.xml" ContentType="${types}.styles+xml"/></Types>`,
  ],
  [
    "_rels/.rels",
    `${xml}<Relationships xmlns="${packaged}/relationships"><Relationship Id="r1" Type="${relationships}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
  ],
  [
    "xl/workbook.xml",
    `${xml}<workbook xmlns="${main}" xmlns:r="${relationships}"><sheets><sheet name="${escaped(sheetName)}" sheetId="1" r:id="r1"/></sheets></workbook>`,
  ],
  [
    "xl/_rels/workbook.xml.rels",
    `${xml}<Relationships xmlns="${packaged}/relationships"><Relationship Id="r1" Type="${relationships}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="${relationships}/styles" Target="styles.xml"/></Relationships>`,
  ],
  [
    "xl/styles.xml",
    `${xml}<styleSheet xmlns="${main}"><fonts count="2"><font><sz val="11"/></font><font><b/><sz val="11"/></font></fonts><fills count="1"><fill><patternFill patternType="none"/></fill></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf/><xf fontId="1" applyFont="1"/></cellXfs></styleSheet>`,
  ],
];

/** The file's bytes. Rows beyond what a sheet holds are left out; the last one then says so. */
export async function* xlsxOf(sheetName: string, header: readonly string[], rows: AsyncIterable<readonly string[]>): AsyncGenerator<Buffer> {
  const zip = new Zip();
  for (const [name, text] of parts(sheetName)) yield* zip.file(name, [text]);
  yield* zip.file("xl/worksheets/sheet1.xml", sheetOf(header, rows));
  yield zip.end();
}

async function* sheetOf(header: readonly string[], rows: AsyncIterable<readonly string[]>): AsyncGenerator<string> {
  yield `${xml}<worksheet xmlns="${main}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>`;
  yield rowOf(header, 1);
  let n = 1;
  for await (const row of rows) {
    n += 1;
    if (n === mostRows) {
      yield rowOf(["A sheet holds no more rows. Narrow the export down, or take CSV."], 1);
      break;
    }
    yield rowOf(row, 0);
  }
  yield "</sheetData></worksheet>";
}

const rowOf = (cells: readonly string[], style: number): string =>
  `<row>${cells.map((text) => `<c${style > 0 ? ` s="${style}"` : ""} t="inlineStr"><is><t xml:space="preserve">${escaped(text.slice(0, longestCell))}</t></is></c>`).join("")}</row>`;

/** XML 1.0 knows no other control characters, nor halves of a pair: they become a question mark. */
function escaped(text: string): string {
  return (
    text
      .toWellFormed()
      // biome-ignore lint/suspicious/noControlCharactersInRegex: just those are meant
      .replace(/[\0-\x08\x0b\x0c\x0e-\x1f\uFFFE\uFFFF]/g, "?")
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;")
  );
}

/** A file's bytes are handed on as soon as there are so many. */
const chunkBytes = 64 * 1024;

/** PKZIP APPNOTE: deflated entries whose sizes follow them (bit 3), names in UTF-8 (bit 11). Without ZIP64: 4 GB at most. */
class Zip {
  private readonly directory: Buffer[] = [];
  private offset = 0;

  async *file(name: string, content: Iterable<string> | AsyncIterable<string>): AsyncGenerator<Buffer> {
    const start = this.offset;
    const path = Buffer.from(name);
    const head = Buffer.alloc(30);
    head.writeUInt32LE(0x04034b50, 0);
    head.writeUInt16LE(20, 4);
    head.writeUInt16LE(0x0808, 6);
    head.writeUInt16LE(8, 8);
    head.writeUInt16LE(0x21, 12); // 1 January 1980: the same content is the same file
    head.writeUInt16LE(path.length, 26);
    yield this.count(Buffer.concat([head, path]));
    let crc = 0;
    let size = 0;
    let packed = 0;
    for await (const chunk of deflated(content, (bytes) => {
      crc = crc32(bytes, crc);
      size += bytes.length;
    })) {
      packed += chunk.length;
      yield this.count(chunk);
    }
    const sizes = Buffer.alloc(12);
    sizes.writeUInt32LE(crc, 0);
    sizes.writeUInt32LE(packed, 4);
    sizes.writeUInt32LE(size, 8);
    yield this.count(Buffer.concat([Buffer.from([0x50, 0x4b, 0x07, 0x08]), sizes]));
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(20, 4);
    head.copy(entry, 6, 4, 14);
    sizes.copy(entry, 16);
    entry.writeUInt16LE(path.length, 28);
    entry.writeUInt32LE(start, 42);
    this.directory.push(Buffer.concat([entry, path]));
  }

  end(): Buffer {
    const directory = Buffer.concat(this.directory);
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50, 0);
    end.writeUInt16LE(this.directory.length, 8);
    end.writeUInt16LE(this.directory.length, 10);
    end.writeUInt32LE(directory.length, 12);
    end.writeUInt32LE(this.offset, 16);
    return Buffer.concat([directory, end]);
  }

  private count(bytes: Buffer): Buffer {
    this.offset += bytes.length;
    return bytes;
  }
}

/** The content deflated, with its plain bytes told on the way; no more of it is asked for than is taken. */
async function* deflated(content: Iterable<string> | AsyncIterable<string>, tell: (bytes: Buffer) => void): AsyncGenerator<Buffer> {
  const deflate = createDeflateRaw();
  const feed = async () => {
    let waiting = "";
    const write = (text: string) => {
      const bytes = Buffer.from(text);
      tell(bytes);
      return deflate.write(bytes) ? null : new Promise<void>((resolve) => deflate.once("drain", resolve));
    };
    for await (const text of content) {
      waiting += text;
      if (waiting.length < chunkBytes) continue;
      await write(waiting);
      waiting = "";
    }
    await write(waiting);
    deflate.end();
  };
  const fed = feed().catch((error: Error) => {
    deflate.destroy(error); // ends the loop below with it
  });
  try {
    for await (const chunk of deflate) yield chunk as Buffer;
  } finally {
    deflate.destroy();
  }
  await fed;
}

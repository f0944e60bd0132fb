// Our binary forms against the server that must understand them.
import fc from "fast-check";
import type pg from "pg";
import { from as copyFrom } from "pg-copy-streams";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";
import { Bytes, float8Array, instantArray, int2Array, int4Array, textArray } from "./binary.ts";

let fresh: TestDatabase;
let db: pg.Client;
beforeAll(async () => {
  fresh = await aDatabase();
  db = await fresh.connect();
  await db.query("set timezone = 'UTC'");
  await db.query("create temp table field (i int, a int2, b int4, c float8, d timestamptz, e text)");
});
afterAll(() => fresh.drop());

type Row = { a: number; b: number; c: number | null; d: number | null; e: string | null };
const float = fc.double({ noNaN: false });
// Whole microseconds from 1970 on: a double of milliseconds tells them apart until the year 2109.
const instantUs = fc.integer({ min: 0, max: 4_390_000_000_000_000 });
const text = fc.string({ unit: "binary", maxLength: 40 }).map((s) => s.replaceAll("\0", "").toWellFormed());
const row: fc.Arbitrary<Row> = fc.record({
  a: fc.integer({ min: -32_768, max: 32_767 }),
  b: fc.integer({ min: -2_147_483_648, max: 2_147_483_647 }),
  c: fc.option(float),
  d: fc.option(instantUs.map((us) => us / 1000)),
  e: fc.option(text),
});
const asSent = (r: Row) => ({
  a: r.a,
  b: r.b,
  c: r.c === null ? null : String(Object.is(r.c, -0) ? "-0" : r.c),
  d: r.d === null ? null : String(Math.round(r.d * 1000)),
  e: r.e,
});
const columns = "a, b, c::text, (extract(epoch from d) * 1000000)::bigint::text as d, e";

const read = async (sql: string, values: unknown[] = []) =>
  (await db.query<ReturnType<typeof asSent>>(sql, values)).rows.map((r) => ({ ...r, c: r.c === null ? null : String(r.c === "-0" ? "-0" : Number(r.c)) }));

describe("binary forms", () => {
  it("rows by COPY come back as sent", async () => {
    const bytes = new Bytes(16); // grows
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 30 }), async (rows) => {
        await db.query("delete from field");
        bytes.clear().copyHeader();
        rows.forEach((r, i) => {
          bytes.int16(6);
          bytes.int4Field(i);
          bytes.int2Field(r.a);
          bytes.int4Field(r.b);
          bytes.float8Field(r.c);
          bytes.instantField(r.d);
          bytes.textField(r.e);
        });
        bytes.copyTrailer();
        await new Promise<void>((resolve, reject) => {
          const stream = db.query(copyFrom("copy field from stdin binary"));
          stream.on("finish", resolve);
          stream.on("error", reject);
          stream.end(bytes.view());
        });
        expect(await read(`select ${columns} from field order by i`)).toEqual(rows.map(asSent));
      }),
      { numRuns: 100 },
    );
  });

  it("arrays as parameters come back as sent, empty ones too", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 30 }), async (rows) => {
        const back = await read(
          `select ${columns} from unnest($1::int2[], $2::int4[], $3::float8[], $4::timestamptz[], $5::text[]) with ordinality g(a, b, c, d, e, i) order by i`,
          [
            int2Array(rows.map((r) => r.a)),
            int4Array(rows.map((r) => r.b)),
            float8Array(rows.map((r) => r.c)),
            instantArray(rows.map((r) => r.d)),
            textArray(rows.map((r) => r.e)),
          ],
        );
        expect(back).toEqual(rows.map(asSent));
      }),
      { numRuns: 100 },
    );
  });
});

import { describe, expect, it } from "vitest";
import { faultOf, sentenceOf } from "./database.ts";
import { LeaseLost } from "./lease.ts";

const withCode = (code: string, message = "so it says") => Object.assign(new Error(message), { code });

describe("what an error of the database calls for", () => {
  it.each([
    ["23505", "collision"],
    ["23503", "missing"],
    ["23514", "poison"], // check
    ["22003", "poison"], // out of range
    ["22021", "poison"], // not of the encoding
    ["21000", "poison"],
    ["08006", "retry"],
    ["40P01", "retry"], // deadlock
    ["42P01", "retry"], // no such table: not migrated yet
    ["53100", "retry"], // disk full
    ["53300", "retry"], // too many connections
    ["57P01", "retry"], // shut down
    ["58030", "retry"],
    ["ECONNRESET", "retry"],
    ["", "retry"],
  ])("%s: %s", (code, fault) => {
    expect(faultOf(withCode(code))).toBe(fault);
  });
  it("a lost lease", () => expect(faultOf(new LeaseLost("x"))).toBe("lease"));
});

describe("what the operator is told", () => {
  const url = "postgres://takt:secret@db.plant:5433/takt";
  it.each([
    ["ECONNREFUSED", "no database answers at db.plant:5433: is PostgreSQL running, is the port right?"],
    ["ENOTFOUND", "the database's host db.plant:5433 is not known"],
    ["28P01", "the database db.plant:5433 refuses the sign-in: check user and password in DATABASE_URL"],
    ["3D000", "there is no database takt at db.plant:5433"],
    ["42P01", "the database lacks a table or column (so it says): run npm run migrate"],
    ["53100", "the database's disk is full"],
    ["57P03", "the database is starting or stopping"],
    ["XX000", "so it says"],
  ])("%s", (code, sentence) => {
    expect(sentenceOf(withCode(code), url)).toBe(sentence);
  });
});

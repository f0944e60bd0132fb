/** What somebody with a superuser's rights can do to the trail behind Takt's back, and that it is found. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aDatabase, aLine, type TestDatabase, type TestLine } from "#/server/testing.ts";
import { linesOf, type PublishedHead, parseHeads, readHeads } from "./heads.ts";
import { forge, rehash } from "./testing.ts";
import { verify } from "./verify.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await aDatabase();
});
afterAll(() => db.drop());

let line: TestLine;
let heads: PublishedHead[];
/** A site of its own with 12 entries: site, area, line and nine names of the line. Its head was published at the 6th and at the 12th. */
beforeEach(async () => {
  line = await aLine(db);
  const rename = async (n: number) => {
    for (let i = 0; i < n; i++) await db.rows("update line set name = name || 'x' where id = $1", [line.lineId]);
  };
  const publish = async () => parseHeads(linesOf(await readHeads(db), new Date())).heads.filter(({ chain }) => chain === line.siteId);
  await rename(3);
  heads = await publish();
  await rename(6);
  heads.push(...(await publish()));
  expect(heads.map(({ seq }) => seq)).toEqual([6, 12]);
});

const behindTaktsBack = (sql: string) => forge(db, line.siteId, sql);

/** Sentences about this test's own site. */
async function found(published: readonly PublishedHead[] = []): Promise<string[]> {
  const { findings } = await check(published);
  return findings.filter(({ chain }) => chain === line.siteId).map(({ sentence }) => sentence.replace(/^Chain \d+ \([^)]+\): /, ""));
}
async function check(published: readonly PublishedHead[]) {
  const client = await db.connect();
  await client.query("begin isolation level repeatable read read only");
  try {
    return await verify({ rows: async (sql, parameters = []) => (await client.query(sql, [...parameters])).rows }, { published });
  } finally {
    await client.query("rollback");
  }
}

describe("verify", () => {
  it("finds nothing where nothing was done", async () => {
    const { findings, counts, isGuardedByGrants } = await check(heads);
    expect(findings).toEqual([]);
    expect(counts.get(line.siteId)).toBe(12);
    expect(isGuardedByGrants).toBe(true);
  });

  it("a row changed", async () => {
    await behindTaktsBack("update audit_entry set actor_name = 'Somebody else' where chain = $site and seq = 5");
    expect(await found()).toEqual([
      expect.stringMatching(/^entry 5 \(\d{4}-.*Z, line\.changed by Somebody else\) was changed after it was written: its content does not give its hash\.$/),
    ]);
    await behindTaktsBack("update audit_entry set at = at + interval '1 microsecond', before = null where chain = $site and seq = 7");
    expect((await found(heads)).map((sentence) => sentence.split(" ").slice(0, 2))).toEqual([
      ["entry", "5"],
      ["entry", "7"],
    ]);
  });

  it("a row taken out, and one put in", async () => {
    await behindTaktsBack("delete from audit_entry where chain = $site and seq = 4");
    expect(await found()).toEqual(["entry 4 is missing: entry 3 is followed with entry 5."]);
    await behindTaktsBack(
      "insert into audit_entry select chain, 4, at, 'person', '1', 'Nobody', null, null, 'line.changed', 'line', '1', null, null, null, null, previous_hash, hash from audit_entry where chain = $site and seq = 5",
    );
    expect(await found()).toEqual([
      expect.stringMatching(/^entry 4 does not follow from entry 3/),
      expect.stringMatching(/^entry 4 .* was changed after it was written/),
      expect.stringMatching(/^entry 5 does not follow from entry 4/),
    ]);
  });

  it("the beginning cut off", async () => {
    await behindTaktsBack("delete from audit_entry where chain = $site and seq < 3");
    expect(await found()).toEqual([
      "entry 1 and those up to 2 are missing: the chain begins with entry 3.",
      expect.stringMatching(/^The area \d+ is there, and the trail does not say who made it/),
      expect.stringMatching(/^The site \d+ is there, and the trail does not say who made it/),
    ]);
  });

  it("the tail cut off", async () => {
    await behindTaktsBack("delete from audit_entry where chain = $site and seq > 9");
    const other = expect.stringMatching(/^The line \d+ is not as the trail says it was left: an entry was cut off, or it was changed past the trail\.$/);
    expect(await found()).toEqual([
      "entry 10 and those up to 12 are missing: the end of the chain was cut off (the database's own head of the chain says so).",
      other,
    ]);
    await behindTaktsBack(
      "update audit_chain c set seq = 9, hash = e.hash, at = e.at from audit_entry e where c.chain = $site and e.chain = $site and e.seq = 9",
    );
    expect(await found()).toEqual([other]); // the chain is whole now, and the line is not as it says
    expect(await found(heads)).toEqual([
      expect.stringMatching(/^entry 10 and those up to 12 are missing: the end of the chain was cut off \(entry 12 was published on .*\)\.$/),
      other,
    ]);
    await db.rows("update line set name = 'goes on' where id = $1", [line.lineId]);
    await db.rows("update line set name = 'and on' where id = $1", [line.lineId]);
    await db.rows("update line set name = 'until the number is reached again' where id = $1", [line.lineId]);
    expect(await found(heads)).toEqual([
      expect.stringMatching(
        /^entry 12 is not the one that was published on .*: the chain was written anew after entry 6, which is still as published on .*\.$/,
      ),
    ]);
  });

  it("an end cut off before its head was published: what it was about is not as the trail says", async () => {
    /** The last entry, with the head set back to the one before. */
    const cut = () =>
      behindTaktsBack(`delete from audit_entry e using audit_chain c where e.chain = $site and c.chain = e.chain and e.seq = c.seq;
        update audit_chain set (seq, hash, at) = (select e.seq, e.hash, e.at from audit_entry e where e.chain = $site order by e.seq desc limit 1) where chain = $site`);
    const kinds = async () => (await found([heads[0]!])).map((sentence) => sentence.replace(/^The (\w+) \S+ is (\w+), and.*/, "$1 $2"));
    expect(await kinds()).toEqual([]);
    await db.rows("insert into machine (line_id, key, name) values ($1, 'new', 'New')", [line.lineId]);
    await cut();
    expect(await kinds()).toEqual(["machine there"]);
    await db.rows("delete from machine where line_id = $1", [line.lineId]);
    expect(await kinds()).toEqual([]); // gone again, and the trail says who removed it
    await db.rows("insert into machine (line_id, key, name) values ($1, 'other', 'Other')", [line.lineId]);
    await db.rows("delete from machine where line_id = $1", [line.lineId]);
    await cut();
    expect(await kinds()).toEqual(["machine gone"]);
  });

  it("a row changed while its trigger was switched off", async () => {
    await db.asAdmin.rows(`begin; alter table line disable trigger "A_audit"; update line set name = 'past the trail' where id = ${line.lineId};
      alter table line enable always trigger "A_audit"; commit`);
    expect(await found(heads)).toEqual([expect.stringMatching(/^The line \d+ is not as the trail says/)]);
  });

  it("the whole chain hashed anew", async () => {
    await behindTaktsBack(`update audit_entry set actor_name = 'Somebody else' where chain = $site and seq = 2; ${rehash}`);
    expect(await found()).toEqual([]); // seen from inside it is whole
    expect(await found(heads)).toEqual([
      expect.stringMatching(
        /^entry 6 is not the one that was published on .* \(hash [0-9a-f]{12}… then, [0-9a-f]{12}… now\): the chain was written anew somewhere from its beginning\.$/,
      ),
      expect.stringMatching(/^entry 12 is not the one that was published on/),
    ]);
  });

  it("the chain gone altogether", async () => {
    await behindTaktsBack("delete from audit_entry where chain = $site; delete from audit_chain where chain = $site");
    const unsaid = ["area", "line", "site"].map((kind) => expect.stringMatching(`^The ${kind} \\d+ is there, and the trail does not say who made it`));
    expect(await found()).toEqual(unsaid);
    expect(await found(heads)).toEqual([expect.stringMatching(/^entry 1 and those up to 12 are missing: the end of the chain was cut off/), ...unsaid]);
  });

  it("entries that Takt did not write, and a head that is no longer theirs", async () => {
    await behindTaktsBack("update audit_chain c set seq = 10, hash = e.hash from audit_entry e where c.chain = $site and e.chain = $site and e.seq = 10");
    expect(await found()).toEqual(["entry 11 and what follows up to 12 were not written by Takt: the head of the chain is entry 10."]);
    await behindTaktsBack("update audit_chain set seq = 12 where chain = $site");
    expect(await found()).toEqual(["entry 12 is not the one that the head of the chain was made of."]);
    await behindTaktsBack("delete from audit_chain where chain = $site");
    expect((await check([])).findings.map(({ sentence }) => sentence)).toContainEqual(
      expect.stringMatching(/has entries, but its head is gone from the database/),
    );
  });

  it("a guard that was switched off; npm run migrate puts it right", async () => {
    const wrong = async () => (await check([])).findings.filter(({ chain }) => chain === 0).map(({ sentence }) => sentence);
    await db.asAdmin.rows(
      'alter table machine disable trigger "A_audit"; alter table audit_entry disable trigger append_only; drop trigger "A_audit_truncate" on team; alter table audit_open disable trigger flush',
    );
    expect((await wrong()).map((sentence) => sentence.split(" ").slice(0, 7).join(" "))).toEqual([
      "The table audit_entry lacks its trigger append_only,",
      "The table audit_open lacks its trigger flush,",
      "The table machine lacks its trigger A_audit,",
      "The table team lacks its trigger A_audit_truncate,",
    ]);
    await db.asOwner.rows("select audit_attach()");
    expect(await wrong()).toEqual([]);
  });
});

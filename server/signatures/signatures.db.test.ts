import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { verify } from "#/server/audit/verify.ts";
import type { Actor } from "#/server/domain/permission.ts";
import type { Refusal } from "#/server/errors.ts";
import { grant, permitted } from "#/server/identity/testing.ts";
import { aSignIn } from "#/server/identity/testing-browser.ts";
import { aDatabase, aLine, type TestDatabase, type TestLine } from "#/server/testing.ts";
import { askToSign, contentOf, type Signing, sign, signaturesFor } from "./service.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await aDatabase();
  process.env.DATABASE_URL = db.url; // changes go through the process's own pool
  process.env.AUTH_SECRET = "a secret of the tests that is long enough";
  process.env.LOG_LEVEL = "silent";
});
afterAll(() => db.drop());

const password = "a few words in a row";
type Person = Extract<Actor, { kind: "person" }>;
let line: TestLine;
let ann: Person;
let sessions = 0;
/** Somebody new in a session of their own, quality at the line's site. */
async function somebody(): Promise<Person> {
  sessions += 1;
  const id = await aSignIn({ name: `Ann ${sessions}`, username: `ann${sessions}`, email: `ann${sessions}@example.com`, password });
  return { kind: "person", id, name: `Ann ${sessions}`, grants: [grant("quality", line.siteId)], sessionId: `session ${sessions}`, terminalId: null };
}
/** In a site of its own; a plant has one enterprise. */
async function anotherLine(): Promise<TestLine> {
  const made = await aLine(db);
  await db.rows("update site set enterprise_id = (select min(id) from enterprise)");
  return made;
}
beforeEach(async () => {
  line = await anotherLine();
  ann = await somebody();
});

const reading = (actor: Actor) => permitted(db, actor, "signature.read");
const now = new Date();
const giving = (actor: Actor) => ({ ...permitted(db, actor, "signature.give"), now: () => now });
const ofSite = (actor: Actor = ann) => signaturesFor(reading(actor), "site_configuration", String(line.siteId));
async function signing(changed: Partial<Signing> = {}, by: Person = ann): Promise<Signing> {
  const { contentHash } = await ofSite(by);
  const login = `${by.name.toLowerCase().replace(" ", "")}`;
  return { kind: "site_configuration", id: String(line.siteId), meaning: "approval", contentHash, login, password, comment: null, ...changed };
}
const refusals = () =>
  db.rows<{ who: string; why: string }>("select actor_name as who, why from audit_entry where action = 'signature.refused' and chain = $1 order by seq", [
    line.siteId,
  ]);

describe("a signature", () => {
  it("says who, when and meaning what, holds for what was signed, and no longer once that changes", async () => {
    expect(await askToSign(giving(ann))).toEqual({ name: ann.name, needsLogin: true, hasPassword: true });
    const given = await sign(giving(ann), await signing({ comment: "Checked against the drawing" }));
    expect(given).toMatchObject({
      meaning: "approval",
      signerName: ann.name,
      signerId: ann.id,
      factors: ["login", "password"],
      comment: "Checked against the drawing",
      isValid: true,
    });
    expect((await ofSite()).signatures).toEqual([given]);

    const { content, fileName } = await contentOf(reading(ann), given.id);
    expect(createHash("sha256").update(content).digest("hex")).toBe(given.contentHash);
    expect(content).toContain("zone: Europe/Berlin");
    expect(fileName).toMatch(/^site-\d+-\d{4}-\d\d-\d\d\.txt$/);

    await db.rows("update line set name = 'Another name' where id = $1", [line.lineId]);
    expect((await ofSite()).signatures).toEqual([{ ...given, isValid: false }]);
    expect((await contentOf(reading(ann), given.id)).content).toBe(content);
    await db.rows("update line set name = key where id = $1", [line.lineId]);
    expect((await ofSite()).signatures).toEqual([given]); // the very same content is what was signed
  });

  it("stands in the audit trail; one that is changed, removed or put in behind Takt's back is found", async () => {
    const given = await sign(giving(ann), await signing({ comment: "Why not" }));
    const [entry] = await db.rows(
      "select actor_id, action, subject_id, why, after ->> 'content_hash' as hash from audit_entry where subject_kind = 'signature' and chain = $1",
      [line.siteId],
    );
    expect(entry).toEqual({ actor_id: ann.id, action: "signature.given", subject_id: given.id, why: "Why not", hash: `\\x${given.contentHash}` });
    const found = async () => {
      const client = await db.connect();
      await client.query("begin");
      const { findings } = await verify({ rows: async (sql, parameters = []) => (await client.query(sql, [...parameters])).rows }, { published: [] });
      await client.query("rollback");
      return findings.map(({ sentence }) => sentence);
    };
    expect(await found()).toEqual([]);
    const behind = (sql: string) =>
      db.asAdmin.rows(`begin; alter table signature disable trigger all; alter table signed_content disable trigger all; ${sql};
        alter table signature enable always trigger append_only; alter table signature enable always trigger "A_audit"; alter table signature enable always trigger "A_audit_truncate";
        alter table signed_content enable always trigger append_only; commit`);
    await behind(`update signature set meaning = 'review' where id = ${given.id}`);
    expect(await found()).toEqual([`The signature ${given.id} of ${ann.name} was changed after it was given.`]);
    await behind(
      `update signature set meaning = 'approval' where id = ${given.id}; alter table signed_content drop constraint signed_content_check; update signed_content set content = content || ' '`,
    );
    expect(await found()).toContain(`The signature ${given.id} of ${ann.name} is bound to other content than is kept for it.`);
    await behind(
      "update signed_content set content = rtrim(content, ' '); alter table signed_content add constraint signed_content_check check (hash = sha256(convert_to(content, 'UTF8')))",
    );
    await behind(`insert into signature (site_id, subject_kind, subject_id, subject_name, meaning, content_hash, signer_id, signer_name, signer_login, session_id, factors, signed_at)
      select site_id, subject_kind, subject_id, subject_name, meaning, content_hash, signer_id, 'Forged', signer_login, session_id, factors, signed_at from signature where id = ${given.id}`);
    expect(await found()).toEqual([expect.stringMatching(/^The signature \d+ of Forged is not in the audit trail\.$/)]);
    await behind(`delete from signature where signer_name = 'Forged' or id = ${given.id}`);
    expect(await found()).toEqual([`The signature ${given.id} of ${ann.name} is in the audit trail and was removed from the signatures.`]);
    // Put back, for the tests that follow.
    await behind(
      `insert into signature overriding system value select (jsonb_populate_record(null::signature, after::jsonb)).* from audit_entry where subject_kind = 'signature' and subject_id = '${given.id}'`,
    );
    expect(await found()).toEqual([]);
  });
});

describe("signing takes", () => {
  it("name and password the first time in a session, the password every time", async () => {
    const noName = sign(giving(ann), await signing({ login: null }));
    await expect(noName).rejects.toMatchObject({ code: "INVALID", fields: [{ path: "login" }] } satisfies Partial<Record<keyof Refusal, unknown>>);
    const other = await somebody();
    await expect(sign(giving(ann), await signing({ login: other.name.toLowerCase().replace(" ", "") }))).rejects.toMatchObject({ fields: [{ path: "login" }] });
    await sign(giving(ann), await signing({ login: " ANN1@example.com".replace("ANN1", ann.name.replace(" ", "")) }));
    expect((await askToSign(giving(ann))).needsLogin).toBe(false);
    expect((await sign(giving(ann), await signing({ login: null }))).factors).toEqual(["password"]);
    await expect(sign(giving(ann), await signing({ login: null, password: "" }))).rejects.toMatchObject({ fields: [{ path: "password" }] });
    const again = { ...ann, sessionId: `${ann.sessionId} later` };
    await expect(sign(giving(again), await signing({ login: null }))).rejects.toMatchObject({ fields: [{ path: "login" }] });
  });

  it("the signer's own password: five tries, each written down, then a wait, also for the right one", async () => {
    const other = await somebody();
    await db.rows("update account set password = (select password from account where person_id = $2) || 'x' where person_id = $1", [other.id, ann.id]);
    for (let n = 0; n < 5; n++)
      await expect(sign(giving(ann), await signing({ password: `wrong ${n}` }))).rejects.toMatchObject({ code: "INVALID", fields: [{ path: "password" }] });
    await expect(sign(giving(ann), await signing())).rejects.toMatchObject({
      code: "RULE_BROKEN",
      message: expect.stringMatching(/^Too many tries\. Wait \d+ seconds/),
    });
    expect(await refusals()).toEqual(Array.from({ length: 5 }, () => ({ who: ann.name, why: "This is not your password." })));
    expect((await ofSite()).signatures).toEqual([]);
    const third = await somebody();
    expect((await sign(giving(third), await signing({}, third))).signerName).toBe(third.name);
    expect(JSON.stringify(await db.rows("select * from audit_entry"))).not.toContain("wrong 0");
  });

  it("a password at all, in a browser of one's own", async () => {
    await db.rows("delete from account where person_id = $1", [ann.id]);
    expect((await askToSign(giving(ann))).hasPassword).toBe(false);
    await expect(sign(giving(ann), await signing())).rejects.toMatchObject({
      code: "RULE_BROKEN",
      message: expect.stringContaining("Set a password in your account first"),
    });
    const atTerminal = { ...(await somebody()), terminalId: 1 };
    await expect(sign(giving(atTerminal), await signing({}, atTerminal))).rejects.toMatchObject({ code: "FORBIDDEN" });
    const token: Actor = { kind: "token", id: "1", name: "Script", grants: ann.grants, only: ["signature.give", "signature.read"] };
    await expect(sign(giving(token), await signing())).rejects.toMatchObject({ code: "SIGNED_OUT" });
  });

  it("what was read: changed meanwhile, nothing is signed", async () => {
    const wanted = await signing();
    await db.rows("update line set name = 'Changed meanwhile' where id = $1", [line.lineId]);
    await expect(sign(giving(ann), wanted)).rejects.toMatchObject({ code: "CONFLICT" });
    expect((await ofSite()).signatures).toEqual([]);
  });

  it("the permission at that site; another site's is not there", async () => {
    const here = line;
    line = await anotherLine();
    const stranger = await somebody();
    line = here;
    await expect(signaturesFor(reading(stranger), "site_configuration", String(here.siteId))).rejects.toMatchObject({ code: "NOT_FOUND" });
    const given = await sign(giving(ann), await signing());
    await expect(contentOf(reading(stranger), given.id)).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(sign(giving(stranger), { ...(await signing()), login: null })).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect(() => giving({ ...ann, grants: [grant("supervisor", here.siteId)] })).toThrow();
    await expect(signaturesFor(reading(ann), "site_configuration", "999999")).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});

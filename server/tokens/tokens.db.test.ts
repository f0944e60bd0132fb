import { TRPCError } from "@trpc/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Action, type Actor, mayAt, type Role } from "#/server/domain/permission.ts";
import { actionWords } from "#/server/domain/permission-words.ts";
import { grant, personWith, requestOf } from "#/server/identity/testing.ts";
import { appRouter } from "#/server/router.ts";
import { aDatabase, aLine, type TestDatabase, type TestLine } from "#/server/testing.ts";
import { createCaller } from "#/server/trpc.ts";

process.env.AUTH_SECRET = "a secret of the tests, long enough to be one";
const { tokenActor } = await import("./service.ts");

let db: TestDatabase;
let here: TestLine;
let there: TestLine;

beforeAll(async () => {
  db = await aDatabase();
  process.env.DATABASE_URL = db.url; // tokens are looked up through the process's own pool
  here = await aLine(db);
  there = await aLine(db);
});
afterAll(() => db.drop());

/** Somebody in the database, who holds these roles there, too. */
async function someone(...held: { role: Role; siteId: number | null }[]) {
  const [person] = await db.rows<{ id: string }>("insert into person (name, email) values ('Ann', $1) returning id", [`${crypto.randomUUID()}@example.com`]);
  const id = person?.id ?? "";
  for (const { role, siteId } of held) await db.rows("insert into membership (person_id, role, site_id) values ($1, $2, $3)", [id, role, siteId]);
  const actor: Actor = { ...personWith(...held.map(({ role, siteId }) => grant(role, siteId ?? "all"))), id };
  return { id, actor, api: createCaller(appRouter)(requestOf(db, actor)) };
}
const administrator = (siteId: number | null) => someone({ role: "administrator", siteId });
const why = async (promise: Promise<unknown>) => {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof TRPCError)) throw new Error(`not refused, but ${error}`);
  return error;
};
const wish = (more: { name?: string; sites?: "all" | number[]; actions?: Action[]; days?: number } = {}) => ({
  name: "ERP",
  sites: [here.siteId],
  actions: ["board.read", "data_health.read"] as Action[],
  days: 90,
  ...more,
});
const given = (token: string, now?: Date) => tokenActor(new Headers({ authorization: `Bearer ${token}` }), now);

describe("a token", () => {
  it("asks in the name of its owner, at its sites, for its actions, and is remembered as used", async () => {
    const ann = await administrator(null);
    const { token, id } = await ann.api.tokens.create(wish());
    const actor = await given(token);
    if (!actor) throw new Error("the token is not known");
    expect([mayAt(actor, "board.read", here.siteId), mayAt(actor, "board.read", there.siteId), mayAt(actor, "plant.read", here.siteId)]).toEqual([
      true,
      false,
      false,
    ]);
    const asked = createCaller(appRouter)(requestOf(db, actor));
    expect((await asked.boards.lines()).map(({ lineId }) => lineId)).toEqual([here.lineId]);
    expect((await why(asked.displays.list())).code).toBe("FORBIDDEN");
    expect((await why(asked.tokens.list())).code).toBe("FORBIDDEN");
    const listed = (await ann.api.tokens.list()).tokens.find((row) => row.id === id);
    expect(listed).toMatchObject({ name: "ERP", ownerName: "Ann", sites: [expect.any(String)], others: 0, isNarrowed: false, mayRevoke: true });
    expect(listed?.usedAt).toBeGreaterThan(Date.now() - 10_000);
  });

  it("notes its use at most once a minute", async () => {
    const { api } = await administrator(null);
    const { token, id } = await api.tokens.create(wish());
    const used = async () => (await db.rows<{ at: Date }>("select at from api_token_use where token_id = $1", [id]))[0]?.at.getTime();
    const t0 = Date.now();
    for (const [laterS, notedS] of [
      [0, 0],
      [30, 0],
      [59, 0],
      [61, 61],
    ] as const) {
      await given(token, new Date(t0 + laterS * 1_000));
      expect(await used()).toBe(t0 + notedS * 1_000);
    }
  });

  it("expired, revoked, forged, cut off, or sent another way is nobody", async () => {
    const { api } = await administrator(null);
    const { token, id } = await api.tokens.create(wish({ days: 1 }));
    const inADay = new Date(Date.now() + 86_400_000 + 1_000);
    expect(await given(token)).not.toBeNull();
    expect(await given(token, inADay)).toBeNull();
    expect(await given(token.slice(0, -1))).toBeNull();
    expect(await given(`${token.slice(0, 10)}${token[10] === "a" ? "b" : "a"}${token.slice(11)}`)).toBeNull();
    expect(await tokenActor(new Headers({ authorization: `Basic ${btoa(`token:${token}`)}` }))).toBeNull();
    expect(await tokenActor(new Headers({ cookie: `token=${token}` }))).toBeNull();
    await api.tokens.revoke({ id });
    await api.tokens.revoke({ id });
    expect(await given(token)).toBeNull();
  });

  it("is narrower at once when its owner is, and gone when its owner is", async () => {
    const ann = await administrator(here.siteId);
    const { token, id } = await ann.api.tokens.create(wish());
    const may = async (action: Action) => {
      const actor = await given(token);
      return actor && mayAt(actor, action, here.siteId);
    };
    expect([await may("board.read"), await may("data_health.read")]).toEqual([true, true]);
    await db.rows("update membership set role = 'operator' where person_id = $1", [ann.id]);
    expect([await may("board.read"), await may("data_health.read")]).toEqual([true, false]);
    const root = await administrator(null);
    expect((await root.api.tokens.list()).tokens.find((row) => row.id === id)?.isNarrowed).toBe(true);
    await db.rows("update membership set site_id = $2 where person_id = $1", [ann.id, there.siteId]);
    expect(await may("board.read")).toBe(false);
    await db.rows("update person set disabled_at = now() where id = $1", [ann.id]);
    expect(await given(token)).toBeNull();
  });

  it("rests with its owner's rights where a site asks for a second factor that they have not", async () => {
    const [chief, root] = [await administrator(here.siteId), await administrator(null)];
    await db.rows("insert into membership (person_id, role, site_id) values ($1, 'viewer', $2)", [chief.id, here.siteId]);
    const actions: Action[] = ["board.read", "plant.change"];
    const { token, id } = await chief.api.tokens.create(wish({ actions }));
    const everywhere = (await root.api.tokens.create(wish({ actions, sites: "all" }))).token;
    const may = async (which: string, site = here.siteId) => {
      const actor = await given(which);
      return actor && actions.map((action) => mayAt(actor, action, site));
    };
    const strict = (is: boolean) => db.rows("update site set requires_second_factor = $2 where id = $1", [here.siteId, is]);
    expect([await may(token), await may(everywhere)]).toEqual([
      [true, true],
      [true, true],
    ]);
    await strict(true);
    expect(await may(token)).toEqual([true, false]); // as a viewer
    expect([await may(everywhere), await may(everywhere, there.siteId)]).toEqual([
      [false, false],
      [false, false],
    ]); // as the owner's own session
    expect((await chief.api.tokens.list()).tokens.find((row) => row.id === id)?.isNarrowed).toBe(true);
    await db.rows("update person set two_factor_enabled = true where id = $1", [chief.id]);
    expect(await may(token)).toEqual([true, true]);
    await db.rows("update person set two_factor_enabled = false where id = $1", [chief.id]);
    expect(await may(token)).toEqual([true, false]);
    await db.rows("insert into account (person_id, provider_id, account_id, second_factor) values ($1, 'oidc', 'a', true)", [chief.id]);
    expect(await may(token)).toEqual([true, true]); // the provider's word at the last sign-in
    await strict(false);
    expect(await may(everywhere)).toEqual([true, true]);
  });

  it("what it has open ends when the site begins to ask, and when its owner's second factor goes", async () => {
    const chief = await administrator(here.siteId);
    const { token } = await chief.api.tokens.create(wish({ actions: ["board.read"] }));
    const actor = async (): Promise<Actor> => (await given(token)) ?? { kind: "nobody", id: "", name: "Nobody" };
    const [address] = await db.rows<{ site: string; area: string; line: string }>(
      "select s.key as site, a.key as area, l.key as line from line l join area a on a.id = l.area_id join site s on s.id = a.site_id where l.id = $1",
      [here.lineId],
    );
    const endOf = async (cause: () => Promise<unknown>) => {
      const controller = new AbortController();
      const caller = createCaller(appRouter)({ ...requestOf(db, await actor()), again: actor }, { signal: controller.signal });
      const events = (await caller.boards.watch(address ?? { site: "", area: "", line: "" }))[Symbol.asyncIterator]();
      await events.next();
      await cause();
      return why(
        (async () => {
          for (;;) if ((await events.next()).done) throw new Error("ended without a word");
        })(),
      );
    };
    const from = performance.now();
    expect((await endOf(() => db.rows("update site set requires_second_factor = true where id = $1", [here.siteId]))).code).toMatch(/FORBIDDEN|NOT_FOUND/);
    await db.rows("update person set two_factor_enabled = true where id = $1", [chief.id]);
    expect((await endOf(() => db.rows("update person set two_factor_enabled = false where id = $1", [chief.id]))).code).toMatch(/FORBIDDEN|NOT_FOUND/);
    expect(performance.now() - from).toBeLessThan(10_000); // by the database's word, not by looking every 30 s
    await db.rows("update site set requires_second_factor = false");
  });

  it("has no name that reads as another one's; the same name is no deceit", async () => {
    const { api } = await administrator(here.siteId);
    await api.tokens.create(wish({ name: "Export" }));
    await api.tokens.create(wish({ name: "Export" }));
    const error = await why(api.tokens.create(wish({ name: "Exp\u043ert" }))); // a Cyrillic o
    expect((error.cause as { fields?: { path: string }[] }).fields?.map(({ path }) => path)).toEqual(["name"]);
  });

  it("is stored as a hash, which the audit trail does not have either", async () => {
    const { api } = await administrator(null);
    const { token, id } = await api.tokens.create(wish());
    const [row] = await db.rows<{ text: string; hash: string }>(
      "select row_to_json(t)::text as text, encode(hash, 'hex') as hash from api_token t where id = $1",
      [id],
    );
    expect(row?.text).not.toContain(token.slice(5, 30));
    const [entry] = await db.rows<{ action: string; text: string }>(
      "select action, row_to_json(e)::text as text from audit_entry e where subject_kind = 'api_token' and subject_id = $1",
      [String(id)],
    );
    expect(entry?.action).toBe("token.created");
    expect(entry?.text).not.toContain(row?.hash);
    expect(entry?.text).not.toContain(token.slice(5, 30));
  });
});

describe("whoever makes a token", () => {
  it("cannot give it more than they hold themselves, at each of its sites", async () => {
    const local = await administrator(here.siteId);
    expect((await why(local.api.tokens.create(wish({ sites: [there.siteId] })))).code).toBe("NOT_FOUND");
    expect((await why(local.api.tokens.create(wish({ sites: "all" })))).code).toBe("FORBIDDEN");
    expect((await why(local.api.tokens.create(wish({ actions: ["audit.read", "device.change", "catalogue.change"] })))).code).toBe("BAD_REQUEST");
    const two = await someone({ role: "administrator", siteId: here.siteId }, { role: "viewer", siteId: there.siteId });
    expect((await why(two.api.tokens.create(wish({ sites: [here.siteId, there.siteId] })))).code).toBe("FORBIDDEN");
    const root = await administrator(null);
    for (const action of ["account.own", "token.change", "person.change", "display.own"] as const) {
      const { cause } = await why(root.api.tokens.create(wish({ sites: "all", actions: [action] })));
      expect((cause as { fields?: unknown }).fields).toEqual([{ path: "actions", sentence: expect.stringContaining(`"${actionWords[action]}"`) }]);
    }
    await expect(root.api.tokens.create(wish({ sites: "all", actions: ["catalogue.change"] }))).resolves.toBeTruthy();
    for (const days of [0, 366, 1.5]) expect((await why(root.api.tokens.create(wish({ days })))).code).toBe("BAD_REQUEST");
    await expect(db.rows("update api_token set expires_at = created_at + interval '2 years'")).rejects.toThrow("check constraint");
  });

  it("is a person: a token makes no tokens", async () => {
    const token: Actor = { kind: "token", id: "1", name: "ERP", grants: [grant("administrator")], only: ["token.change"] };
    expect((await why(createCaller(appRouter)(requestOf(db, token)).tokens.create(wish()))).code).toBe("FORBIDDEN");
  });

  it("sees the tokens that reach their sites, of other sites only that there are some, and revokes those that are theirs alone", async () => {
    const root = await administrator(null);
    const [both, other] = [
      await root.api.tokens.create(wish({ sites: [here.siteId, there.siteId] })),
      await root.api.tokens.create(wish({ sites: [there.siteId] })),
    ];
    const local = await administrator(here.siteId);
    const seen = (await local.api.tokens.list()).tokens;
    expect(seen.find(({ id }) => id === both.id)).toMatchObject({ sites: [expect.any(String)], others: 1, mayRevoke: false });
    expect(seen.some(({ id }) => id === other.id)).toBe(false);
    expect((await why(local.api.tokens.revoke({ id: both.id }))).code).toBe("FORBIDDEN");
    expect((await why(local.api.tokens.revoke({ id: other.id }))).code).toBe("NOT_FOUND");
    expect((await why(local.api.tokens.revoke({ id: 999_999 }))).code).toBe("NOT_FOUND");
    expect(await given(both.token)).not.toBeNull();
    const choices = await local.api.tokens.choices();
    expect([choices.sites.map(({ id }) => id), choices.everywhere]).toEqual([[here.siteId], []]);
    expect(choices.sites[0]?.actions).not.toContain("token.change");
  });
});

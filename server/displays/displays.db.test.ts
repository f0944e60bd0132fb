import { TRPCError } from "@trpc/server";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Actor, Role } from "#/server/domain/permission.ts";
import { grant, personWith, requestOf } from "#/server/identity/testing.ts";
import { appRouter } from "#/server/router.ts";
import { aDatabase, aLine, aMachine, aSignal, type TestDatabase, type TestLine } from "#/server/testing.ts";
import { createCaller } from "#/server/trpc.ts";
import type { DisplayEvent } from "./watch.ts";

process.env.AUTH_SECRET = "a secret of the tests, long enough to be one";
const { displayContextOf } = await import("./context.ts");
const { linkCookieOf } = await import("./link.ts");
const { standingOf } = await import("./service.ts");

let db: TestDatabase;
let line: TestLine;
let second: TestLine;
let elsewhere: TestLine;
const open: AbortController[] = [];

beforeAll(async () => {
  db = await aDatabase();
  process.env.DATABASE_URL = db.url; // links are looked up through the process's own pool
  line = await aLine(db);
  const [row] = await db.rows<{ id: number }>("insert into line (area_id, key, name) values ($1, 'second', 'Second') returning id", [line.areaId]);
  second = { ...line, lineId: row?.id ?? 0 };
  elsewhere = await aLine(db);
});
afterEach(() => {
  for (const controller of open.splice(0)) controller.abort();
});
afterAll(() => db.drop());

async function someone(role: Role = "supervisor", siteId: number | "all" = line.siteId): Promise<Actor> {
  const [person] = await db.rows<{ id: string }>("insert into person (name, email) values ('Ann', $1) returning id", [`${crypto.randomUUID()}@example.com`]);
  return { ...personWith(grant(role, siteId)), id: person?.id ?? "" };
}
const as = (actor: Actor) => createCaller(appRouter)(requestOf(db, actor));
const why = async (promise: Promise<unknown>) => {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof TRPCError)) throw new Error(`not refused, but ${error}`);
  return error;
};

let serial = 0;
const settings = (boards = [{ lineId: line.lineId, shownS: 30 }]) => {
  serial += 1;
  return { name: `Hall ${serial}`, theme: "dark" as const, locale: null, raiseAfterS: null, raiseForS: null, boards };
};
async function aDisplay(more: Partial<ReturnType<typeof settings>> = {}, expiresInDays: number | null = null) {
  const ann = await someone();
  const made = await as(ann).displays.create({ siteId: line.siteId, ...settings(), ...more, expiresInDays });
  return { ...made, ann, api: as(ann) };
}
const headersOf = (token: string) => new Headers({ cookie: linkCookieOf(token).split(";")[0] ?? "" });
/** As a screen asks. */
const screen = async (token: string) => createCaller(appRouter)(await displayContextOf(headersOf(token)));
const standing = (token: string | null, now = new Date()) => standingOf(token, now);

/** What a display is told from now on. */
async function following(token: string) {
  const controller = new AbortController();
  open.push(controller);
  const caller = createCaller(appRouter)(await displayContextOf(headersOf(token)), { signal: controller.signal });
  const events = (await caller.displays.watch()) as unknown as AsyncIterator<[string, DisplayEvent]>;
  return {
    next: async () => (await events.next()).value?.[1] as DisplayEvent,
    async until(is: (event: DisplayEvent) => boolean): Promise<DisplayEvent> {
      for (;;) {
        const { value, done } = await events.next();
        if (done) throw new Error("the stream ended");
        if (is(value[1])) return value[1];
      }
    },
  };
}

describe("a display's link", () => {
  it("opens its boards without anybody signed in, and nothing else", async () => {
    const { token, id } = await aDisplay();
    const asked = await screen(token);
    const { display } = await asked.displays.own();
    expect(display).toMatchObject({ id, boards: [{ lineId: line.lineId, shownS: 30 }] });
    expect(JSON.stringify(display)).not.toMatch(/hash|createdBy|Ann/);
    expect((await asked.boards.lines()).map(({ lineId }) => lineId)).toEqual([line.lineId]);
    const [site = "", area = "", key = ""] = display?.boards[0]?.address.split("/") ?? [];
    await expect(asked.boards.line({ site, area, line: key })).resolves.toBeTruthy();
    // a line of its own site that is not on it, and one of another site: as if there were none
    expect((await why(asked.boards.line({ site, area, line: "second" }))).code).toBe("NOT_FOUND");
    expect((await why(asked.displays.list())).code).toBe("FORBIDDEN");
    expect((await why(asked.displays.identify({ id }))).code).toBe("FORBIDDEN");
    expect((await why(asked.dataHealth.sources())).code).toBe("FORBIDDEN");
    expect((await why(as(await someone("administrator", "all")).displays.own())).code).toBe("FORBIDDEN");
  });

  it("forged, replaced, revoked, expired: each opens nothing and says why", async () => {
    const { token, id, api } = await aDisplay({}, 1);
    const inTwoDays = new Date(Date.now() + 2 * 86_400_000);
    expect((await standing(token)).actor?.id).toBe(String(id));
    expect((await standing(null)).why).toBe("none");
    expect((await standing(`${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`)).why).toBe("forged");
    expect((await standing(token, inTwoDays)).why).toBe("expired");
    const other = await api.displays.newLink({ id, version: 1, expiresInDays: null });
    expect((await standing(token)).why).toBe("replaced");
    expect((await standing(other.token, inTwoDays)).why).toBeNull();
    await api.displays.revoke({ id });
    await api.displays.revoke({ id });
    expect((await standing(other.token)).why).toBe("revoked");
    await db.rows("update display set locale = 'de' where id = $1", [id]); // it says so in its own language
    expect(await standing(other.token)).toEqual({ actor: null, why: "revoked", locale: "de" });
    const error = await why(screen(other.token));
    expect([error.code, (error.cause as Error).message]).toEqual(["UNAUTHORIZED", "This display was revoked."]);
    expect((await why(api.displays.newLink({ id, version: 3, expiresInDays: null }))).code).toBe("UNPROCESSABLE_CONTENT");
  });

  it("stores no secret, only its hash", async () => {
    const { token, id } = await aDisplay();
    const [row] = await db.rows<{ text: string }>("select row_to_json(d)::text as text from display d where id = $1", [id]);
    for (const part of token.split(".")) expect(row?.text).not.toContain(part);
  });
});

describe("whoever looks after displays", () => {
  it("sees and changes those of their own sites only", async () => {
    const { id, api } = await aDisplay();
    const other = as(await someone("supervisor", elsewhere.siteId));
    expect((await api.displays.list()).displays.map((display) => display.id)).toContain(id);
    expect((await other.displays.list()).displays).toEqual([]);
    expect((await other.displays.lines()).map(({ siteId }) => siteId)).toEqual([elsewhere.siteId]);
    for (const ask of [
      () => other.displays.identify({ id }),
      () => other.displays.revoke({ id }),
      () => other.displays.newLink({ id, version: 1, expiresInDays: null }),
      () => other.displays.change({ id, version: 1, ...settings() }),
    ])
      expect((await why(ask())).code).toBe("NOT_FOUND");
    expect((await why(other.displays.create({ siteId: line.siteId, ...settings(), expiresInDays: null }))).code).toBe("NOT_FOUND");
    expect((await why(as(await someone("viewer")).displays.list())).code).toBe("FORBIDDEN");
  });

  it("cannot put a board of another site on a display, nor one twice, nor take a name that is taken; the database would not have it either", async () => {
    const { api, id } = await aDisplay({ name: "Entrance" });
    const fields = async (given: ReturnType<typeof settings>) => {
      const { cause } = await why(api.displays.create({ siteId: line.siteId, ...given, expiresInDays: null }));
      return (cause as { fields?: { path: string }[] }).fields?.map(({ path }) => path);
    };
    expect(await fields(settings([{ lineId: elsewhere.lineId, shownS: 30 }]))).toEqual(["boards"]);
    expect(await fields(settings([1, 2].map(() => ({ lineId: line.lineId, shownS: 30 }))))).toEqual(["boards"]);
    expect(await fields({ ...settings(), name: "ENTRANCE" })).toEqual(["name"]);
    expect(await fields({ ...settings(), name: "Entr\u0430nce" })).toEqual(["name"]); // a Cyrillic a
    expect((await why(api.displays.create({ siteId: line.siteId, ...settings([]), expiresInDays: null }))).code).toBe("BAD_REQUEST");
    await expect(db.rows("insert into display_board values ($1, $2, 9, 30)", [id, elsewhere.lineId])).rejects.toThrow("own site only");
    await api.displays.revoke({ id });
    await expect(api.displays.create({ siteId: line.siteId, ...settings(), name: "Entrance", expiresInDays: null })).resolves.toBeTruthy();
  });

  it("who saves second is told what the first one saved, and may save on that", async () => {
    const { id, api } = await aDisplay();
    await api.displays.change({ id, version: 1, ...settings(), name: "First" });
    const error = await why(api.displays.change({ id, version: 1, ...settings(), name: "Second one" }));
    expect(error.code).toBe("CONFLICT");
    expect((error.cause as { present?: unknown }).present).toMatchObject({
      version: 2,
      values: { name: "First", boards: [{ lineId: line.lineId, shownS: 30 }] },
    });
    await api.displays.change({ id, version: 2, ...settings(), name: "Second one" });
    expect((await why(api.displays.newLink({ id, version: 2, expiresInDays: null }))).code).toBe("CONFLICT");
  });

  it("leaves alone what was not changed, and drops a pin with its board", async () => {
    const boards = [line, second].map(({ lineId }) => ({ lineId, shownS: 30 }));
    const { id, api } = await aDisplay({ boards });
    await api.displays.pin({ id, lineId: second.lineId, minutes: null });
    const xmin = () =>
      db.rows<{ line: number; xmin: string }>("select line_id as line, xmin::text from display_board where display_id = $1 order by line_id", [id]);
    const before = await xmin();
    await api.displays.change({ id, version: 1, ...settings([{ lineId: line.lineId, shownS: 30 }]) });
    expect(await xmin()).toEqual(before.filter((row) => row.line === line.lineId));
    const [row] = await db.rows("select pinned_line_id from display where id = $1", [id]);
    expect(row).toEqual({ pinned_line_id: null });
    expect((await why(api.displays.pin({ id, lineId: second.lineId, minutes: 5 }))).code).toBe("UNPROCESSABLE_CONTENT");
  });
});

describe("a display that is on", () => {
  it("hears at once what people tell it, and ends when it is revoked", async () => {
    const { id, token, api } = await aDisplay({ boards: [line, second].map(({ lineId }) => ({ lineId, shownS: 30 })) });
    const told = await following(token);
    expect((await told.next()).display).toMatchObject({ id, identifyAt: null, pinnedLineId: null });
    await api.displays.identify({ id });
    expect((await told.until(({ display }) => display?.identifyAt !== null)).display?.identifyAt).toBeGreaterThan(Date.now() - 10_000);
    await api.displays.pin({ id, lineId: second.lineId, minutes: 10 });
    const { display } = await told.until((event) => event.display?.pinnedLineId === second.lineId);
    expect(display?.pinnedUntilAt).toBeGreaterThan(Date.now() + 9 * 60_000);
    await api.displays.nextBoard({ id });
    await told.until((event) => event.display?.pinnedLineId === null && (event.display?.concernsSeenAt ?? 0) > Date.now() - 10_000);
    await api.displays.reload({ id });
    await told.until((event) => event.display?.reloadAt !== null);
    const revokedAt = Date.now();
    await api.displays.revoke({ id });
    const ended = await why(told.until(() => false));
    expect(ended.code).toBe("UNAUTHORIZED");
    expect(Date.now() - revokedAt).toBeLessThan(10_000); // by the database's word, not by the look every 30 s
  });

  it("beats without being written into the audit trail, and is a second screen where the link is open twice", async () => {
    const { id, token, api } = await aDisplay();
    const said = { width: 1920, height: 1080, pixelRatio: 2, page: "a/b/c", build: "one" };
    const asked = await screen(token);
    await asked.displays.beat({ ...said, screenId: "left" });
    await asked.displays.beat({ ...said, screenId: "right", width: 3840 });
    await asked.displays.beat({ ...said, screenId: "left", page: "a/b/d" });
    const listed = (await api.displays.list()).displays.find((display) => display.id === id);
    expect(listed?.screens.map(({ screenId, width, page }) => [screenId, width, page])).toEqual([
      ["left", 1920, "a/b/d"],
      ["right", 3840, "a/b/c"],
    ]);
    for (let n = 0; n < 20; n += 1) await asked.displays.beat({ ...said, screenId: `forgetful ${n}` });
    expect((await api.displays.list()).displays.find((display) => display.id === id)?.screens).toHaveLength(8);
    expect((await why(asked.displays.beat({ ...said, screenId: "x".repeat(100) }))).code).toBe("BAD_REQUEST");
    const audited = await db.rows("select 1 from audit_entry where subject_kind = 'display_heartbeat'");
    expect(audited).toEqual([]);
    const [row] = await db.rows<{ after: Record<string, unknown> }>("select after from audit_entry where subject_kind = 'display' and subject_id = $1", [
      String(id),
    ]);
    expect(row?.after.name).toMatch(/^Hall/);
    expect(JSON.stringify(row)).not.toContain(
      (await db.rows<{ hash: string }>("select encode(link_hash, 'hex') as hash from display where id = $1", [id]))[0]?.hash,
    );
  });
});

describe("what a display's boards lack", () => {
  it("its first picture is of now, also where nobody has looked at a board for a while", async () => {
    const { token } = await aDisplay();
    const { readUpstream } = await import("#/server/boards/upstream.ts");
    await readUpstream();
    const shared = globalThis as typeof globalThis & { taktUpstream?: { readAt: number } };
    const looks = async () => (await (await screen(token)).displays.own()).trouble;
    expect(await looks()).toEqual({ part: "worker", sinceAt: null });
    await db.rows("insert into ingest_worker (name, at, started_at, stats) values ('late', now(), now(), '{\"mqttConnected\": true}')");
    if (shared.taktUpstream) shared.taktUpstream.readAt -= 60_000;
    expect(await looks()).toBeNull();
    await db.rows("delete from ingest_worker where name = 'late'");
  });

  it("is told for each of them: the reader of one is gone, that of the other is there", async () => {
    const boards = [line, second];
    for (const [i, on] of boards.entries()) {
      const { sourceId } = await aSignal(db, { machine: await aMachine(db, { line: on }), role: "state" });
      const [source] = await db.rows<{ address: string }>("select address from source where id = $1", [sourceId]);
      const name = `reader ${i}`;
      await db.rows("insert into ingest_worker (name, at, started_at, stats) values ($1, now() - $2::interval, now(), '{\"mqttConnected\": true}')", [
        name,
        i === 0 ? "5 minutes" : "0 s",
      ]);
      await db.rows("insert into ingest_lease (name, filters, holder, expires_at) values ($1, $2, 'test', now())", [name, [`takt/v1/${source?.address}/#`]]);
    }
    const { readUpstream } = await import("#/server/boards/upstream.ts");
    await db.rows("select pg_notify('plant', '')"); // streams of the tests above may have read the plant before
    const { token } = await aDisplay({ boards: boards.map(({ lineId }) => ({ lineId, shownS: 30 })) });
    const told = await following(token);
    await readUpstream();
    const { lineTroubles } = await told.until((event) => event.lineTroubles.length === 1);
    expect(lineTroubles).toEqual([{ lineId: line.lineId, trouble: { part: "worker", sinceAt: expect.any(Number) } }]);
  });
});

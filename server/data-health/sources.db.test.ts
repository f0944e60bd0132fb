import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Db } from "#/server/db.ts";
import { deadWindows, type LinkEvent } from "#/server/domain/presence.ts";
import { union } from "#/server/domain/windows.ts";
import { aDatabase, aMachine, aSignal, type TestDatabase, type TestMachine } from "#/server/testing.ts";
import { gapRows, gapSums, linkRows, signalRows } from "./queries.ts";
import { sourcesAt, sumsBySource } from "./sources.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await aDatabase();
});
afterAll(() => db.drop());
beforeEach(async () => {
  await db.asOwner.rows("truncate enterprise, link_event, source_minute cascade");
});

/** All of it read at one instant. */
const sourcesNow = async (at: Date) => sourcesAt(db, at, sumsBySource(await gapSums(db, at)));

describe("sources", () => {
  const now = new Date("2026-03-04T10:30:20Z");
  const ago = (s: number) => new Date(now.getTime() - s * 1000).toISOString();

  it("finds silences, also the one that lasts, and counts announced ones where a link announces itself", async () => {
    const [quiet, announced] = [await aMachine(db), await aMachine(db)];
    for (const s of [600, 540, 300, 240, 180]) {
      await db.rows("insert into source_minute values ($1, date_trunc('minute', $2::timestamptz), $2, $2, 4, 1.5)", [quiet.sourceId, ago(s)]);
    }
    await db.rows("insert into source_status (source_id, last_at, last_received_at, lag_s) values ($1, $2, $2, 1.5)", [quiet.sourceId, ago(180)]);
    await db.rows("insert into source_status (source_id, last_at, announced, announced_at) values ($1, $2, true, $2)", [announced.sourceId, ago(900)]);
    for (const [s, kind, alive] of [
      [2000, "death", false],
      [1900, "birth", true],
      [1800, "sequence_gap", null],
      [1700, "rebirth_requested", null],
    ] as const) {
      await db.rows("insert into link_event (source_id, address, at, kind, alive, received_at) values ($1, 'x', $2, $3, $4, $2)", [
        announced.sourceId,
        ago(s),
        kind,
        alive,
      ]);
    }
    const rows = await sourcesNow(now);
    expect(rows.find((row) => row.id === quiet.sourceId)).toMatchObject({
      gaps: 2,
      gapLongestS: 240,
      gapTotalS: 420,
      lagS: 1.5,
      perMinute: 2.4,
      announced: null,
      sequenceGaps: 0,
    });
    expect(rows.find((row) => row.id === announced.sourceId)).toMatchObject({ gaps: 1, gapLongestS: 100, announced: true, sequenceGaps: 1, rebirths: 1 });
    expect(await gapRows(db, quiet.sourceId, now)).toEqual([
      { from: Date.parse(ago(180)), to: now.getTime(), filled: false },
      { from: Date.parse(ago(540)), to: Date.parse(ago(300)), filled: false },
    ]);
    expect((await linkRows(db, announced.sourceId, now)).map((row) => row.kind)).toEqual(["rebirth_requested", "sequence_gap", "birth", "death"]);
  });

  it("takes the gaps as they were counted last: what a source is now does not cost a day of presence", async () => {
    const { sourceId } = await aMachine(db);
    await db.rows("insert into source_minute values ($1, date_trunc('minute', $2::timestamptz), $2, $2, 10, 1.5)", [sourceId, ago(60)]);
    const asked: string[] = [];
    const counting: Db = {
      rows: (sql, parameters) => {
        asked.push(sql.split("\n")[0] ?? "");
        return db.rows(sql, parameters);
      },
    };
    const sums = { gaps: 3, gapsFilled: 1, gapLongestS: 90, gapTotalS: 200 };
    expect(await sourcesAt(counting, now, new Map([[sourceId, sums]]))).toMatchObject([{ id: sourceId, perMinute: 2, ...sums }]);
    expect(await sourcesAt(counting, now, new Map())).toMatchObject([{ gaps: 0, gapLongestS: null }]);
    expect(new Set(asked)).toEqual(new Set(["-- dataHealth.sourceRows"]));
  });

  const hour = 3600;
  const heard = (sourceId: number, ...agoS: number[]) =>
    Promise.all(agoS.map((s) => db.rows("insert into source_minute values ($1, date_trunc('minute', $2::timestamptz), $2, $2, 4, 1.5)", [sourceId, ago(s)])));
  const said = (sourceId: number, s: number, kind: string, alive: boolean) =>
    db.rows("insert into link_event (source_id, address, at, kind, alive, received_at) values ($1, $2, $3, $4, $5, $3)", [
      sourceId,
      `x-${sourceId}`,
      ago(s),
      kind,
      alive,
    ]);
  const both = async (sourceId: number) => ({
    row: (await sourcesNow(now)).find((found) => found.id === sourceId),
    list: await gapRows(db, sourceId, now),
  });

  it("counts a silence that began before the day, from the day's start", async () => {
    const { sourceId } = await aMachine(db);
    await heard(sourceId, 30 * hour, 2 * hour, 30);
    await db.rows("insert into source_status (source_id, last_at, last_received_at) values ($1, $2, $2)", [sourceId, ago(30)]);
    const { row, list } = await both(sourceId);
    expect(row).toMatchObject({ gaps: 2, gapLongestS: 22 * hour, gapTotalS: 24 * hour - 30 });
    expect(list).toEqual([
      { from: Date.parse(ago(2 * hour)), to: Date.parse(ago(30)), filled: false },
      { from: Date.parse(ago(24 * hour)), to: Date.parse(ago(2 * hour)), filled: false },
    ]);
  });

  it("takes nothing that was before a source's first value for a gap, and shows the silence that lasts in both places", async () => {
    const { sourceId } = await aMachine(db);
    await heard(sourceId, 2 * hour);
    await db.rows("insert into source_status (source_id, last_at, last_received_at) values ($1, $2, $2)", [sourceId, ago(2 * hour)]);
    const { row, list } = await both(sourceId);
    expect(row).toMatchObject({ gaps: 1, gapTotalS: 2 * hour });
    expect(list).toEqual([{ from: Date.parse(ago(2 * hour)), to: now.getTime(), filled: false }]);
  });

  it("counts an announced death before the day that lasts, once, and one that ends in it", async () => {
    const [dead, back] = [await aMachine(db), await aMachine(db)];
    await said(dead.sourceId, 40 * hour, "birth", true);
    await said(dead.sourceId, 30 * hour, "offline", false);
    await said(dead.sourceId, 3 * hour, "death", false);
    await said(back.sourceId, 30 * hour, "offline", false);
    await said(back.sourceId, 20 * hour, "online", true);
    for (const [sourceId, s, announced] of [
      [dead.sourceId, 3 * hour, false],
      [back.sourceId, 20 * hour, true],
    ] as const)
      await db.rows("insert into source_status (source_id, last_at, announced, announced_at) values ($1, $2, $3, $4)", [
        sourceId,
        ago(30 * hour),
        announced,
        ago(s),
      ]);
    const lasting = await both(dead.sourceId);
    expect(lasting.row).toMatchObject({ gaps: 1, gapLongestS: 24 * hour });
    expect(lasting.list).toEqual([{ from: Date.parse(ago(24 * hour)), to: now.getTime(), filled: false }]);
    const ended = await both(back.sourceId);
    expect(ended.row).toMatchObject({ gaps: 1, gapLongestS: 4 * hour });
    expect(ended.list).toEqual([{ from: Date.parse(ago(24 * hour)), to: Date.parse(ago(20 * hour)), filled: false }]);
  });

  it("says of each signal how late it is, how often it comes, and how long it has been silent where it has a period", async () => {
    const machine = await aMachine(db);
    const made: number[] = [];
    for (const [age, periodSet] of [
      [3, 1],
      [600, 1],
      [600, null],
      [600, 300],
    ] as const) {
      const { signalId } = await aSignal(db, { machine });
      made.push(signalId);
      await db.rows("update signal set period_s = $2 where id = $1", [signalId, periodSet]);
      await db.rows(
        "insert into signal_latest (signal_id, at, value, flags, received_at, period_s, values_total) values ($1, $2, 1, 0, $2::timestamptz + interval '1.5 s', 5, 9)",
        [signalId, ago(age)],
      );
    }
    const rows = await signalRows(db, machine.sourceId, now);
    expect(made.map((id) => rows.find((row) => row.id === id)).map((row) => [row?.lagS, row?.perMinute, row?.silentS])).toEqual([
      [1.5, 12, null],
      [1.5, 0.1, 600],
      [1.5, 0.1, null],
      [1.5, 0.1, null],
    ]);
  });

  it("lists the signals of a source with their newest values", async () => {
    const { signalId, sourceId } = await aSignal(db);
    await db.rows("insert into signal_latest (signal_id, at, value, flags, received_at, period_s, values_total) values ($1, $2, 71.5, 0, $2, 1.02, 99)", [
      signalId,
      ago(3),
    ]);
    expect(await signalRows(db, sourceId, now)).toMatchObject([{ id: signalId, at: now.getTime() - 3_000, value: 71.5, valuesTotal: 99 }]);
  });
});

describe("a dead link whose values come later", () => {
  const now = new Date("2026-03-04T10:00:00Z");
  const hourMs = 3_600_000;
  /** Minutes after the start of the day that is looked at. */
  const at = (minute: number) => new Date(now.getTime() - 24 * hourMs + minute * 60_000);
  const linkOf = async (form: string) => {
    const machine = await aMachine(db);
    await db.rows("update source set form = $2 where id = $1", [machine.sourceId, form]);
    return machine;
  };
  const said = (machine: TestMachine, events: readonly LinkEvent[]) =>
    db.rows(
      `with said as (select x.at, x.kind, x.alive from jsonb_to_recordset($2::jsonb) x(at timestamptz, kind text, alive bool)),
         told as (insert into link_event (source_id, address, at, kind, alive, received_at) select $1::int, $1::text, at, kind, alive, at from said on conflict do nothing)
       insert into source_status (source_id, announced, announced_at) select $1::int, alive, at from said where alive is not null order by at desc, alive desc limit 1`,
      [machine.sourceId, JSON.stringify(events.map((event) => ({ ...event, at: new Date(event.at) })))],
    );
  const sent = (machine: TestMachine, instants: readonly number[]) =>
    db.rows(
      `with values as (select to_timestamp(at / 1000.0) as at from unnest($2::float8[]) at),
         minutes as (insert into source_minute select $1::int, date_trunc('minute', at), min(at), max(at), count(*), 0 from values group by 2)
       insert into source_status (source_id, last_at) select $1::int, max(at) from values having count(*) > 0 on conflict (source_id) do update set last_at = excluded.last_at`,
      [machine.sourceId, instants],
    );
  const event = (minute: number, kind: string, alive: boolean | null): LinkEvent => ({ at: at(minute).getTime(), kind, alive });
  const shown = async (machine: TestMachine) => {
    const row = (await sourcesNow(now)).find((found) => found.id === machine.sourceId);
    const list = await gapRows(db, machine.sourceId, now);
    return { gaps: row?.gaps, filled: row?.gapsFilled, totalS: row?.gapTotalS, list: list.map((gap) => [gap.from, gap.to, gap.filled]) };
  };

  it("of a Sparkplug edge is filled by a history remark, whole, and by nothing else", async () => {
    const [filled, values] = [await linkOf("sparkplug"), await linkOf("sparkplug")];
    const events = [event(-60, "birth", true), event(100, "death", false), event(130, "birth", true), event(200, "death", false), event(220, "birth", true)];
    await said(filled, [...events, event(110, "history", null)]);
    await said(values, events);
    await sent(
      values,
      [100, 101, 102, 103, 104].map((minute) => at(minute).getTime()),
    );
    const gap = (from: number, to: number, isFilled: boolean) => [at(from).getTime(), at(to).getTime(), isFilled];
    expect(await shown(filled)).toEqual({ gaps: 1, filled: 1, totalS: 1200, list: [gap(200, 220, false), gap(100, 130, true)] });
    expect(await shown(values)).toEqual({ gaps: 2, filled: 0, totalS: 3000, list: [gap(200, 220, false), gap(100, 130, false)] });
  });

  it("of days ago is filled by history of the time between its first death and the birth", async () => {
    const link = await linkOf("sparkplug");
    await said(link, [
      event(-3000, "birth", true),
      event(-2000, "death", false),
      event(-1500, "history", null),
      event(-1000, "death", false),
      event(60, "birth", true),
    ]);
    expect(await shown(link)).toEqual({ gaps: 0, filled: 1, totalS: 0, list: [[at(0).getTime(), at(60).getTime(), true]] });
  });

  it("of another source is filled by its backlog, as far as that goes", async () => {
    const [whole, part] = [await linkOf("json"), await linkOf("json")];
    const events = [event(-60, "online", true), event(100, "offline", false), event(110, "online", true)];
    const minutes = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => at(from + i).getTime());
    for (const link of [whole, part]) await said(link, events);
    await sent(whole, minutes(99, 111));
    await sent(part, [...minutes(99, 104), ...minutes(108, 111)]);
    expect(await shown(whole)).toEqual({ gaps: 0, filled: 1, totalS: 0, list: [[at(100).getTime(), at(110).getTime(), true]] });
    expect(await shown(part)).toEqual({ gaps: 1, filled: 0, totalS: 240, list: [[at(104).getTime(), at(108).getTime(), false]] });
  });

  it("for any values and announcements: what is shown as a gap is what the ledger takes for dead", async () => {
    const minute = fc.integer({ min: -400, max: 1439 * 4 }).map((quarter) => at(quarter / 4).getTime());
    const events = fc.array(
      fc.record({
        at: minute,
        what: fc.constantFrom(["birth", true], ["death", false], ["offline", false], ["history", null], ["history", true], ["rebirth_requested", null]),
      }),
      { maxLength: 8 },
    );
    const link = fc.record({
      form: fc.constantFrom("json", "sparkplug", "mapped"),
      values: fc.array(minute, { maxLength: 12 }),
      events,
      isAnnounced: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(link, async ({ form, values, events, isAnnounced }) => {
        const machine = await linkOf(form);
        // Before the first sign of life ever, no one misses anything: there is one before the day.
        const first = isAnnounced ? event(-150, "birth", true) : event(-150, "rebirth_requested", null);
        const told = events.map(({ at, what: [kind, alive] }) => ({ at, kind, alive }) as LinkEvent);
        // Only Sparkplug edges deliver history as such.
        const linkEvents = [first, ...told.filter(({ kind }) => isAnnounced && (kind !== "history" || form === "sparkplug"))];
        const instants = [...new Set([at(-200).getTime(), ...values])];
        await said(machine, linkEvents);
        await sent(machine, instants);
        const minutes = [...Map.groupBy(instants, (instant) => Math.floor(instant / 60_000)).values()].map((of) => ({
          firstAt: Math.min(...of),
          lastAt: Math.max(...of),
        }));
        const window = { from: at(0).getTime(), to: now.getTime() };
        const dead = deadWindows({ window, now: now.getTime(), form: form as "json", noDataTimeoutS: 60, minutes, linkEvents });
        const gaps = (await gapRows(db, machine.sourceId, now)).filter((gap) => !gap.filled).map(({ from, to }) => ({ from, to }));
        expect(union(gaps)).toEqual(dead); // a single value parts two gaps
      }),
      { numRuns: 150 },
    );
  });
});

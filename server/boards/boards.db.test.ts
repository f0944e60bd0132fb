import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { permitted, program } from "#/server/identity/testing.ts";
import { aDatabase, aLine, aMachine, aSignal, type SignalRole, type TestDatabase, type TestLine, type TestMachine } from "#/server/testing.ts";
import type { BoardEvent, Picture, Tile } from "./picture-types.ts";
import { boardMaterial } from "./queries.ts";
import { boardPicture, lineIdAt } from "./service.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await aDatabase();
  process.env.DATABASE_URL = db.url; // watch.ts reads through the process's own pool
});
afterAll(() => db.drop());

const minute = 60_000;
const now = Date.parse("2026-03-04T10:30:20Z"); // 11:30:20 in Berlin
const at = (ms: number) => new Date(ms).toISOString();

type Machine = TestMachine & { signals: Partial<Record<SignalRole, number>> };
async function machineWith(line: TestLine, roles: SignalRole[], idealCycleS: number | null = 2): Promise<Machine> {
  const machine = await aMachine(db, { line });
  const signals: Machine["signals"] = {};
  for (const role of roles) signals[role] = (await aSignal(db, { machine, role })).signalId;
  if (idealCycleS !== null)
    await db.rows("insert into ideal_cycle (machine_id, from_at, ideal_cycle_s) values ($1, '2020-01-01', $2)", [machine.machineId, idealCycleS]);
  return { ...machine, signals };
}

const reading = (signal: number | undefined, atMs: number, text: string) =>
  db.rows("insert into ledger_sample (signal_id, at, text_value, received_at) values ($1, $2, $3, $2)", [signal, at(atMs), text]);

/** Values of a source, one every 10 s from `from` to `to`; `pieces` a minute for the good count. What the worker would have written. */
async function values(machine: Machine, from: number, to: number, pieces: number): Promise<void> {
  for (let m = Math.floor(from / minute) * minute; m < to; m += minute) {
    const [first, last] = [Math.max(m, from), Math.min(m + minute - 1, to)];
    await db.rows("insert into source_minute values ($1, $2, $3, $4, 6, 0.1)", [machine.sourceId, at(m), at(first), at(last)]);
    if (pieces > 0)
      await db.rows("insert into count_minute values ($1, $2, '', $3, $4, $5, $6)", [
        machine.signals.good_count,
        at(m),
        machine.machineId,
        pieces,
        at(first + 1),
        at(last),
      ]);
  }
  await db.rows(
    "insert into source_status (source_id, last_at, last_received_at, lag_s) values ($1, $2, $2, 0.1) on conflict (source_id) do update set last_at = $2",
    [machine.sourceId, at(to)],
  );
  if (machine.signals.good_count)
    await db.rows(
      "insert into signal_latest (signal_id, at, value, flags, received_at, piece_at, cycle_s) values ($1, $2, 1, 0, $2, $2, 1.9) on conflict (signal_id) do nothing",
      [machine.signals.good_count, at(to)],
    );
}

const shift = (line: TestLine, from: string, to: string, name = "Early") =>
  db.rows("insert into shift_instance (line_id, name, business_date, from_at, to_at) values ($1, $2, $3::timestamptz::date, $3, $4)", [
    line.lineId,
    name,
    from,
    to,
  ]);

async function tilesOf(line: TestLine, nowMs = now): Promise<{ picture: Picture; tiles: Tile[]; nextChangeAt: number }> {
  const { picture, nextChangeAt } = await boardPicture(db, line.lineId, new Date(nowMs));
  return { picture, tiles: picture.tiles, nextChangeAt };
}

describe("boardPicture", () => {
  it("shows a running machine with its pieces of the hour and the shift, against what should be there by now", async () => {
    const line = await aLine(db);
    await shift(line, "2026-03-04T05:00:00Z", "2026-03-04T13:00:00Z");
    const machine = await machineWith(line, ["state", "good_count", "reject_count"]);
    await reading(machine.signals.state, now - 6 * 60 * minute, "EXECUTE");
    await values(machine, now - 6 * 60 * minute, now, 20);
    const { picture, tiles } = await tilesOf(line);
    expect(picture.shift).toEqual({ name: "Early", from: Date.parse("2026-03-04T05:00:00Z"), to: Date.parse("2026-03-04T13:00:00Z") });
    expect(tiles[0]).toMatchObject({
      kind: "run",
      piecesHour: 31 * 20,
      piecesShift: 331 * 20,
      rejectsShift: 0,
      lastCycleS: 1.9,
      idealCycleS: 2,
      missing: null,
    });
    expect(tiles[0]?.expectedShift).toBeCloseTo((330 * 60 + 20) / 2);
    expect(picture.output).toMatchObject({ made: 331 * 20, perHour: 1800, planned: (8 * 3600) / 2, of: null });
    expect(picture.hours).toHaveLength(8);
    expect(picture.hours[5]).toEqual({
      from: Date.parse("2026-03-04T10:00:00Z"),
      to: Date.parse("2026-03-04T11:00:00Z"),
      made: 620,
      expected: 1800,
      due: (30 * 60 + 20) / 2,
    });
  });

  it("does not know what was made in an hour that nobody watched, and does not count that as a shortfall", async () => {
    const line = await aLine(db);
    await shift(line, "2026-03-04T05:00:00Z", "2026-03-04T13:00:00Z");
    const machine = await machineWith(line, ["state", "good_count"]);
    await reading(machine.signals.state, now - 90 * minute, "EXECUTE");
    await values(machine, now - 90 * minute, now, 20);
    const { picture } = await tilesOf(line);
    expect(picture.hours.map(({ made, due }) => [made === null, due === null])).toEqual([
      ...Array.from({ length: 4 }, () => [true, true]),
      ...Array.from({ length: 2 }, () => [false, false]),
      ...Array.from({ length: 2 }, () => [true, true]),
    ]);
    expect(picture.hours[0]?.expected).toBe(1800);
  });

  it("shows a stop with its reason, and neighbours that wait for it", async () => {
    const line = await aLine(db);
    const [filler, capper] = [await machineWith(line, ["state", "good_count", "fault_code"]), await machineWith(line, ["state", "good_count"])];
    await db.rows("update machine set position = id, upstream_id = case when id = $2 then $1::int end where id in ($1, $2)", [
      filler.machineId,
      capper.machineId,
    ]);
    await db.rows("insert into reason (site_id, key, name, loss, fault_code) values ($1, 'jam', 'Chute jammed', 'breakdown', 'F7')", [line.siteId]);
    for (const machine of [filler, capper]) {
      await reading(machine.signals.state, now - 60 * minute, "EXECUTE");
      await values(machine, now - 60 * minute, now, 5);
    }
    await reading(filler.signals.state, now - 7 * minute, "ABORTED");
    await reading(filler.signals.fault_code, now - 6 * minute, "F7");
    await reading(capper.signals.state, now - 5 * minute, "SUSPENDED");
    const { tiles } = await tilesOf(line);
    expect(tiles[0]).toMatchObject({ kind: "down", sinceAt: now - 7 * minute, reason: "Chute jammed", stateName: "Aborted" });
    expect(tiles[1]).toMatchObject({ kind: "starved", sinceAt: now - 5 * minute, waitsFor: tiles[0]?.name });
  });

  it("knows nothing of a machine that is silent for longer than its time-out, from its last value on", async () => {
    const line = await aLine(db);
    const machine = await machineWith(line, ["state", "good_count"]);
    await reading(machine.signals.state, now - 60 * minute, "EXECUTE");
    await values(machine, now - 60 * minute, now - 72_000, 5);
    const silent = await tilesOf(line);
    expect(silent.tiles[0]).toMatchObject({ kind: "unknown", sinceAt: now - 72_000, dataAt: now - 72_000 });
    // ... and says when that will be, while it is still alive
    const before = await tilesOf(line, now - 30_000);
    expect(before.tiles[0]?.kind).toBe("run");
    expect(before.nextChangeAt).toBeLessThanOrEqual(now - 72_000 + 60_001);
    expect((await tilesOf(line, before.nextChangeAt)).tiles[0]?.kind).not.toBe("run");
  });

  it("shows a machine that makes no pieces as down, not as running", async () => {
    const line = await aLine(db);
    const machine = await machineWith(line, ["state", "good_count"]);
    await reading(machine.signals.state, now - 60 * minute, "EXECUTE");
    await values(machine, now - 60 * minute, now - 10 * minute, 5);
    await values({ ...machine, signals: {} }, Math.floor(now / minute) * minute - 9 * minute, now, 0);
    expect((await tilesOf(line)).tiles[0]).toMatchObject({ kind: "down" });
  });

  it("tells a machine without signals from one that never sent", async () => {
    const line = await aLine(db);
    await machineWith(line, []);
    await machineWith(line, ["state", "good_count"]);
    const { tiles, picture } = await tilesOf(line);
    expect(tiles.map((tile) => [tile.missing, tile.piecesShift, tile.sinceAt])).toEqual([
      ["no_signals", null, null],
      ["never_sent", null, null],
    ]);
    expect(picture.shift).toBeNull();
  });

  it("does not call time unscheduled on a line without a shift plan, and does where the plan says so", async () => {
    const line = await aLine(db);
    const machine = await machineWith(line, ["state", "good_count"]);
    await reading(machine.signals.state, now - 60 * minute, "EXECUTE");
    await values(machine, now - 60 * minute, now, 5);
    expect((await tilesOf(line)).tiles[0]?.kind).toBe("run");
    await shift(line, "2026-03-04T13:00:00Z", "2026-03-04T21:00:00Z", "Late");
    const { tiles, picture } = await tilesOf(line);
    expect(tiles[0]).toMatchObject({ kind: "not_scheduled", running: true });
    expect(picture.nextShift).toEqual({ name: "Late", from: Date.parse("2026-03-04T13:00:00Z") });
  });

  it("counts the constraint's pieces where a line has one", async () => {
    const line = await aLine(db);
    const [first, second] = [await machineWith(line, ["good_count"]), await machineWith(line, ["good_count"])];
    await values(first, now - 60 * minute, now, 9);
    await values(second, now - 60 * minute, now, 5);
    for (const machine of [first, second]) await reading(machine.signals.good_count, now - 60 * minute, "1"); // without a state signal: known since then
    await db.rows("update line set topology = 'constraint', constraint_machine_id = $2 where id = $1", [line.lineId, second.machineId]);
    const { picture } = await tilesOf(line);
    expect(picture.output).toMatchObject({ made: 61 * 5, of: picture.tiles[1]?.name });
    expect(picture.tiles.map((tile) => tile.kind)).toEqual(["run", "run"]);
  });

  it("names the machine whose missing ideal cycle leaves the line without a target", async () => {
    const line = await aLine(db);
    await shift(line, "2026-03-04T05:00:00Z", "2026-03-04T13:00:00Z");
    const machines = [await machineWith(line, ["good_count"]), await machineWith(line, ["good_count"], null), await machineWith(line, ["state"], null)];
    for (const machine of machines) await values(machine, now - 60 * minute, now, machine.signals.good_count ? 5 : 0);
    const { picture, tiles } = await tilesOf(line);
    const second = tiles.find((tile) => tile.machineId === machines[1]?.machineId);
    // The third counts nothing, so that it takes no target away.
    expect(picture.output).toMatchObject({ expected: null, planned: null, withoutCycle: [second?.name] });
    await db.rows("insert into ideal_cycle (machine_id, from_at, ideal_cycle_s) values ($1, '2020-01-01', 2)", [machines[1]?.machineId]);
    expect((await tilesOf(line)).picture.output).toMatchObject({ expected: expect.any(Number), withoutCycle: [] });
  });

  it("tells a machine that said it is offline, and whose values still come, from one that is silent", async () => {
    const line = await aLine(db);
    const machine = await machineWith(line, ["state", "good_count"]);
    await reading(machine.signals.state, now - 60 * minute, "EXECUTE");
    await values(machine, now - 60 * minute, now - 1_000, 5);
    const saidAt = now - 40_000;
    await db.rows(
      "insert into link_event (source_id, address, at, kind, alive, received_at) select id, address, $2, 'offline', false, $2 from source where id = $1",
      [machine.sourceId, at(saidAt)],
    );
    await db.rows("update source_status set announced = false, announced_at = $2 where source_id = $1", [machine.sourceId, at(saidAt)]);
    expect((await tilesOf(line)).tiles[0]).toMatchObject({ kind: "unknown", saidOffline: true, sinceAt: saidAt, dataAt: now - 1_000 });
    const later = now + 70_000; // no more values: it is as it said
    expect((await tilesOf(line, later)).tiles[0]).toMatchObject({ kind: "unknown", saidOffline: false, sinceAt: now - 1_000 });
  });

  it("refuses a line that there is not", async () => {
    await expect(boardPicture(db, 999_999, new Date(now))).rejects.toThrow("no longer in use");
    await expect(lineIdAt(permitted(db, program, "board.read"), { site: "a", area: "b", line: "c" })).rejects.toThrow("There is no line a/b/c.");
  });

  it("knows the readings in force from long before the window, without opening the history in between", async () => {
    const machine = await machineWith(await aLine(db), ["state", "product", "fault_code"]);
    const counter = await machineWith({ ...machine }, ["good_count"]);
    const [old, day] = [now - 100 * 24 * 60 * minute, 24 * 60 * minute];
    for (let i = 0; i < 100; i += 1) await reading(0, old + i * day, "x"); // a chunk a day, of some other signal
    await reading(machine.signals.state, old, "STOPPED");
    await reading(machine.signals.product, now - 30 * day, "A");
    await reading(machine.signals.product, now - 60 * minute, "B");
    await reading(machine.signals.fault_code, now - 60 * minute, "E1");
    await reading(counter.signals.good_count, old, "1");
    await reading(counter.signals.good_count, now - 30 * minute, "2");
    for (const [signal, atMs, text, total] of [
      [machine.signals.state, old, "STOPPED", 1],
      [machine.signals.product, now - 60 * minute, "B", 2],
      [machine.signals.fault_code, now - 60 * minute, "E1", 1],
      [counter.signals.good_count, now - 30 * minute, "2", 2],
    ] as const)
      await db.rows("insert into signal_latest (signal_id, at, text_value, flags, received_at, values_total) values ($1, $2, $3, 0, $2, $4)", [
        signal,
        at(atMs),
        text,
        total,
      ]);
    const asked: string[] = [];
    const material = await boardMaterial(
      {
        rows: (sql, parameters, how) => {
          asked.push(sql);
          return db.rows(sql, parameters, how);
        },
      },
      machine.lineId,
      new Date(now),
    );
    const [one, two] = [machine, counter].map(({ machineId }) => material?.machines.find((found) => found.id === machineId));
    expect(one?.states).toEqual([{ atMs: old, value: null, text: "STOPPED" }]);
    expect(one?.products).toMatchObject([
      { atMs: now - 30 * day, text: "A" },
      { atMs: now - 60 * minute, text: "B" },
    ]);
    expect(one?.faults).toMatchObject([{ atMs: now - 60 * minute, text: "E1" }]);
    expect(two?.firstReadingMs).toBe(old);
    // the bounded statement, 60 days, and all there is for the one that is left
    expect(asked.map((sql) => sql.split("\n")[0])).toEqual(["-- boards.boardMaterial", "-- boards.settle", "-- boards.settle"]);
    const plan = await db.rows<{ "QUERY PLAN": string }>(`explain ${asked[0]}`, [
      machine.lineId,
      new Date(now),
      8 * 3600,
      new Date(now - 6 * day),
      new Date(now - 35 * day),
    ]);
    const chunks = new Set(plan.flatMap((row) => row["QUERY PLAN"].match(/_hyper_\d+_\d+_chunk/g) ?? []));
    expect(chunks.size).toBeLessThanOrEqual(20);
  });
});

describe("watchBoard", () => {
  const running: AbortController[] = [];
  afterEach(() => {
    for (const controller of running.splice(0)) controller.abort();
  });

  async function viewer(lineId: number, lastEventId: string | null = null) {
    const { watchBoard } = await import("./watch.ts");
    const controller = new AbortController();
    running.push(controller);
    const events = watchBoard(lineId, lastEventId, controller.signal);
    return {
      stop: () => controller.abort(),
      /** The next event with a picture. */
      async next(): Promise<{ id: string; event: BoardEvent; picture: Picture }> {
        for (;;) {
          const { value, done } = await events.next();
          if (done || !value) throw new Error("the stream ended");
          const [id, event] = [value[0] as string, value[1] as BoardEvent];
          if (event.picture !== null) return { id, event, picture: JSON.parse(event.picture) as Picture };
        }
      },
      first: async () => (await events.next()).value?.[1] as BoardEvent,
    };
  }

  it("sends one picture to all who look, and a new one when the line changed", async () => {
    const line = await aLine(db);
    const machine = await machineWith(line, ["state"]);
    const alive = Date.now();
    await reading(machine.signals.state, alive - minute, "EXECUTE");
    await values(machine, alive - minute, alive, 0);
    const viewers = await Promise.all(Array.from({ length: 50 }, () => viewer(line.lineId)));
    const firsts = await Promise.all(viewers.map((v) => v.next()));
    expect(new Set(firsts.map((f) => f.id)).size).toBe(1);
    expect(firsts[0]?.picture.tiles[0]?.kind).toBe("run");
    await reading(machine.signals.state, Date.now() - 1, "ABORTED");
    await db.rows("select pg_notify('board', $1)", [JSON.stringify([line.lineId])]);
    const seconds = await Promise.all(viewers.map((v) => v.next()));
    expect(new Set(seconds.map((s) => s.id)).size).toBe(1);
    expect(seconds[0]?.picture.tiles[0]?.kind).toBe("down");
    // Who reconnects and has seen it gets no second copy.
    const again = await viewer(line.lineId, seconds[0]?.id ?? "");
    expect((await again.first()).picture).toBeNull();
  });

  it("reads everything again after its listening connection broke", async () => {
    const line = await aLine(db);
    const machine = await machineWith(line, ["state"]);
    const alive = Date.now();
    await reading(machine.signals.state, alive - minute, "EXECUTE");
    await values(machine, alive - minute, alive, 0);
    const screen = await viewer(line.lineId);
    await screen.next();
    await reading(machine.signals.state, Date.now() - 1, "ABORTED"); // no one says so
    await db.rows("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'takt-web-listen' and datname = current_database()");
    let kind = "";
    while (kind !== "down") kind = (await screen.next()).picture.tiles[0]?.kind ?? "";
    expect(kind).toBe("down");
  });

  it("says that no worker was ever seen, that one is alive, and that the line's own is gone", async () => {
    const line = await aLine(db);
    const { readUpstream, currentTrouble } = await import("./upstream.ts");
    const trouble = () => currentTrouble(line.lineId, Date.now());
    await db.rows("delete from ingest_worker");
    await readUpstream();
    expect(trouble()).toEqual({ part: "worker", sinceAt: null });
    const screen = await viewer(line.lineId);
    expect((await screen.first()).trouble).toEqual({ part: "worker", sinceAt: null });
    const machine = await machineWith(line, ["state"]);
    const alive = Date.now();
    await reading(machine.signals.state, alive - 20 * minute, "EXECUTE");
    await values(machine, alive - 20 * minute, alive - 10 * minute, 0);
    await db.rows(
      "insert into link_event (source_id, address, at, kind, alive, detail, received_at) select id, address, $2, 'online', true, '', $2 from source where id = $1",
      [machine.sourceId, at(alive - 15 * minute)],
    );
    const [{ address } = { address: "" }] = await db.rows<{ address: string }>("select address from source where id = $1", [machine.sourceId]);
    for (const [name, filter] of [
      ["own", `takt/v1/${address}/#`],
      ["other", "takt/v1/other/#"],
    ]) {
      await db.rows("insert into ingest_worker (name, at, started_at, stats) values ($1, now(), now(), $2)", [name, JSON.stringify({ mqttConnected: true })]);
      await db.rows("insert into ingest_lease (name, filters, holder, expires_at) values ($1, $2, 'test', now())", [name, [filter]]);
    }
    await db.rows("select pg_notify('plant', '')");
    let seen = await screen.next(); // silent, but the machine says that it is there, and someone listens
    while (seen.event.trouble || seen.picture.tiles[0]?.kind !== "run") seen = await screen.next();
    expect(trouble()).toBeNull();
    await db.rows("update ingest_worker set at = now() - interval '5 minutes' where name = 'own'");
    await readUpstream();
    expect(trouble()).toMatchObject({ part: "worker" });
    while (seen.picture.tiles[0]?.kind === "run") seen = await screen.next();
    expect(seen.picture.tiles[0]?.kind).toBe("unknown");
    expect(seen.event.trouble).toMatchObject({ part: "worker" });
  });
});

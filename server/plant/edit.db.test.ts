import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { closePool } from "#/server/db.ts";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";
import { applyText, editing, refusal, smallPlant } from "./edit-testing.ts";
import { exportPlant } from "./export.ts";
import { readPlantFile } from "./read-file.ts";
import { applyPlan, planPlant } from "./service.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await aDatabase();
  process.env.DATABASE_URL = db.url; // changes go through the process's own pool
});
afterAll(async () => {
  await closePool();
  await db.drop();
});
beforeEach(async () => {
  await db.asOwner.rows("truncate enterprise, ledger_sample, sample, signal_latest cascade");
});
const { plant, column, make, change } = editing({ rows: (...query) => db.rows(...query) } as TestDatabase);
const small = () => applyText(db, smallPlant);

describe("from nothing", () => {
  it("a plant is made thing by thing, its file makes the same on another empty database, and exports the same bytes", async () => {
    expect(await plant().tree()).toMatchObject({ enterprise: null, sites: [] });
    await make("enterprise", "", { key: "acme", name: "Acme", currency: "EUR" });
    await make("currency_rate", "acme", { currency: "USD", month: "2026-04", rate: 0.92 });
    await make("product_line", "acme", { key: "housings", name: "" });
    await make("product", "housings", { key: "H-100", name: "Housing 100" });
    await make("site", "acme", {
      key: "berlin",
      zone: "Europe/Berlin",
      currency: "EUR",
      product_costs: [{ product: "H-100", value: 12.5, scrap: null, from: null, until: null }],
      energy_prices: [{ price: 0.21 }, { price: 0.19, from: "2026-07-01" }],
      targets: [{ oee: 75, quality: 99 }],
    });
    await make("shift_pattern", "berlin", { key: "two" });
    await make("shift", "berlin/two", {
      key: "early",
      days: "mon-fri",
      start: "06:00",
      end: "14:00",
      breaks: [{ name: "Breakfast", start: "09:00", end: "09:15" }],
    });
    await make("shift", "berlin/two", { key: "night", days: "mon-thu", start: "22:00", end: "06:00" });
    await make("reason", "berlin", { key: "mech", parent: null, loss: "breakdown" });
    await make("reason", "berlin", { key: "belt", parent: "mech", loss: null, fault_code: "17" });
    await make("team", "berlin", { key: "maintenance", name: "Maintenance" });
    await make("area", "berlin", { key: "hall" });
    await make("line", "berlin/hall", { key: "l1", shift_pattern: [{ pattern: "two", from: null, until: null }], targets: [{ pieces_per_hour: 900 }] });
    await make("machine", "berlin/hall/l1", {
      key: "m1",
      kind: "press",
      ideal_cycles: [{ product: null, seconds: "4.2" }],
      hourly_costs: [{ cost: 85 }],
      targets: [{ oee: 80 }],
    });
    await make("machine", "berlin/hall/l1", { key: "m2", upstream: "m1", source: { form: "sparkplug", address: "G/N", no_data_timeout: "5m" } });
    await make("signal", "berlin/hall/l1/m1", { key: "state", role: "state" });
    await make("signal", "berlin/hall/l1/m1", {
      key: "temp",
      role: "measurement",
      unit: "Cel",
      dead_band: 0.5,
      keep_raw: true,
      mapping: [{ topic: "hall/temp", path: "v" }],
    });
    await make("signal", "berlin/hall/l1/m2", { key: "Good", role: "good_count" });
    await make("calendar_entry", "berlin", { key: "xmas", name: "Christmas", kind: "holiday", date: "2026-12-24", last_date: "2026-12-26" });
    await make("calendar_entry", "berlin", {
      key: "sat",
      kind: "extra_shift",
      line: "hall/l1",
      date: "2026-11-28",
      start: "06:00",
      end: "12:00",
      breaks: [{ start: "09:00", end: "09:15" }],
    });
    await make("calendar_entry", "berlin", { key: "no-night", kind: "cancelled_shift", shift: "two/night", date: "2026-12-31" });
    await make("device", "berlin", {
      key: "gw",
      identity: "berlin-gw",
      fingerprint: `${"AB:".repeat(31)}CD`,
      expires: "2027-01-01",
      firmware: "1.2",
      topics: ["takt/v1/berlin/#"],
    });
    const line = await change("line", "berlin/hall/l1", { topology: "constraint", constraint_machine: "m1", last_machine: "m2" });
    expect(line.lines).toEqual([
      "~ line berlin/hall/l1: topology parallel -> constraint, constraint machine none -> berlin/hall/l1/m1, last machine none -> berlin/hall/l1/m2",
    ]);

    const first = await exportPlant(db);
    expect(first).toMatchSnapshot();
    const { plant: file, complaints } = readPlantFile(first ?? "");
    expect(complaints).toEqual([]);
    const empty = await aDatabase();
    try {
      if (file) await applyPlan(empty, await planPlant(empty, file, new Date()), new Date());
      expect(await exportPlant(empty)).toBe(first);
    } finally {
      await empty.drop();
    }
    expect((await plant().tree()).sites).toMatchObject([
      {
        address: "berlin",
        mayChange: true,
        counts: { area: 1, line: 1, machine: 2, signal: 3, shift_pattern: 1, shift: 2, reason: 2, team: 1, device: 1, source: 2, calendar_entry: 3 },
        areas: [
          {
            lines: [
              {
                address: "berlin/hall/l1",
                machines: [
                  { key: "m1", signals: 2 },
                  { key: "m2", signals: 1 },
                ],
              },
            ],
          },
        ],
      },
    ]);
    expect((await plant().exportYaml()).text).toBe(first);
  });
});

describe("put", () => {
  beforeEach(small);

  it("what is read can be put as it is, and changes nothing", async () => {
    const before = await exportPlant(db);
    for (const kind of [
      "site",
      "shift_pattern",
      "shift",
      "reason",
      "source",
      "area",
      "line",
      "machine",
      "signal",
      "product",
      "product_line",
      "enterprise",
    ] as const) {
      for (const row of (await plant().list({ kind })).rows) {
        const item = await plant().item({ kind, address: row.address });
        expect(item, row.address).toMatchObject({ version: row.version, fields: row.fields });
        expect((await plant().put({ kind, address: row.address, parent: item.parent, fields: item.fields, version: item.version })).lines, row.address).toEqual(
          [],
        );
      }
    }
    expect(await exportPlant(db)).toBe(before);
  });

  it("changes what is said and leaves the rest", async () => {
    const { lines, fields, version } = await change("machine", "berlin/hall/l1/m1", { kind: "press", no_count_timeout: "2m" });
    expect(lines).toEqual(["~ machine berlin/hall/l1/m1: kind machine -> press, no count timeout none -> 2m"]);
    expect(fields).toMatchObject({
      kind: "press",
      no_count_timeout: "2m",
      ideal_cycles: [
        { product: null, seconds: 4 },
        { product: "A", seconds: 3 },
      ],
      hourly_costs: [{ cost: 80 }],
    });
    expect((await plant().item({ kind: "machine", address: "berlin/hall/l1/m1" })).version).toBe(version);
    expect((await change("machine", "berlin/hall/l1/m1", { kind: null })).fields.kind).toBe("machine");
  });

  it("renames from the site down, and all that names it follows", async () => {
    const ids = await column("select id as x from signal order by id");
    await change("machine", "berlin/hall/l1/m1", { key: "press-1" });
    expect((await plant().item({ kind: "line", address: "berlin/hall/l1" })).fields).toMatchObject({ constraint_machine: "press-1" });
    expect((await plant().item({ kind: "machine", address: "berlin/hall/l1/m2" })).fields).toMatchObject({ upstream: "press-1" });
    expect((await change("line", "berlin/hall/l1", { key: "line-1" })).lines).toEqual(["~ line berlin/hall/line-1: key l1 -> line-1, name l1 -> line-1"]);
    await change("product", "A", { key: "AA" });
    await change("site", "berlin", { key: "bln" });
    expect(await column("select address as x from source order by id")).toEqual(["gateway", "bln/hall/line-1/press-1", "G/N", "chicago/a/l/x"]);
    expect((await plant().item({ kind: "machine", address: "bln/hall/line-1/press-1" })).fields.ideal_cycles).toMatchObject([{}, { product: "AA" }]);
    await change("source", "G/N", { address: "G/Edge2", no_data_timeout: "10m" });
    expect(
      await column(
        "select concat_ws(' ', t.pattern, t.path, s.address, s.no_data_timeout_s) as x from topic_mapping t join signal g on g.id = t.signal_id join source s on s.id = g.source_id where t.form = 'sparkplug'",
      ),
    ).toEqual(["G/Edge2 V G/Edge2 600"]);
    expect(await column("select id as x from signal order by id")).toEqual(ids);
    const text = (await exportPlant(db)) ?? "";
    const { plant: file } = readPlantFile(text);
    if (file) expect((await planPlant(db, file, new Date())).lines).toEqual([]);
  });

  it("tells each wrong field in words", async () => {
    const line = "berlin/hall/l1";
    expect(
      (
        await refusal(
          change("machine", `${line}/m1`, {
            name: "x".repeat(201),
            upstream: "m9",
            no_count_timeout: "5s",
            ideal_cycles: [{ seconds: 0 }, { product: "Z", seconds: 2 }],
          }),
        )
      ).fields,
    ).toEqual({
      name: "Must be 200 characters at most.",
      upstream: 'This line has no machine "m9"; did you mean "m1"?',
      no_count_timeout: "Must be at least 60s.",
      "ideal_cycles.0.seconds": "Must be above 0: it is the ideal time of one piece.",
      "ideal_cycles.1.product": 'There is no product "Z"; did you mean "A"?',
    });
    expect((await refusal(make("machine", line, { key: "m1" }))).fields).toEqual({ key: 'There are two machines "m1".' });
    expect((await refusal(change("machine", `${line}/m1`, { key: "m2" }))).fields.key).toBe('There are two machines "m2".');
    expect((await refusal(make("signal", `${line}/m1`, { key: "s", role: "measurement", mapping: [{ topic: "hall/m2", path: "good" }] }))).fields).toEqual({
      "mapping.0.topic": `The topic hall/m2 with the path good would go to two signals: ${line}/m2/good and ${line}/m1/s.`,
    });
    expect((await refusal(make("signal", `${line}/m1`, { key: "s", role: "measurement", mapping: [{ topic: "chi/1/#" }] }))).fields).toEqual({
      "mapping.0.topic": `Topics that match both chi/+/s and chi/1/# would go to two signals: chicago/a/l/x/s and ${line}/m1/s.`,
    });
    expect((await refusal(make("shift", "berlin/day", { key: "e", days: "mon", start: "13:00", end: "13:00" }))).fields).toEqual({
      end: "The shift lasts 0 h; if it lasts 24 h, write its end as 37:00 (13:00 of the next day).",
    });
    expect((await refusal(make("shift", "berlin/day", { key: "e", days: "sat", start: "13:00", end: "38:00" }))).fields).toEqual({
      end: "The shift lasts 25 h; 24 h is the longest.",
    });
    expect((await refusal(make("shift", "berlin/day", { key: "e", days: "mon", start: "13:00", end: "20:00" }))).fields).toEqual({
      start: 'The shifts "d" and "e" overlap on Monday, at 13:00.',
    });
    expect((await refusal(change("shift", "berlin/day/d", { breaks: [{ name: "", start: "15:00", end: "15:15" }] }))).fields).toEqual({
      "breaks.0.start": "The break 15:00 to 15:15 is not inside its shift (06:00 to 14:00).",
    });
    expect((await refusal(change("reason", "berlin/mech", { parent: "torn" }))).fields).toEqual({
      parent: 'A reason cannot stand below itself: "torn" is part of "mech".',
    });
    expect((await refusal(make("reason", "berlin", { key: "x", parent: "torn" }))).sentence).toBe(
      "The tree of reasons has 3 levels at most; this would be level 4.",
    );
    expect((await refusal(change("site", "berlin", { currency: "EURO", zone: "Mars" }))).fields).toEqual({
      currency: "Is no currency of ISO 4217; write its code in capitals, such as EUR, USD or JPY.",
      zone: 'There is no time zone "Mars"; write it as the IANA database does, such as Europe/Berlin, America/Chicago or UTC.',
    });
    expect(
      (
        await refusal(
          change("site", "berlin", {
            product_costs: [
              { product: "A", value: 1, from: "2026-01-01", until: "2026-03-01" },
              { product: "A", value: 2, from: "2026-02-01" },
            ],
          }),
        )
      ).fields,
    ).toEqual({ "product_costs.0.until": '"until" is later than the "from" of the entry that follows.' });
    expect((await refusal(change("line", line, { constraint_machine: null }))).fields).toMatchObject({
      constraint_machine: expect.stringMatching(/is missing/),
    });
    expect((await refusal(make("machine", "berlin/hall/nowhere", { key: "m" }))).fields).toEqual({ parent: 'There is no line "berlin/hall/nowhere".' });
    expect((await refusal(make("machine", line, { key: "m4", source: { form: "mapped", address: "chicago/a/l/x" } }))).fields).toEqual({
      "source.address": 'There are two sources with the address "chicago/a/l/x".',
    });
  });

  it.each([
    ["empty", ""],
    ["blank", " \u00a0 "],
    ["huge", "x".repeat(100_000)],
    ["HTML", "<script>alert(1)</script>"],
    ["SQL", "'; drop table machine; --"],
    ["dots", "../../etc/passwd"],
    ["emoji", "🏭"],
    ["right to left", "\u202Egnp.exe"],
    ["look-alike", "рress"], // the first letter is Cyrillic
    ["NUL", "a\u0000b"],
    ["half a character", "\uD800"],
  ])("a key or name that is %s is refused in words, or kept as it is", async (_what, text) => {
    expect((await refusal(make("machine", "berlin/hall/l1", { key: text }))).fields.key).toMatch(/^[A-Z].*\.$/s);
    const named = await make("machine", "berlin/hall/l1", { key: "m9", name: text }).catch((error: Error) => error);
    if (named instanceof Error) expect((await refusal(Promise.reject(named))).fields.name).toMatch(/^(Must|This text) .*\.$/s);
    else expect(named.fields.name).toBe(text === "" ? "m9" : text);
  });

  it("of two who save, the second sees what the first stored", async () => {
    const before = await plant().item({ kind: "machine", address: "berlin/hall/l1/m1" });
    await change("machine", "berlin/hall/l1/m1", { kind: "press" });
    const { code, present } = await refusal(
      plant().put({ kind: "machine", address: "berlin/hall/l1/m1", parent: null, fields: { kind: "cnc" }, version: before.version }),
    );
    expect({ code, present }).toMatchObject({ code: "CONFLICT", present: { values: { kind: "press", hourly_costs: [{ cost: 80 }] } } });
    const { version } = present as { version: string };
    expect((await plant().put({ kind: "machine", address: "berlin/hall/l1/m1", parent: null, fields: { kind: "cnc" }, version })).fields.kind).toBe("cnc");
    await plant().remove({ kind: "machine", address: "berlin/hall/l1/m3", version: null });
    expect((await refusal(plant().put({ kind: "machine", address: "berlin/hall/l1/m3", parent: null, fields: {}, version: "x" }))).code).toBe("NOT_FOUND");
  });

  it("what holds from a time on: from now, from a day, and corrected for the past", async () => {
    const rates = () =>
      column(
        "select concat_ws(' ', ideal_cycle_s, extract(year from from_at), to_at::date) as x from ideal_cycle c left join product p on p.id = c.product_id where p.id is null order by from_at",
      );
    const address = "berlin/hall/l1/m1";
    await db.rows("insert into signal_latest (signal_id, at, value, flags, received_at) select id, now(), 1, 0, now() from signal where key = 'state'");
    await change("machine", address, { ideal_cycles: [{ seconds: 5 }] });
    const today = new Date().toISOString().slice(0, 10);
    expect(await rates()).toEqual([`4 1970 ${today}`, `5 ${today.slice(0, 4)}`]);
    const { fields } = await plant().item({ kind: "machine", address });
    expect(fields.ideal_cycles).toMatchObject([
      { seconds: 4, from: null },
      { seconds: 5, from: expect.any(String) },
      { product: "A", seconds: 3 },
    ]);
    // every entry says from when: taken at its word, the past too
    await change("machine", address, {
      ideal_cycles: [
        { seconds: 6, from: "1970-01-01" },
        { seconds: 7, from: "2035-01-01" },
      ],
    });
    expect(await rates()).toEqual(["6 1970 2034-12-31", "7 2034"]);
    await change("machine", address, { ideal_cycles: [{ seconds: 7, from: "2035-01-01" }] });
    expect(await rates()).toEqual(["7 2034"]);
  });

  it("several at once, all or none", async () => {
    const machine = (key: string, fields = {}) => ({
      kind: "machine" as const,
      address: null,
      parent: "berlin/hall/l1",
      fields: { key, ...fields },
      version: null,
    });
    const wrong = await refusal(plant().putMany({ items: [machine("a"), machine("b", { upstream: "z" })] }));
    expect(wrong.fields).toEqual({ "items.1.upstream": 'This line has no machine "z"; did you mean "a"?' });
    expect(await column("select count(*)::int as x from machine")).toEqual([4]);
    const made = await plant().putMany({
      items: [
        machine("a"),
        machine("b", { upstream: "a" }),
        { kind: "signal", address: null, parent: "berlin/hall/l1/b", fields: { key: "s", role: "state" }, version: null },
      ],
    });
    expect(made.addresses).toEqual(["berlin/hall/l1/a", "berlin/hall/l1/b", "berlin/hall/l1/b/s"]);
    await plant().reorder({ line: "berlin/hall/l1", keys: ["b", "a", "m3", "m2", "m1"] });
    expect((await plant().tree()).sites[0]?.areas[0]?.lines[0]?.machines.map(({ key }) => key)).toEqual(["b", "a", "m3", "m2", "m1"]);
    expect((await refusal(plant().reorder({ line: "berlin/hall/l1", keys: ["b"] }))).code).toBe("CONFLICT");
  });

  it("a source that another machine has for its own becomes one of both", async () => {
    const done = await change("machine", "berlin/hall/l1/m1", { source: "G/N" });
    expect(done.fields.source).toBe("G/N");
    expect((await plant().item({ kind: "source", address: "G/N" })).usedBy).toMatchObject([
      { address: "berlin/hall/l1/m1", how: "takes_values" },
      { address: "berlin/hall/l1/m3" },
    ]);
    await plant().remove({ kind: "machine", address: "berlin/hall/l1/m3", version: null });
    expect(
      await column("select address as x from source where retired_at is null and site_id = (select id from site where key = 'berlin') order by id"),
    ).toEqual(["gateway", "G/N"]);
  });

  it("a machine's own publisher need not be said, and a currency stays while there is money", async () => {
    const own = { form: "json", address: null, no_data_timeout: "60s", max_backfill: "90d" };
    await make("machine", "berlin/hall/l1", { key: "m9", source: own });
    const text = await exportPlant(db);
    const { plant: file } = readPlantFile(text ?? "");
    if (file) expect((await planPlant(db, file, new Date())).lines).toEqual([]);
    expect((await refusal(change("site", "chicago", { currency: null }))).sentence).toBe(
      'The money of this site needs a currency: give the site a "currency", such as EUR.',
    );
  });

  it("an identity that a retired device had can be given again", async () => {
    await make("device", "berlin", { key: "a", identity: "x" });
    expect((await refusal(make("device", "chicago", { key: "b", identity: "x" }))).fields).toEqual({
      identity: 'The identity "x" is taken: a broker knows each name once.',
    });
    await db.rows("update device set retired_at = now()");
    await make("device", "chicago", { key: "b", identity: "x" });
  });

  it("a product moves to another product line", async () => {
    const { version } = await plant().item({ kind: "product", address: "A" });
    expect((await plant().put({ kind: "product", address: "A", parent: "other", fields: {}, version })).parent).toBe("other");
    expect(
      (await refusal(plant().put({ kind: "machine", address: "berlin/hall/l1/m1", parent: "chicago/a/l", fields: {}, version: null }))).fields.parent,
    ).toMatch(/cannot move/);
  });
});

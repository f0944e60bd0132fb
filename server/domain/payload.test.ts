import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeMachine, decodeSignal, instant, maxPayloadBytes, parsePayload, valueAt, whyNotScalar } from "./payload.ts";

const at = 1_790_000_000_000;
const bytes = (text: string) => Buffer.from(text);
const signal = (text: string) => decodeSignal(bytes(text));
const machine = (text: string) => decodeMachine(bytes(text));
const one = (value: unknown, ts: number | null = null) => ({ entries: [{ at: ts, values: [["", value]] }] });

describe("a payload for one signal", () => {
  it.each([
    ["a bare number", "12.3", one(12.3)],
    ["a bare number with spaces", " 12.3\n", one(12.3)],
    ["a bare boolean", "true", one(true)],
    ["a bare word", "EXECUTE", one("EXECUTE")],
    ["a word with spaces and signs", "Auftrag 4711/A (neu)", one("Auftrag 4711/A (neu)")],
    ["a decimal comma is a word, which a number signal refuses", "1,5", one("1,5")],
    ["a quoted text", '"EXECUTE"', one("EXECUTE")],
    ["null", "null", one(null)],
    ["value and time", `{"ts":${at},"value":12.3}`, one(12.3, at)],
    ["value and ISO time", '{"ts":"2026-09-21T14:13:20.5Z","value":1}', one(1, Date.UTC(2026, 8, 21, 14, 13, 20, 500))],
    ["value without time", '{"value":false}', one(false)],
    ["time null is no time", '{"ts":null,"value":1}', one(1)],
    ["what else is in the object is no matter", `{"ts":${at},"value":1,"quality":"good"}`, one(1, at)],
    ["a list", `[{"ts":${at},"value":1},{"ts":${at + 1},"value":2},3]`, { entries: [...one(1, at).entries, ...one(2, at + 1).entries, ...one(3).entries] }],
  ])("%s", (_name, text, expected) => {
    expect(signal(text)).toEqual(expected);
  });

  it.each([
    ["no value", `{"ts":${at},"wert":1}`, "payload_shape", /needs "value"/],
    ["__proto__ is no value", `{"ts":${at},"__proto__":{"value":1}}`, "payload_shape", /needs "value"/],
    ["an empty list", "[]", "payload_empty", /empty list/],
  ])("%s", (_name, text, code, reason) => {
    expect(signal(text)).toEqual({ code, reason: expect.stringMatching(reason) });
  });
});

describe("a bad item of a list is refused alone, and its neighbours are read", () => {
  it.each([
    ["seconds", { ts: at / 1000, value: 2 }, "ts_invalid"],
    ["a word for a time", { ts: "x", value: 2 }, "ts_invalid"],
    ["no value", { ts: at }, "payload_shape"],
    ["a list", [], "payload_shape"],
  ])("for a signal: %s", (_name, item, code) => {
    expect(signal(JSON.stringify([{ ts: at, value: 1 }, item, 3]))).toEqual({
      entries: [...one(1, at).entries, ...one(3).entries],
      refused: [{ item, code, reason: expect.stringMatching(/\.$/) }],
    });
  });
  it.each([
    ["null", null, "payload_shape", undefined],
    ["a number", 5, "payload_shape", undefined],
    ["a list", [[]], "payload_shape", undefined],
    ["seconds", { ts: at / 1000, good: 2, scrap: 1 }, "ts_invalid", 2],
    ["a bad time and no signal", { ts: "noon" }, "ts_invalid", 1],
  ])("for a machine: %s", (_name, item, code, values) => {
    expect(machine(JSON.stringify([{ ts: at, good: 1 }, item, { ts: at + 1, good: 3 }]))).toEqual({
      entries: [
        { at, values: [["good", 1]] },
        { at: at + 1, values: [["good", 3]] },
      ],
      refused: [{ item, code, reason: expect.stringMatching(/\.$/), values }],
    });
  });
});

describe("a payload for a machine", () => {
  it.each([
    [
      "its signals",
      `{"ts":${at},"temperature":71.2,"good":1021,"state":"EXECUTE"}`,
      [
        {
          at,
          values: [
            ["temperature", 71.2],
            ["good", 1021],
            ["state", "EXECUTE"],
          ],
        },
      ],
    ],
    ["without time", '{"good":1}', [{ at: null, values: [["good", 1]] }]],
    [
      "a backlog",
      `[{"ts":${at},"good":1},{"ts":${at + 1},"good":2}]`,
      [
        { at, values: [["good", 1]] },
        { at: at + 1, values: [["good", 2]] },
      ],
    ],
    ["an entry without signals is passed over", `[{"ts":${at}},{"ts":${at},"good":2}]`, [{ at, values: [["good", 2]] }]],
  ])("%s", (_name, text, entries) => {
    expect(machine(text)).toEqual({ entries });
  });

  it("takes __proto__ for a key like any other, and no object of ours changes", () => {
    const decoded = machine(`{"ts":${at},"__proto__":{"polluted":1},"constructor":2}`);
    expect("entries" in decoded && decoded.entries[0]!.values).toEqual([
      ["__proto__", { polluted: 1 }],
      ["constructor", 2],
    ]);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it.each([
    ["a number", "5", "payload_shape"],
    ["null", "null", "payload_shape"],
    ["no signal", `{"ts":${at}}`, "payload_empty"],
    ["an empty object", "{}", "payload_empty"],
    ["an empty list", "[]", "payload_empty"],
    ["a bad time", '{"ts":"noon","good":1}', "ts_invalid"],
  ])("%s is refused", (_name, text, code) => {
    expect(machine(text)).toMatchObject({ code });
  });
});

describe("bytes that are no payload", () => {
  it.each([
    ["nothing", Buffer.alloc(0), "payload_empty", /no content/],
    ["not UTF-8", Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), "payload_not_utf8", /not text in UTF-8/],
    ["half of a character", Buffer.from("é").subarray(0, 1), "payload_not_utf8", /not text in UTF-8/],
    ["5 MB", Buffer.alloc(5 * 1024 * 1024, 0x20), "payload_too_large", /5120 kB; at most 4096 kB/],
    ["one byte too many", Buffer.alloc(maxPayloadBytes + 1, 0x31), "payload_too_large", /at most 4096 kB/],
    ["nested lists", bytes("[".repeat(100_000)), "payload_too_deep", /deeper than 32/],
    ["nested lists after a space", bytes(` ${"[".repeat(100_000)}${"]".repeat(100_000)}`), "payload_too_deep", /deeper than 32/],
    ["nested objects", bytes(`${'{"a":'.repeat(33)}1${"}".repeat(33)}`), "payload_too_deep", /deeper than 32/],
    ["a million items", bytes(`[${"{},".repeat(1_300_000)}{}]`), "payload_too_large", /some 1300000 values; at most 50000/],
    ["one value too many", bytes(`[${"1,".repeat(50_000)}1]`), "payload_too_large", /some 50001 values; at most 50000/],
    ["half of an object", bytes('{"ts":1790000000000,"val'), "payload_not_json", /not JSON/],
    ["NaN in JSON", bytes('{"value":NaN}'), "payload_not_json", /not JSON/],
    ["a control character", bytes("a\u0007b"), "payload_not_json", /not JSON/],
    ["a word of 201 characters", bytes("x".repeat(201)), "payload_not_json", /not JSON/],
  ] as const)("%s", (_name, payload, code, reason) => {
    for (const decode of [decodeSignal, decodeMachine]) expect(decode(payload)).toEqual({ code, reason: expect.stringMatching(reason) });
  });

  it("50,000 values are taken, with times and keys of their own, and commas in texts are no values", () => {
    const items = Array.from({ length: 12_500 }, (_, i) => ({ ts: at + i, a: 1, b: 2, c: 3, d: 4 }));
    expect(decodeMachine(bytes(JSON.stringify(items)))).toHaveProperty("entries");
    expect(decodeMachine(bytes(JSON.stringify([...items, { ts: at, a: 1 }])))).toMatchObject({ code: "payload_too_large" });
    expect(parsePayload(bytes(JSON.stringify({ value: ",".repeat(1_000_000) })))).toHaveProperty("json");
  });

  it("32 levels are taken, and brackets in texts are no levels", () => {
    expect(parsePayload(bytes(`${"[".repeat(32)}${"]".repeat(32)}`))).toHaveProperty("json");
    expect(parsePayload(bytes(JSON.stringify({ value: `${"[".repeat(100)}"\\` })))).toHaveProperty("json");
  });

  it.each(["NaN", "nan", "-Infinity", "Infinity", "inf", "+inf"])("the bare word %s is a number that is not finite", (word) => {
    const parsed = parsePayload(bytes(word));
    expect("json" in parsed && typeof parsed.json === "number" && !Number.isFinite(parsed.json)).toBe(true);
  });
});

describe("a time stamp", () => {
  it.each([
    ["none", undefined, null],
    ["null", null, null],
    ["milliseconds", at, at],
    ["microseconds as fraction", at + 0.1234, at + 0.123],
    ["ISO 8601, UTC", "2026-09-21T14:13:20Z", Date.UTC(2026, 8, 21, 14, 13, 20)],
    ["ISO 8601, an offset", "2026-09-21T16:13:20+02:00", Date.UTC(2026, 8, 21, 14, 13, 20)],
    ["ISO 8601, a short offset", "2026-09-21T16:13:20+0200", Date.UTC(2026, 8, 21, 14, 13, 20)],
    ["ISO 8601, hours only", "2026-09-21T16:13:20+02", Date.UTC(2026, 8, 21, 14, 13, 20)],
    ["ISO 8601 with a space", "2026-09-21 14:13:20.250Z", Date.UTC(2026, 8, 21, 14, 13, 20, 250)],
    ["ISO 8601 without seconds", "2026-09-21T14:13Z", Date.UTC(2026, 8, 21, 14, 13)],
    ["the year 2100 is a time", Date.UTC(2100, 0, 1), Date.UTC(2100, 0, 1)],
  ])("%s", (_name, ts, expected) => {
    expect(instant(ts)).toBe(expected);
  });

  it.each([
    ["0", 0, /before 1973: the device's clock was probably not set/],
    ["negative", -at, /before 1973/],
    ["seconds", at / 1000, /looks like seconds. Send milliseconds since 1970 \(UTC\): 1790000000000/],
    ["microseconds", at * 1000, /micro- or nanoseconds/],
    ["nanoseconds", at * 1e6, /micro- or nanoseconds/],
    ["infinite", Number.POSITIVE_INFINITY, /not a finite number/],
    ["a number as text", String(at), /is a text. Send it as a number/],
    ["without a zone", "2026-09-21T14:13:20", /not ISO 8601 with a zone/],
    ["a day that is none", "2026-13-41T14:13:20Z", /not ISO 8601/],
    ["a word", "yesterday", /not ISO 8601/],
    ["a long text", "2".repeat(50), /neither a number/],
    ["a boolean", true, /neither a number/],
    ["an object", { s: 1 }, /neither a number/],
    ["a list", [at], /neither a number/],
  ])("%s is refused", (_name, ts, reason) => {
    expect(instant(ts)).toEqual({ code: "ts_invalid", reason: expect.stringMatching(reason) });
  });
});

describe("a value", () => {
  it.each([0, -0, 1e308, true, false, null, "", "x".repeat(500)])("%j can be a reading", (value) => {
    expect(whyNotScalar(value)).toBeNull();
  });
  it.each([
    [Number.NaN, "value_not_finite"],
    [JSON.parse("1e400"), "value_not_finite"],
    [{}, "payload_shape"],
    [[], "payload_shape"],
    ["x".repeat(501), "value_type"],
    ["a\0b", "value_type"],
  ])("%j cannot", (value, code) => {
    expect(whyNotScalar(value)).toMatchObject({ code });
  });

  it("is found by its path, own keys only", () => {
    const json = JSON.parse('{"a":{"b":[10,{"c":5}]},"__proto__":{"x":1}}');
    expect([valueAt(json, "a.b.1.c"), valueAt(json, "a.b.0"), valueAt(json, ""), valueAt(json, "__proto__.x")]).toEqual([5, 10, json, 1]);
    for (const path of ["a.b.2", "a.x", "a.b.1.c.d", "constructor", "a.__proto__", "a.b.length.x", "toString"]) expect(valueAt(json, path)).toBeUndefined();
  });
});

describe("whatever comes", () => {
  it("decodes or refuses with a sentence, and never throws", () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((b) => Buffer.from(b)),
      fc.string({ unit: "binary", maxLength: 200 }).map((s) => Buffer.from(s)),
      fc.json().map((s) => Buffer.from(s)),
      fc.json().chain((s) => fc.nat(s.length).map((n) => Buffer.from(s.slice(0, n)))),
      fc
        .record({ ts: fc.anything(), value: fc.anything() })
        .map((o) => Buffer.from(JSON.stringify(o, (_k, v) => (typeof v === "bigint" ? String(v) : v)) ?? "")),
    );
    fc.assert(
      fc.property(anything, (payload) => {
        for (const decode of [decodeSignal, decodeMachine]) {
          const decoded = decode(payload);
          if ("code" in decoded) expect(decoded.reason).toMatch(/^[A-Z].*\.$/su);
          else expect(decoded.entries.length + (decoded.refused?.length ?? 0)).toBeGreaterThan(0);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

import { beforeEach, describe, expect, it } from "vitest";
import { Filling } from "./batch.ts";
import type { Plant } from "./plant.ts";
import { Resolver } from "./resolve.ts";
import { Flag } from "./sample.ts";
import { plantOf, signalAt } from "./testing.ts";

const now = Date.UTC(2026, 8, 21, 14, 13, 20);
const dayMs = 86_400_000;
const press = "berlin/stamping/line-1/press-1";
const root = `takt/v1/${press}`;

let plant: Plant;
let resolver: Resolver;
let filling: Filling;
beforeEach(() => {
  plant = plantOf({
    [press]: {
      good: { role: "good_count" },
      scrap: { role: "reject_count", counter: { mode: "increment", modulus: null } },
      state: { role: "state" },
      job: { role: "job" },
      product: { role: "product", valueMap: new Map([["7", "housing-b"]]) },
      fault: { role: "fault_code" },
      temperature: { role: "measurement", unit: "Cel", lowLimit: -40, highLimit: 400 },
      power: { role: "measurement", scale: 0.001, offset: 1 },
      door: {
        role: "measurement",
        valueMap: new Map<string, unknown>([
          ["open", 1],
          ["shut", 0],
        ]),
      },
      old: { role: "measurement", retired: true },
    },
  });
  resolver = new Resolver(plant, 7 * dayMs);
  filling = new Filling();
});

const send = (topic: string, payload: unknown, over: { retained?: boolean; receivedAt?: number; again?: boolean } = {}) =>
  resolver.message(
    {
      topic,
      payload: Buffer.isBuffer(payload) ? payload : Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload)),
      retained: false,
      receivedAt: now,
      ...over,
    },
    filling,
  );
const samples = () =>
  filling.batch.samples.map(({ signal, at, value, text, flags }) => ({ path: signal.path.slice(press.length + 1), at, value, text, flags }));
const letters = () => filling.batch.letters.map(({ code, reason, topic }) => ({ code, reason, topic }));
const outcomes = () => [...filling.batch.samples.map(() => "written"), ...filling.batch.letters.map((l) => l.code)];

describe("values that are written", () => {
  it("one signal, its own topic", () => {
    send(`${root}/temperature`, { ts: now - 5, value: 71.2 });
    expect(samples()).toEqual([{ path: "temperature", at: now - 5, value: 71.2, text: null, flags: 0 }]);
  });

  it("a machine's signals at once, and a backlog", () => {
    send(root, [
      { ts: now - 2000, temperature: 70, good: 5 },
      { ts: now - 1000, state: "EXECUTE", job: 4711 },
    ]);
    expect(samples()).toEqual([
      { path: "temperature", at: now - 2000, value: 70, text: null, flags: 0 },
      { path: "good", at: now - 2000, value: 5, text: null, flags: 0 },
      { path: "state", at: now - 1000, value: null, text: "EXECUTE", flags: 0 },
      { path: "job", at: now - 1000, value: null, text: "4711", flags: 0 },
    ]);
  });

  it.each([
    ["power", 1500, 2.5, null], // scale 0.001, offset 1
    ["door", "open", 1, null],
    ["temperature", true, 1, null],
    ["state", 6, 6, null],
    ["state", "6", null, "6"],
    ["state", true, null, "true"],
    ["product", 7, null, "housing-b"],
    ["product", "8", null, "8"],
    ["job", "", null, ""],
    ["fault", 815, null, "815"],
    ["good", 0, 0, null],
  ])("%s takes %j", (key, value, number, text) => {
    send(`${root}/${key}`, { ts: now, value });
    expect(samples()).toEqual([{ path: key, at: now, value: number, text, flags: 0 }]);
  });

  it("null is a reading of no value", () => {
    for (const key of ["temperature", "good", "state", "job"]) send(`${root}/${key}`, { ts: now, value: null });
    expect(samples().map(({ value, text, flags }) => [value, text, flags])).toEqual(Array(4).fill([null, null, Flag.noValue]));
  });

  it("half of a surrogate pair becomes what the database will give back, so that the same value again is a repeat", () => {
    send(`${root}/job`, `{"ts":${now},"value":"A\\ud800"}`);
    expect(samples()[0]!.text).toBe("A\ufffd");
  });

  it("without a time: stamped on receipt, a microsecond apart, marked so", () => {
    for (let i = 0; i < 3; i++) send(`${root}/good`, "5");
    expect(samples().map(({ at, flags }) => [at, flags])).toEqual([
      [now, Flag.stampedOnReceipt],
      [now + 0.001, Flag.stampedOnReceipt],
      [now + 0.002, Flag.stampedOnReceipt],
    ]);
  });

  it("a letter tried again keeps the instant at which it first came", () => {
    send(`${root}/good`, "5");
    send(`${root}/good`, "5", { receivedAt: now - 1000, again: true });
    expect(samples().map(({ at }) => at)).toEqual([now, now - 1000]);
  });

  it("a Sparkplug metric by address and name", () => {
    plant.sparkplugMappings.set("G/N/D", new Map([["Count", signalAt(plant, `${press}/good`)]]));
    resolver.metric("G/N/D", "Count", now, 5, Flag.historical, now, filling);
    resolver.metric("G/N/D", "Other", now, 5, 0, now, filling);
    expect(samples()).toEqual([{ path: "good", at: now, value: 5, text: null, flags: Flag.historical }]);
    expect(letters()).toEqual([
      { code: "unknown_signal", topic: "spBv1.0/G/N/D", reason: 'No signal is mapped to the metric "Other" of G/N/D. Map it to one on the Data health page.' },
    ]);
  });
});

describe("bad input, its reason, and its neighbours", () => {
  it("a great many bad items of one message are one letter, which is a message again; good ones among them are read", () => {
    const items: unknown[] = Array.from({ length: 40_000 }, () => ({}));
    items.splice(7, 0, { ts: now, value: 21 });
    send(`${root}/temperature`, items);
    expect(samples()).toMatchObject([{ value: 21 }]);
    const [letter] = filling.batch.letters;
    expect(letter).toMatchObject({
      form: "message",
      code: "payload_shape",
      valueCount: 40_000,
      reason: expect.stringMatching(/^40000 items of one message; the first: /),
    });
    expect(JSON.parse(letter?.payload.toString() ?? "")).toHaveLength(40_000);
    expect([filling.batch.letters.length, filling.received]).toEqual([1, 40_001]);
  });

  const value = (v: unknown, ts: unknown = now) => JSON.stringify({ ts, value: v });
  const cases: [name: string, topic: string, payload: string | Buffer, code: string, reason: RegExp][] = [
    ["a topic too deep", `${root}/temperature/raw`, value(1), "topic_malformed", /has 6 levels below takt\/v1; site\/area\/line\/machine and signal are 5/],
    ["a topic too short", "takt/v1/berlin/stamping", value(1), "topic_malformed", /has 2 levels/],
    ["nothing below the namespace", "takt/v1/", value(1), "topic_malformed", /empty level/],
    ["an empty level", "takt/v1/berlin//line-1/press-1/good", value(1), "topic_malformed", /empty level/],
    ["an empty level at the end", `${root}/`, value(1), "topic_malformed", /empty level/],
    ["a control character", `${root}/tempe\u0007rature`, value(1), "topic_malformed", /control characters/],
    ["a topic of 2,000 bytes", `${root}/${"é".repeat(1000)}`, value(1), "topic_malformed", /has 20\d\d bytes; at most 1000/],
    ["outside the namespace, not mapped", "plc/7/db1", value(1), "unknown_signal", /Nothing is mapped to this topic/],
    ["an unknown machine", "takt/v1/berlin/stamping/line-1/press-9/good", value(1), "unknown_machine", /has no machine berlin\/stamping\/line-1\/press-9/],
    ["an unknown machine's message", "takt/v1/berlin/stamping/line-1/press-9", value(1), "unknown_machine", /no machine/],
    ["an unknown signal", `${root}/humour`, value(1), "unknown_signal", /no signal "humour"/],
    ["an empty payload", `${root}/temperature`, "", "payload_empty", /no content/],
    ["not UTF-8", `${root}/temperature`, Buffer.from([0xff, 0xfe]), "payload_not_utf8", /UTF-8/],
    ["5 MB", `${root}/temperature`, Buffer.alloc(5 * 1024 * 1024, 0x20), "payload_too_large", /5120 kB/],
    ["deeply nested", `${root}/temperature`, "[".repeat(5000), "payload_too_deep", /32 levels/],
    ["half of a message", `${root}/temperature`, '{"ts":1790', "payload_not_json", /not JSON/],
    ["__proto__ for a value", `${root}/temperature`, `{"ts":${now},"__proto__":{"value":1}}`, "payload_shape", /needs "value"/],
    ["__proto__ for a signal", root, `{"ts":${now},"__proto__":1}`, "unknown_signal", /no signal "__proto__"/],
    ["an object for a value", `${root}/temperature`, value({ a: 1 }), "payload_shape", /object or a list/],
    ["NaN", `${root}/temperature`, "NaN", "value_not_finite", /not a finite number/],
    ["Infinity", `${root}/temperature`, "-Infinity", "value_not_finite", /not a finite number/],
    ["NaN as text", `${root}/temperature`, value("NaN"), "value_not_finite", /NaN or infinite/],
    ["1e400", `${root}/temperature`, `{"ts":${now},"value":1e400}`, "value_not_finite", /too large/],
    ["too large after scaling", `${root}/good`, value(1e300), "value_not_finite", /more than 2\^53/],
    ["a number as text", `${root}/temperature`, value("21.5"), "value_type", /takes numbers, but the text "21.5" was sent. Send it without quotes/],
    ["a word for a number", `${root}/temperature`, value("hot"), "value_type", /takes numbers, but the text "hot" was sent\.$/],
    ["a decimal comma", `${root}/temperature`, "1,5", "value_type", /the text "1,5"/],
    ["a boolean for a counter", `${root}/good`, value(true), "value_type", /takes numbers, but true was sent/],
    ["a text of 600 characters", `${root}/job`, value("x".repeat(600)), "value_type", /600 characters; at most 500/],
    ["a text with NUL", `${root}/job`, value("a\0b"), "value_type", /NUL/],
    [
      "below the physical limits",
      `${root}/temperature`,
      value(-41),
      "value_out_of_limits",
      /-41 Cel is outside the physical limits .*\(-40 to 400\). A broken wire\?/,
    ],
    ["above the physical limits", `${root}/temperature`, value(400.1), "value_out_of_limits", /outside/],
    ["a negative count", `${root}/good`, value(-5), "counter_negative", /count -5 is negative/],
    ["a negative increment", `${root}/scrap`, value(-1), "counter_negative", /negative/],
    ["time 0", `${root}/temperature`, value(1, 0), "ts_invalid", /before 1973/],
    ["time in seconds", `${root}/temperature`, value(1, Math.round(now / 1000)), "ts_invalid", /looks like seconds/],
    ["time negative", `${root}/temperature`, value(1, -1), "ts_invalid", /before 1973/],
    ["time 1e400", `${root}/temperature`, '{"ts":1e400,"value":1}', "ts_invalid", /finite/],
    ["time in words", `${root}/temperature`, value(1, "noon"), "ts_invalid", /ISO 8601/],
    ["the year 2100", `${root}/temperature`, value(1, Date.UTC(2100, 0, 1)), "ts_future", /2100-01-01T00:00:00Z is 73\.3 years ahead/],
    ["6 min ahead", `${root}/temperature`, value(1, now + 360_000), "ts_future", /6 min ahead of this server; at most 5 min/],
    ["a measurement 40 days old", `${root}/temperature`, value(1, now - 40 * dayMs), "ts_too_old", /40 days old; measurements are kept 7 days/],
    ["a count 91 days old", `${root}/good`, value(1, now - 91 * dayMs), "ts_too_old", /91 days old; .* at most 90 days back \(max_backfill\)/],
    ["a retired signal", `${root}/old`, value(1), "retired_signal", /is retired/],
  ];

  it.each(cases)("%s", (_name, topic, payload, code, reason) => {
    send(`${root}/good`, { ts: now - 2, value: 1 });
    send(topic, payload);
    send(`${root}/good`, { ts: now - 1, value: 2 });
    expect(samples().map((s) => s.value)).toEqual([1, 2]);
    expect(letters()).toEqual([{ code, reason: expect.stringMatching(reason), topic: expect.any(String) }]);
    expect(letters()[0]!.reason).toMatch(/[.?]$/);
    expect(filling.received).toBe(3);
  });

  it("a Sparkplug time is refused in the same words", () => {
    plant.sparkplugMappings.set("G/N", new Map([["Count", signalAt(plant, `${press}/good`)]]));
    for (const ts of [now * 1e6, now * 1e3, 0, -5, Math.round(now / 1000), Number.POSITIVE_INFINITY, 9e15])
      resolver.metric("G/N", "Count", ts, 5, 0, now, filling);
    expect(filling.batch.letters.map((l) => [l.code, l.topic, l.metric])).toEqual(Array(7).fill(["ts_invalid", "spBv1.0/G/N", "Count"]));
    expect(letters().map(({ reason }) => reason.match(/micro|1973|seconds|finite/)?.[0])).toEqual([
      "micro",
      "micro",
      "1973",
      "1973",
      "seconds",
      "finite",
      "micro",
    ]);
    const { payload } = filling.batch.letters[0]!;
    resolver.metric("G/N", "Count", JSON.parse(payload.toString()).ts, 5, 0, now, filling, now + 1000);
    expect(letters()[7]).toEqual(letters()[0]);
  });

  it("a count 40 days old is written, and one that jumps back too: a reset", () => {
    send(`${root}/good`, { ts: now - 40 * dayMs, value: 900 });
    send(`${root}/good`, { ts: now, value: 3 });
    expect(outcomes()).toEqual(["written", "written"]);
  });

  it("5 min ahead is a clock a little fast", () => {
    send(`${root}/temperature`, { ts: now + 300_000, value: 1 });
    expect(outcomes()).toEqual(["written"]);
  });

  it("one bad value of a machine's message is set aside alone, in the form in which it can be tried again", () => {
    send(root, { ts: now, good: 5, temperature: "hot", state: 6, humour: 1 });
    expect(samples().map((s) => s.path)).toEqual(["good", "state"]);
    expect(filling.batch.letters.map((l) => [l.form, l.topic, l.payload.toString(), l.code])).toEqual([
      ["value", `${root}/temperature`, `{"ts":${now},"value":"hot"}`, "value_type"],
      ["value", `${root}/humour`, `{"ts":${now},"value":1}`, "unknown_signal"],
    ]);
  });

  it("a bad message is set aside whole", () => {
    send(`${root}/good`, '{"ts":');
    expect(filling.batch.letters.map((l) => [l.form, l.topic, l.payload.toString()])).toEqual([["message", `${root}/good`, '{"ts":']]);
  });

  it("a bad one of a hundred is set aside alone", () => {
    send(
      `${root}/temperature`,
      Array.from({ length: 100 }, (_, i) => ({ ts: now - i, value: i === 37 ? 9e9 : i })),
    );
    expect([filling.batch.samples.length, letters().map((l) => l.code), filling.received]).toEqual([99, ["value_out_of_limits"], 100]);
  });
});

describe("Takt's own names and retained messages", () => {
  it("names that begin with _ are dropped before counting", () => {
    for (const topic of [`${root}/_kpi`, "takt/v1/berlin/_alarm/x/y/z", "takt/v1/_sys", `takt/v1/berlin/_online`]) send(topic, "1");
    expect([filling.received, outcomes()]).toEqual([0, []]);
  });

  it("keys that begin with _ in a machine's message say nothing new", () => {
    send(root, { ts: now, good: 1, _meta: { a: 1 } });
    expect([outcomes(), filling.batch.repeats, filling.received]).toEqual([["written"], 1, 2]);
  });

  it("a retained value without a time is ignored, one with a time is not", () => {
    send(`${root}/good`, "5", { retained: true });
    send(`${root}/good`, { ts: now, value: 5 }, { retained: true });
    expect([samples().length, filling.batch.repeats]).toEqual([1, 1]);
  });
});

describe("mapped topics", () => {
  const map = (pattern: string, path: string, key: string, tsPath: string | null = null) =>
    plant.jsonMappings.push({ pattern, path, tsPath, signal: signalAt(plant, `${press}/${key}`) });

  it("a key of a machine's message, mapped on the topic that it would have alone; its neighbours go their own way", () => {
    map(`${root}/temp`, "", "temperature");
    send(root, { ts: now - 5, temp: 71.2, good: 3, torque: 1 });
    expect(samples().map(({ path, value }) => [path, value])).toEqual([
      ["temperature", 71.2],
      ["good", 3],
    ]);
    expect(letters().map(({ topic }) => topic)).toEqual([`${root}/torque`]);
  });
  it("takes the value and the time where the mapping says", () => {
    map("plc/+/data", "a.0.temp", "temperature", "head.t");
    send("plc/7/data", { head: { t: now - 9 }, a: [{ temp: 55 }] });
    expect(samples()).toEqual([{ path: "temperature", at: now - 9, value: 55, text: null, flags: 0 }]);
  });

  it("finds ts beside the value, else at the top, else stamps", () => {
    map("a", "v.x", "temperature");
    send("a", { ts: now - 1, v: { ts: now - 2, x: 1 } });
    send("a", { ts: now - 1, v: { x: 1 } });
    send("a", { v: { x: 1 } });
    expect(samples().map((s) => s.at)).toEqual([now - 2, now - 1, now]);
  });

  it("several signals of one message, each on its own", () => {
    map("m/#", "t", "temperature");
    map("m/#", "n", "good");
    send("m/1", { ts: now, t: "hot", n: 4 });
    expect([samples().map((s) => s.path), letters().map((l) => l.code)]).toEqual([["good"], ["value_type"]]);
  });

  it("a path that leads nowhere", () => {
    map("m", "a.b", "temperature");
    send("m", { ts: now, a: 1 });
    expect(letters()).toEqual([
      { code: "payload_shape", topic: "m", reason: 'The message has nothing at "a.b", which is mapped to berlin/stamping/line-1/press-1/temperature.' },
    ]);
  });

  it("what is mapped and not in a message that holds something else of it is no fault", () => {
    map("m", "good", "good");
    map("m", "scrap", "scrap");
    send("m", { scrap: 3 });
    expect([samples().map((s) => s.path), letters()]).toEqual([["scrap"], []]);
  });

  it("a bad time sets that mapping's value aside alone; tried again it takes nothing along", () => {
    map("m", "a", "good", "t");
    map("m", "b", "scrap");
    send("m", { a: 5, t: "noon", b: 1 });
    const [letter] = filling.batch.letters;
    expect([samples().map((s) => s.path), letter!.topic, letter!.payload.toString()]).toEqual([["scrap"], `${root}/good`, '{"ts":"noon","value":5}']);
    send(letter!.topic, letter!.payload, { again: true });
    expect([samples().length, letters().map((l) => l.code)]).toEqual([1, ["ts_invalid", "ts_invalid"]]);
  });

  it("the whole payload, bare or with value", () => {
    map("w", "", "temperature");
    send("w", "12");
    send("w", { ts: now, value: 13 });
    expect(samples().map((s) => s.value)).toEqual([12, 13]);
  });

  it("a mapping goes before the plant's own topics", () => {
    map(`${root}/temperature`, "c", "temperature");
    send(`${root}/temperature`, { ts: now, c: 5 });
    expect(samples()[0]!.value).toBe(5);
  });
});

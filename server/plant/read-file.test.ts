import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { around, told } from "./file-testing.ts";
import { readPlantFile } from "./read-file.ts";

const inLine = (text: string) =>
  around(`shift_patterns: [{ key: day, shifts: [{ key: d, days: daily, start: 06:00, end: 14:00 }] }]
areas:
  - key: hall
    lines:
      - key: l1
${text.replaceAll(/^/gm, "        ")}`);
const inMachine = (text: string) => inLine(`machines:\n  - key: m1\n${text.replaceAll(/^/gm, "    ")}`);
const inSignal = (text: string) => inMachine(`signals:\n  - { key: s, ${text} }`);

describe("a good file", () => {
  it("reads the example of the documentation", () => {
    const example = /```yaml\n(enterprise[\s\S]*?)```/.exec(readFileSync("docs/plant-file.md", "utf8"))?.[1] ?? "";
    const { plant, complaints } = readPlantFile(example);
    expect(complaints).toEqual([]);
    expect(plant?.sites[0]?.areas[0]?.lines[0]?.machines.map((machine) => machine.key)).toEqual(["press-1", "packer-1"]);
  });
  it("fills in defaults, takes single entries for lists, durations and aliases", () => {
    const { plant, complaints } = readPlantFile(
      inLine(`shift_pattern: day
machines:
  - &press { key: m1, no_count_timeout: 1m30s, source: { no_data_timeout: 5m }, signals: [{ key: good, role: good_count }] }
  - { <<: *press, key: m2, ideal_cycles: { seconds: 2.5 } }`),
    );
    expect(complaints).toEqual([]);
    const line = plant?.sites[0]?.areas[0]?.lines[0];
    expect(line?.shift_pattern).toEqual([{ pattern: "day" }]);
    expect(line?.machines[1]).toMatchObject({
      key: "m2",
      kind: "machine",
      no_count_timeout: 90,
      source: { form: "json", no_data_timeout: 300, max_backfill: 7_776_000 },
      ideal_cycles: [{ seconds: 2.5 }],
    });
    expect(line?.machines[1]?.signals[0]).toMatchObject({ key: "good", role: "good_count", scale: 1, offset: 0, unit: "", mapping: [] });
  });
});

describe("bad files are told with line and column", () => {
  it.each<[string, string, string[]]>([
    ["empty", "", ["1 at | the file is empty"]],
    [
      "not YAML",
      "enterprise: { key: acme\nsites: [",
      [
        "2 at sites: [| This is not YAML: Flow map in block collection must be sufficiently indented and end with a }",
        "2 at | This is not YAML: Flow sequence in block collection must be sufficiently indented and end with a ]",
      ],
    ],
    ["a list", "- a", ["1 at - a| the file must be a group of fields, but is a list"]],
    ["tabs", "enterprise:\n\tkey: acme", ["2 at 	key: acme| This is not YAML: Tabs are not allowed as indentation"]],
    ["twice the same field", "enterprise: { key: a }\nenterprise: { key: b }", ["2 at enterprise: | This is not YAML: Map keys must be unique"]],
    ["no enterprise", "sites: []", ['1 at sites: []| "enterprise" is missing']],
    ["unknown field", "enterprise: { key: a }\nsite: []", ['2 at site: []| there is no field "site" here; did you mean "sites"?']],
    [
      "unknown field, nothing near",
      "enterprise: { key: a, colour: red }",
      ['1 at colour: red | there is no field "colour" here; there are key, was, name, currency'],
    ],
    ["a key that is a number", "enterprise: { key: 4711 }", ['1 at 4711 }| "key" must be text, but 4711 is a number: write it in quotes, "4711"']],
    [
      "a key with a slash",
      "enterprise: { key: a/b }",
      [`1 at a/b }| "key" must be 1 to 64 letters, digits, '.', '_' or '-', and begin with a letter or digit: it becomes part of topics and addresses`],
    ],
    [
      "a key of Takt's own",
      "enterprise: { key: _kpi }",
      [`1 at _kpi }| "key" must be 1 to 64 letters, digits, '.', '_' or '-', and begin with a letter or digit: it becomes part of topics and addresses`],
    ],
    [
      "aliases that multiply",
      `a: &a [${"x,".repeat(50)}x]\nb: &b [${"*a,".repeat(50)}*a]\nc: &c [${"*b,".repeat(50)}*b]\nd: [${"*c,".repeat(50)}*c]`,
      ["1 at a: &a [x,x,x| aliases cannot be followed: Excessive alias count indicates a resource exhaustion attack"],
    ],
    [
      "unknown zone",
      around("areas: []").replace("Europe/Berlin", "Europe/Bielefeld"),
      [
        '6 at Europe/Biele| site berlin: there is no time zone "Europe/Bielefeld"; write it as the IANA database does, such as Europe/Berlin, America/Chicago or UTC',
      ],
    ],
    ["two sites of one key", `${around("areas: []")}\n  - { key: berlin, zone: UTC }`, ['8 at berlin, zone| site berlin: there are two sites "berlin"']],
    [
      "two products of one key",
      around("areas: []").replace("[{ key: H-100 }]", "[{ key: H-100 }, { key: H-100 }]"),
      ['3 at H-100 }] }| product line housings, product H-100: there are two products "H-100"'],
    ],
    [
      "a renamed thing that is still there",
      around("teams: [{ key: a }, { key: b, was: a }]"),
      ['7 at a }]| site berlin, team b: the team "a" is still in the file, so "b" cannot be its new key'],
    ],
    [
      "a machine that is only a name",
      inLine("machines: [m1]"),
      ['12 at m1]| line l1, machine number 1: an entry of "machines" must be a group of fields, but is "m1"'],
    ],
    ["unknown topology", inLine("topology: serial"), ['12 at serial| area hall, line l1: "topology" must be one of parallel, constraint, but is "serial"']],
    [
      "a constraint line without its machines",
      inLine("topology: constraint\nlast_machine: m2\nmachines: [{ key: m1 }]"),
      [
        '11 at key: l1| area hall, line l1: "constraint_machine" is missing: a line with topology constraint names the machine that paces it and the last one, whose good pieces count',
        '13 at m2| area hall, line l1: this line has no machine "m2"; did you mean "m1"?',
      ],
    ],
    [
      "a constraint on a parallel line",
      inLine("last_machine: m1\nmachines: [{ key: m1 }]"),
      ['12 at m1| area hall, line l1: "last_machine" is for lines with topology: constraint'],
    ],
    ["an unknown pattern", inLine("shift_pattern: days"), ['12 at days| area hall, line l1: this site has no shift pattern "days"; did you mean "day"?']],
    [
      "patterns that hold at once",
      inLine("shift_pattern:\n  - { pattern: day }\n  - { pattern: day }\n  - { pattern: day, from: 2026-05-01, until: 2026-04-01 }"),
      [
        '14 at { pattern: d| area hall, line l1: two entries without "from" for the same thing: only one can hold',
        '15 at 2026-04-01 }| area hall, line l1: "until" is not later than "from"',
      ],
    ],
    [
      "a pattern's time of day",
      inLine("shift_pattern: [{ pattern: day, from: 2026-05-01T06:00 }]"),
      ['12 at 2026-05-01T0| area hall, line l1: "from" must be a day such as 2026-04-01'],
    ],
    [
      "the 31st of June",
      inLine("shift_pattern: [{ pattern: day, from: 2026-06-31 }]"),
      ['12 at 2026-06-31 }| area hall, line l1: "from" must be a day such as 2026-04-01'],
    ],
    ["an unknown neighbour", inMachine("upstream: m9"), ['14 at m9| line l1, machine m1: this line has no machine "m9"; did you mean "m1"?']],
    ["itself as neighbour", inMachine("downstream: hall/l1/m1"), ["14 at hall/l1/m1| line l1, machine m1: a machine cannot be its own downstream neighbour"]],
    [
      "a loop of neighbours",
      inLine("machines:\n  - { key: m1, upstream: m3 }\n  - { key: m2, upstream: m1 }\n  - { key: m3, upstream: m2 }"),
      ["13 at m3 }| line l1, machine m1: the machines form a loop: hall/l1/m1 -> hall/l1/m2 -> hall/l1/m3 -> hall/l1/m1"],
    ],
    [
      "an instant that is not there",
      inMachine("ideal_cycles: [{ seconds: 1, from: 2026-02-30 }, { seconds: 1, from: 2026-02-10T25:00 }]"),
      [
        '14 at 2026-02-30 }| line l1, machine m1: "from" is a day or time that does not exist',
        '14 at 2026-02-10T2| line l1, machine m1: "from" is a day or time that does not exist',
      ],
    ],
    [
      "wrong rates",
      inMachine("ideal_cycles:\n  - { seconds: 0 }\n  - { product: H-200, seconds: 1 }\n  - { product: H-100, seconds: fast }"),
      [
        '15 at 0 }| line l1, machine m1: "seconds" must be above 0: it is the ideal time of one piece',
        '16 at H-200, secon| line l1, machine m1: there is no product "H-200"; did you mean "H-100"?',
        '17 at fast }| line l1, machine m1: "seconds" must be a number, but is "fast"',
      ],
    ],
    [
      "rates that hold at once",
      inMachine("ideal_cycles:\n  - { seconds: 1, from: 2026-04-01 }\n  - { seconds: 2, from: 2026-03-31T22:00:00Z }"),
      ["16 at { seconds: 2| line l1, machine m1: two entries hold from the same time on"],
    ],
    ["a short no-count time-out", inMachine("no_count_timeout: 30s"), ['14 at 30s| line l1, machine m1: "no_count_timeout" must be at least 60s']],
    [
      "no duration",
      inMachine("source: { max_backfill: 90 days }"),
      ['14 at 90 days }| line l1, machine m1: "max_backfill" must be a duration such as 500ms, 60s, 5m, 1h30m or 90d'],
    ],
    [
      "a Sparkplug source without address",
      inMachine("source: { form: sparkplug }"),
      ['14 at { form: spar| line l1, machine m1: "address" is missing: a sparkplug source needs one, such as group/node or group/node/device'],
    ],
    [
      "a Sparkplug address",
      inMachine("source: { form: sparkplug, address: G }"),
      ['14 at G }| line l1, machine m1: "G" is no Sparkplug address: it is group/node or group/node/device, without + and #'],
    ],
    ["an unknown shared source", inMachine("source: gateway"), ['14 at gateway| line l1, machine m1: this site has no source "gateway" under "sources"']],
    [
      "two machines of one source",
      inLine("machines:\n  - { key: m1, source: { form: mapped, address: gw } }\n  - { key: m2, source: { form: mapped, address: gw } }"),
      ['14 at gw } }| line l1, machine m2: there are two sources with the address "gw"'],
    ],
    ["no role", inMachine("signals: [{ key: s }]"), ['14 at { key: s }]| machine m1, signal s: "role" is missing']],
    [
      "a misspelt role",
      inSignal("role: good_counts"),
      [
        '15 at good_counts | machine m1, signal s: "role" must be one of state, good_count, reject_count, rework_count, total_count, fault_code, job, product, measurement, energy, but is "good_counts"; did you mean "good_count"?',
      ],
    ],
    [
      "a signal called ts",
      inMachine("signals: [{ key: ts, role: job }]"),
      ['14 at ts, role: jo| machine m1, signal ts: a signal cannot be called "ts": in a message with many values that is the time'],
    ],
    [
      "counter fields elsewhere",
      inSignal("role: state, counter: increment"),
      ['15 at increment }| machine m1, signal s: "counter" is for counts; the role is state'],
    ],
    [
      "modulus of an increment",
      inSignal("role: good_count, counter: increment, modulus: 100"),
      ['15 at 100 }| machine m1, signal s: "modulus" is for cumulative counts: an increment does not roll over'],
    ],
    [
      "limits the wrong way round",
      inSignal("role: measurement, low: 10, high: -10"),
      ['15 at 10, high: -1| machine m1, signal s: "low" (10) must be below "high" (-10)'],
    ],
    ["a scale of 0", inSignal("role: measurement, scale: 0"), ['15 at 0 }| machine m1, signal s: "scale" must not be 0']],
    ["NaN", inSignal("role: measurement, low: .nan"), ['15 at .nan }| machine m1, signal s: "low" must be a number, but is NaN']],
    [
      "a state that is none",
      inSignal("role: state, values: { 1: running }"),
      [
        '15 at running } }| machine m1, signal s: "running" is no state: a value becomes a PackML number (1 to 17) or name, or one of run, down, changeover, planned_stop, suspended',
      ],
    ],
    [
      "a count's map to text",
      inSignal("role: good_count, values: { a: b }"),
      ['15 at b } }| machine m1, signal s: a value of a good_count becomes a number, but "b" is none'],
    ],
    [
      "two state signals",
      inMachine("signals: [{ key: a, role: state }, { key: b, role: state }]"),
      ["14 at state }]| machine m1, signal b: the machine has two signals with the role state"],
    ],
    [
      "a metric without Sparkplug",
      inSignal("role: state, metric: State"),
      ['15 at State }| machine m1, signal s: "metric" is for signals of a Sparkplug source; this one is json'],
    ],
    [
      "half a mapping",
      inSignal("role: state, mapping: { path: a.b }"),
      ['15 at { path: a.b | machine m1, signal s: a mapping has either "topic" (with "path") or "descriptor" and "metric"'],
    ],
    [
      "a metric for a signal of another source",
      inSignal("role: state, mapping: { descriptor: G/N, metric: S }"),
      [
        '15 at G/N, metric:| machine m1, signal s: a metric comes from a Sparkplug source, but the signal\'s source is json: name the one that publishes G/N with "source"',
      ],
    ],
    [
      "a topic for a signal of a Sparkplug source",
      inMachine("source: { form: sparkplug, address: G/N }\nsignals: [{ key: s, role: state, mapping: { topic: a/b } }]"),
      [
        '15 at a/b } }]| machine m1, signal s: a topic does not come from a Sparkplug source: name the one that publishes a/b with "source" (form: mapped, any name)',
      ],
    ],
    [
      "a bad filter",
      inSignal("role: state, mapping: { topic: a/#/b }"),
      ['15 at a/#/b } }| machine m1, signal s: "a/#/b": # must be the last level of a topic filter, and alone in it'],
    ],
    [
      "a broker's topic",
      inSignal("role: state, mapping: { topic: $SYS/x }"),
      ['15 at $SYS/x } }| machine m1, signal s: "$SYS/x": topics that begin with $ belong to the broker'],
    ],
    [
      "two signals of one topic",
      inMachine(
        "signals:\n  - { key: a, role: measurement, mapping: { topic: x/+/t, path: v } }\n  - { key: b, role: measurement, mapping: [{ topic: x/1/#, path: v }, { topic: x/1/t, path: w }] }",
      ),
      [
        "16 at x/1/#, path:| machine m1, signal b: topics that match both x/+/t and x/1/# with the path v would go to two signals: berlin/hall/l1/m1/a and berlin/hall/l1/m1/b",
      ],
    ],
    [
      "two signals of one metric",
      inMachine("source: { form: sparkplug, address: G/N/D }\nsignals:\n  - { key: a, role: measurement, metric: T }\n  - { key: T, role: measurement }"),
      ['17 at T, role: mea| machine m1, signal T: the metric "T" of G/N/D would go to two signals: berlin/hall/l1/m1/a and berlin/hall/l1/m1/T'],
    ],
    [
      "a reason without a loss",
      around("reasons: [{ key: a, reasons: [{ key: b }] }]"),
      ['7 at { key: a, re| site berlin, reason a: "loss" is missing: a reason at the top must say which loss it is'],
    ],
    [
      "a reason twice in the tree",
      around("reasons: [{ key: a, loss: other, reasons: [{ key: a }] }]"),
      ['7 at a }] }]| reason a, reason a: there are two reasons "a"'],
    ],
    [
      "one fault code for two reasons",
      around("reasons: [{ key: a, loss: other, fault_code: 7 }, { key: b, loss: other, fault_code: '7' }]"),
      ["7 at '7' }]| site berlin, reason b: the fault code 7 already means another reason of this site"],
    ],
    [
      "a tree without end",
      around("reasons: [&r { key: a, loss: other, reasons: [*r] }]"),
      ["7 at *r] }]| reason a, reason a: this alias contains itself, so the tree has no end"],
    ],
  ])("%s", (_name, text, complaints) => {
    expect(told(text)).toEqual(complaints);
  });
});

describe("all mistakes at once", () => {
  it("tells wrong fields and broken rules together, in the order of the file", () => {
    expect(
      told(
        inLine(`topologie: parallel
shift_pattern: night
machines:
  - { key: m1, kind: 7, upstream: m2, no_count_timeout: 5 }
  - { key: m2, upstream: m1, ideal_cycles: [{ seconds: -1 }], signals: [{ key: s, role: temperature }, { key: s, role: job }] }`),
      ),
    ).toEqual([
      '12 at topologie: p| area hall, line l1: there is no field "topologie" here; did you mean "topology"?',
      '13 at night| area hall, line l1: this site has no shift pattern "night"',
      '15 at 7, upstream:| line l1, machine m1: "kind" must be text, but 7 is a number: write it in quotes, "7"',
      "15 at m2, no_count| line l1, machine m1: the machines form a loop: hall/l1/m1 -> hall/l1/m2 -> hall/l1/m1",
      '15 at 5 }| line l1, machine m1: "no_count_timeout" must be at least 60s',
      '16 at -1 }], signa| line l1, machine m2: "seconds" must be above 0: it is the ideal time of one piece',
      '16 at temperature | machine m2, signal s: "role" must be one of state, good_count, reject_count, rework_count, total_count, fault_code, job, product, measurement, energy, but is "temperature"',
      '16 at s, role: job| machine m2, signal s: there are two signals "s"',
    ]);
  });
  it("does not blame references on an entry whose key is wrong", () => {
    expect(told(inLine("machines:\n  - { key: m/1 }\n  - { key: m2, upstream: m1 }"))).toHaveLength(1);
  });
  it("survives what is no plant at all", () => {
    for (const text of [
      "null",
      "[]",
      "7",
      "a",
      "enterprise: 3",
      "sites: [[[]]]",
      "sites: [null]",
      "sites: [{ areas: 5 }]",
      "? { a: b }\n: c",
      "__proto__: { key: a }",
      "enterprise: { key: a, __proto__: { x: 1 } }",
    ]) {
      expect(told(text).length, text).toBeGreaterThan(0);
    }
  });
});

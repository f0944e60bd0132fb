import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { around, told } from "./file-testing.ts";

const inSite = (text: string) => told(around(text));
const withMachine = (text: string, more = "") => inSite(`${more}areas: [{ key: hall, lines: [{ key: l1, machines: [{ key: m1,\n  ${text} }] }] }]`);
const euro = "currency: EUR\n";

it("the second example of the documentation has no mistakes", () => {
  expect(told(/```yaml\n(enterprise: \{ key: acme, currency[\s\S]*?)```/.exec(readFileSync("docs/plant-file.md", "utf8"))?.[1] ?? "")).toEqual([]);
});

describe("money", () => {
  it.each<[string, string[], string[]]>([
    [
      "unknown currency",
      inSite("currency: EURO"),
      ['7 at EURO| site berlin: "currency" is no currency of ISO 4217; write its code in capitals, such as EUR, USD or JPY'],
    ],
    [
      "no currency",
      inSite("energy_prices: { price: 0.2 }"),
      ['7 at { price: 0.2| site berlin: the money of this site needs a currency: give the site a "currency", such as EUR'],
    ],
    ["a negative price", inSite(`${euro}energy_prices: { price: -1 }`), ['8 at -1 }| site berlin: "price" must not be below 0']],
    [
      "an unknown product",
      inSite(`${euro}product_costs: { product: H-101, value: 1 }`),
      ['8 at H-101, value| site berlin: there is no product "H-101"; did you mean "H-100"?'],
    ],
    [
      "neither value nor scrap",
      inSite(`${euro}product_costs: { product: H-100 }`),
      ['8 at { product: H| site berlin: "value" or "scrap" is missing: what a good piece is worth, what a rejected one costs'],
    ],
    [
      "overlapping dates",
      inSite(
        `${euro}product_costs:\n  - { product: H-100, value: 1, from: 2026-01-01, until: 2026-03-01 }\n  - { product: H-100, value: 2, from: 2026-02-01 }`,
      ),
      ['9 at 2026-03-01 }| site berlin: "until" is later than the "from" of the entry that follows'],
    ],
    [
      "two costs of a machine at once",
      withMachine("hourly_costs: [{ cost: 1 }, { cost: 2 }]", euro),
      ['9 at { cost: 2 }]| machine m1: two entries without "from" for the same thing: only one can hold'],
    ],
  ])("%s", (_what, said, wanted) => {
    expect(said.map((line) => line.replace("line l1, ", ""))).toEqual(wanted);
  });

  it("rates of currencies", () => {
    const rates = (text: string, enterprise = "{ key: acme, currency: EUR }") =>
      told(`enterprise: ${enterprise}\ncurrency_rates:\n${text.replaceAll(/^/gm, "  ")}`);
    expect(rates("- { currency: USD, month: 2026-04, rate: 0.92 }")).toEqual([]);
    expect(rates("- { currency: USD, month: 2026-13, rate: 0 }")).toEqual([
      '3 at 2026-13, rat| "month" must be a month such as 2026-04',
      `3 at 0 }| "rate" must be above 0: it is what one unit is worth in the group's currency`,
    ]);
    expect(rates("- { currency: USD, month: 2026-04, rate: 1 }\n- { currency: USD, month: 2026-04, rate: 2 }")).toEqual([
      "4 at 2026-04, rat| there are two rates of USD for 2026-04",
    ]);
    expect(rates("- { currency: EUR, month: 2026-04, rate: 1 }")).toEqual([
      "3 at EUR, month: | EUR is the group's own currency, of which one unit is always 1",
    ]);
    expect(rates("- { currency: USD, month: 2026-04, rate: 1 }", "{ key: acme }")).toEqual([
      '3 at { currency: | these rates need the group\'s currency: give the enterprise a "currency"',
    ]);
  });
});

describe("targets", () => {
  it.each<[string, string[], string[]]>([
    ["over 100 %", inSite("targets: { oee: 101 }"), ['7 at 101 }| site berlin: "oee" must be 100 at most: it is a percentage, such as 85']],
    ["0 %", inSite("targets: { oee: 0 }"), ['7 at 0 }| site berlin: "oee" must be above 0: it is a percentage, such as 85']],
    [
      "nothing",
      withMachine("targets: { from: 2026-01-01 }"),
      ["8 at { from: 2026| line l1, machine m1: a target says at least one of oee, availability, performance, quality, pieces_per_hour"],
    ],
  ])("%s", (_what, said, wanted) => {
    expect(said).toEqual(wanted);
  });
});

describe("the calendar", () => {
  const calendar = (text: string) =>
    inSite(
      `shift_patterns: [{ key: p, shifts: [{ key: d, days: daily, start: 06:00, end: 14:00 }] }]\nareas: [{ key: hall, lines: [{ key: l1 }] }]\ncalendar:\n${text.replaceAll(/^/gm, "  ")}`,
    );
  it.each<[string, string, string[]]>([
    [
      "no kind",
      "- { key: a, kind: party, date: 2026-01-01 }",
      ['10 at party, date:| site berlin, calendar entry a: "kind" must be one of holiday, extra_shift, cancelled_shift, but is "party"'],
    ],
    [
      "a day that is none",
      "- { key: a, kind: holiday, date: 2026-02-30 }",
      ['10 at 2026-02-30 }| site berlin, calendar entry a: "date" must be a day such as 2026-04-01'],
    ],
    [
      "the wrong way round",
      "- { key: a, kind: holiday, date: 2026-02-03, last_date: 2026-02-01 }",
      ['10 at 2026-02-01 }| site berlin, calendar entry a: "last_date" is before "date"'],
    ],
    [
      "two years",
      "- { key: a, kind: holiday, date: 2026-02-03, last_date: 2028-02-01 }",
      ["10 at 2028-02-01 }| site berlin, calendar entry a: an entry of the calendar lasts 366 days at most"],
    ],
    [
      "an unknown line",
      "- { key: a, kind: holiday, date: 2026-02-03, line: l1 }",
      ['10 at l1 }| site berlin, calendar entry a: this site has no line "l1"; lines are named area/line'],
    ],
    [
      "a cancelled shift without its name",
      "- { key: a, kind: cancelled_shift, date: 2026-02-03 }",
      [
        '10 at { key: a, ki| site berlin, calendar entry a: "shift" is missing: the one that does not take place, as pattern/shift; for all shifts of a day use kind: holiday',
      ],
    ],
    [
      "an unknown shift",
      "- { key: a, kind: cancelled_shift, date: 2026-02-03, shift: p/e }",
      ['10 at p/e }| site berlin, calendar entry a: this site has no shift "p/e"; shifts are named pattern/shift; did you mean "p/d"?'],
    ],
    [
      "0 h",
      "- { key: a, kind: extra_shift, date: 2026-02-03, start: 06:00, end: 06:00 }",
      ["10 at 06:00 }| site berlin, calendar entry a: the shift lasts 0 h; if it lasts 24 h, write its end as 30:00 (06:00 of the next day)"],
    ],
    [
      "25 h",
      "- { key: a, kind: extra_shift, date: 2026-02-03, start: 06:00, end: 31:00 }",
      ["10 at 31:00 }| site berlin, calendar entry a: the shift lasts 25 h; 24 h is the longest"],
    ],
    [
      "no end",
      "- { key: a, kind: extra_shift, date: 2026-02-03, start: 06:00 }",
      ['10 at { key: a, ki| site berlin, calendar entry a: "end" is missing: an extra shift has a start and an end'],
    ],
    [
      "a break outside",
      "- { key: a, kind: extra_shift, date: 2026-02-03, start: 06:00, end: 12:00, breaks: [{ start: 13:00, end: 13:15 }] }",
      ["10 at 13:00, end: | site berlin, calendar entry a: the break 13:00 to 13:15 is not inside its shift (06:00 to 12:00)"],
    ],
    [
      "times on a holiday",
      "- { key: a, kind: holiday, date: 2026-02-03, start: 06:00 }",
      ['10 at 06:00 }| site berlin, calendar entry a: "start" goes with kind: extra_shift'],
    ],
    [
      "extra shifts at once, on one line and on all",
      "- { key: a, kind: extra_shift, date: 2026-02-03, start: 06:00, end: 12:00 }\n- { key: b, kind: extra_shift, date: 2026-02-03, start: 11:00, end: 12:00, line: hall/l1 }",
      ['11 at 11:00, end: | site berlin, calendar entry b: the extra shifts "a" and "b" overlap'],
    ],
    [
      "an extra shift every day into the next",
      "- { key: a, kind: extra_shift, date: 2026-02-03, last_date: 2026-02-05, start: 06:00, end: 30:00 }\n- { key: b, kind: extra_shift, date: 2026-02-06, start: 05:00, end: 06:00 }",
      ['11 at 05:00, end: | site berlin, calendar entry b: the extra shifts "a" and "b" overlap'],
    ],
  ])("%s", (_what, text, wanted) => {
    expect(calendar(text)).toEqual(wanted);
  });
  it("takes what is right", () => {
    expect(
      calendar(`- { key: a, kind: holiday, date: 2026-12-24, last_date: 2026-12-26 }
- { key: b, kind: extra_shift, date: 2026-02-07, last_date: 2026-02-08, start: 06:00, end: 30:00, line: hall/l1 }
- { key: c, kind: cancelled_shift, date: 2026-02-09, shift: p/d }`),
    ).toEqual([]);
  });
});

describe("devices", () => {
  const device = (text: string) => inSite(`devices:\n${text.replaceAll(/^/gm, "  ")}`);
  it.each<[string, string, string[]]>([
    ["no identity", "- { key: a }", ['8 at { key: a }| site berlin, device a: "identity" is missing']],
    [
      "two of one certificate's name",
      "- { key: a, identity: x }\n- { key: b, identity: x }",
      ['9 at x }| site berlin, device b: the identity "x" is taken: a broker knows each name once'],
    ],
    [
      "no fingerprint",
      "- { key: a, identity: x, fingerprint: 'AB:CD' }",
      [
        `8 at 'AB:CD' }| site berlin, device a: "fingerprint" must be the SHA-256 fingerprint of the certificate: 64 hexadecimal digits, with or without colons`,
      ],
    ],
    [
      "no filter",
      "- { key: a, identity: x, topics: [a/b#] }",
      ['8 at a/b#] }| site berlin, device a: "a/b#": # must be the last level of a topic filter, and alone in it'],
    ],
    [
      "everything",
      "- { key: a, identity: x, topics: '#' }",
      ["8 at '#' }| site berlin, device a: \"#\": a device has topics of its own: begin with their first level"],
    ],
  ])("%s", (_what, text, wanted) => {
    expect(device(text)).toEqual(wanted);
  });
});

describe("signals and reasons", () => {
  it.each<[string, string[], string[]]>([
    [
      "a dead band of a count",
      withMachine("signals: [{ key: s, role: good_count, dead_band: 1 }]"),
      ['8 at 1 }] }] }] }| machine m1, signal s: "dead_band" is for measurements; the role is good_count'],
    ],
    [
      "a dead band of 0",
      withMachine("signals: [{ key: s, role: measurement, dead_band: 0 }]"),
      ['8 at 0 }] }] }] }| machine m1, signal s: "dead_band" must be above 0'],
    ],
    [
      "raw values of a state",
      withMachine("signals: [{ key: s, role: state, keep_raw: true }]"),
      ['8 at true }] }] }| machine m1, signal s: "keep_raw" is for measurements and energy; the values of a state are always kept'],
    ],
    [
      "a fourth level of reasons",
      inSite("reasons: [{ key: a, loss: other, reasons: [{ key: b, reasons: [{ key: c, reasons: [{ key: d,\n  reasons: [{ key: e }] }] }] }] }]"),
      [
        "7 at { key: d,| reason c, reason d: the tree of reasons has 3 levels at most; this would be level 4",
        "8 at { key: e }] | reason d, reason e: the tree of reasons has 3 levels at most; this would be level 5",
      ],
    ],
  ])("%s", (_what, said, wanted) => {
    expect(said).toEqual(wanted);
  });
});

describe("texts", () => {
  it.each([
    ["a NUL", '"a\\0b"', /must not have line breaks, tabs, other control characters/],
    ["a line break", '"a\\nb"', /must not have line breaks/],
    ["half a character", '"\\uD800"', /must not have line breaks, tabs, other control characters or halves of characters/],
    ["201 characters", "x".repeat(201), /must be 200 characters at most/],
  ])("%s in a name", (_what, text, sentence) => {
    expect(inSite(`name: ${text}`).join()).toMatch(sentence);
  });
  it("emoji, right-to-left and HTML are names like others; a topic of a thousand bytes is the longest", () => {
    for (const name of ["🏭 Halle", "‏مصنع", "<b>Hall</b>", "'; drop table site; --"]) expect(inSite(`name: ${JSON.stringify(name)}`)).toEqual([]);
    expect(withMachine(`signals: [{ key: s, role: state, mapping: { topic: ${"é".repeat(501)} } }]`).join()).toMatch(/"topic" must be 1000 bytes at most/);
  });
});

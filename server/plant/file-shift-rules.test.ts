import { describe, expect, it } from "vitest";
import { around, told } from "./file-testing.ts";

describe("shifts", () => {
  const shifts = (...rows: string[]) => around(`shift_patterns:\n  - key: p\n    shifts:\n${rows.map((row) => `      - { ${row} }`).join("\n")}`);
  it.each<[string, string[], string[]]>([
    [
      "0 h",
      ["key: a, days: mon, start: 06:00, end: 06:00"],
      ["10 at 06:00 }| shift pattern p, shift a: the shift lasts 0 h; if it lasts 24 h, write its end as 30:00 (06:00 of the next day)"],
    ],
    [
      "over 24 h",
      ["key: a, days: mon, start: 06:00, end: '31:30'"],
      ["10 at '31:30' }| shift pattern p, shift a: the shift lasts 25 h 30 min; 24 h is the longest"],
    ],
    ["24 h", ["key: a, days: daily, start: 06:00, end: '30:00'"], []],
    [
      "no time",
      ["key: a, days: mon, start: 6, end: 25:99"],
      [
        '10 at 6, end: 25:9| shift pattern p, shift a: "start" must be a time of day such as 06:00 or 22:30',
        '10 at 25:99 }| shift pattern p, shift a: "end" must be a time of day such as 06:00 or 22:30',
      ],
    ],
    [
      "no day",
      ["key: a, days: mon-fry, start: 06:00, end: 14:00", "key: b, days: [], start: 06:00, end: 14:00"],
      [
        '10 at mon-fry, sta| shift pattern p, shift a: "days" must be days such as mon-fri, sat, or daily',
        '11 at [], start: 0| shift pattern p, shift b: "days" must be days such as mon-fri, sat, or daily',
      ],
    ],
    [
      "overlap",
      ["key: a, days: mon-fri, start: 06:00, end: 14:00", "key: b, days: wed, start: 13:30, end: 22:00"],
      ['11 at 13:30, end: | shift pattern p, shift b: the shifts "a" and "b" overlap on Wednesday, at 13:30'],
    ],
    [
      "overlap round the week's end",
      ["key: a, days: sun, start: 22:00, end: 06:00", "key: b, days: mon, start: 05:00, end: 14:00"],
      ['11 at 05:00, end: | shift pattern p, shift b: the shifts "a" and "b" overlap on Monday, at 05:00'],
    ],
    ["touching shifts do not overlap", ["key: a, days: daily, start: 06:00, end: 18:00", "key: b, days: daily, start: 18:00, end: 06:00"], []],
    [
      "a break outside",
      ["key: a, days: mon, start: 06:00, end: 14:00, breaks: [{ start: 13:45, end: 14:15 }]"],
      ["10 at 13:45, end: | shift pattern p, shift a: the break 13:45 to 14:15 is not inside its shift (06:00 to 14:00)"],
    ],
    [
      "a break before",
      ["key: a, days: mon, start: 06:00, end: 14:00, breaks: [{ start: 05:00, end: 05:15 }]"],
      ["10 at 05:00, end: | shift pattern p, shift a: the break 05:00 to 05:15 is not inside its shift (06:00 to 14:00)"],
    ],
    ["a break past midnight", ["key: a, days: mon, start: 22:00, end: 06:00, breaks: [{ start: 23:45, end: 00:15 }, { start: 02:00, end: 02:30 }]"], []],
    [
      "breaks that overlap",
      ["key: a, days: mon, start: 06:00, end: 14:00, breaks: [{ start: 08:00, end: 08:30 }, { start: 08:15, end: 08:45 }]"],
      ["10 at 08:15, end: | shift pattern p, shift a: the break 08:15 to 08:45 overlaps another one of its shift"],
    ],
    [
      "a break of no length",
      ["key: a, days: mon, start: 06:00, end: 14:00, breaks: [{ start: 08:00, end: 08:00 }]"],
      ["10 at 08:00 }] }| shift pattern p, shift a: the break lasts 0 min"],
    ],
  ])("%s", (_name, rows, complaints) => {
    expect(told(shifts(...rows))).toEqual(complaints);
  });
});

import { expect, it } from "vitest";
import { clockChanges } from "./clock-changes.ts";

it("finds the nights on which the clock changes, and none where it never does", () => {
  const from = Date.parse("2026-01-01T00:00:00Z");
  expect(clockChanges("Europe/Berlin", from, 365)).toEqual([
    { day: "2026-03-29", fromOffsetMin: 60, toOffsetMin: 120 },
    { day: "2026-10-25", fromOffsetMin: 120, toOffsetMin: 60 },
  ]);
  expect(clockChanges("America/Chicago", from, 365).map(({ day }) => day)).toEqual(["2026-03-08", "2026-11-01"]);
  expect(clockChanges("Asia/Kolkata", from, 365)).toEqual([]);
});

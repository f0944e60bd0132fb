import fc from "fast-check";
import { Temporal } from "temporal-polyfill";
import { describe, expect, it } from "vitest";
import { fileText, localText } from "./local-time.ts";

describe("instants in forms", () => {
  it("are told by the site's clock, and a day stays a day", () => {
    expect(localText("2026-11-21T22:13:45Z", "Europe/Berlin")).toBe("2026-11-21 23:13:45");
    expect(localText("2026-07-01T04:00:00Z", "Europe/Berlin")).toBe("2026-07-01 06:00");
    expect(localText("2026-07-01T04:00:00Z", "Asia/Kolkata")).toBe("2026-07-01 09:30");
    for (const text of ["2026-07-01", "2026-07-01T06:00", "", "rubbish"]) expect(localText(text, "Europe/Berlin")).toBe(text);
    expect(localText("2026-07-01T04:00:00Z", null)).toBe("2026-07-01T04:00:00Z");
  });

  it("keep their offset in the hour that a clock shows twice", () => {
    expect(localText("2026-10-25T00:30:00Z", "Europe/Berlin")).toBe("2026-10-25T00:30:00Z");
    expect(localText("2026-10-25T01:30:00Z", "Europe/Berlin")).toBe("2026-10-25T01:30:00Z");
    expect(localText("2026-10-25T02:00:00Z", "Europe/Berlin")).toBe("2026-10-25 03:00");
  });

  it("are the same instant when they are saved again", () => {
    const zones = fc.constantFrom("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC", "America/St_Johns");
    const seconds = fc.integer({ min: Date.parse("2000-01-01") / 1000, max: Date.parse("2035-01-01") / 1000 });
    fc.assert(
      fc.property(seconds, zones, (s, zone) => {
        const text = new Date(s * 1000).toISOString().replace(".000Z", "Z");
        const saved = fileText(localText(text, zone)); // without an offset it is the site's time, as in the plant file
        const at = saved.endsWith("Z") ? Date.parse(saved) : Temporal.PlainDateTime.from(saved).toZonedDateTime(zone).epochMilliseconds;
        expect(at).toBe(s * 1000);
      }),
    );
  });
});

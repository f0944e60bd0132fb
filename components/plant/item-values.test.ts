import { describe, expect, it } from "vitest";
import { fieldsFrom, valuesOf } from "./item-values.ts";

describe("a form's values", () => {
  it("tell instants by the site's clock, and give them back as the plant file takes them", () => {
    const values = valuesOf(
      "machine",
      { name: "Press", ideal_cycles: [{ seconds: 2, from: "2026-11-21T22:13:45Z", until: "2026-12-01" }] },
      false,
      "Europe/Berlin",
    );
    expect(values.ideal_cycles).toMatchObject([{ seconds: 2, from: "2026-11-21 23:13:45", until: "2026-12-01" }]);
    expect(fieldsFrom("machine", values).ideal_cycles).toEqual([{ product: null, seconds: 2, from: "2026-11-21T23:13:45", until: "2026-12-01" }]);
  });
});

import { describe, expect, it } from "vitest";
import type { Picture, Tile } from "#/server/boards/picture-types.ts";
import { concernsAfter } from "./concerns.ts";

const t0 = Date.parse("2026-03-04T10:00:00Z");
const tile = (machineId: number, kind: Tile["kind"], sinceAt: number | null, more: Partial<Tile> = {}) =>
  ({ machineId, name: `Machine ${machineId}`, kind, sinceAt, sinceEarlier: false, missing: null, ...more }) as Tile;
const picture = (at: number, ...tiles: Tile[]) => ({ at, line: { id: 5 }, tiles }) as unknown as Picture;

describe("concernsAfter", () => {
  it("a machine that is down or silent is one; waiting, running, or never heard is none", () => {
    const found = concernsAfter(
      [],
      picture(
        t0,
        tile(1, "down", t0 - 1_000),
        tile(2, "unknown", t0 - 2_000),
        tile(3, "starved", t0),
        tile(4, "run", t0),
        tile(6, "unknown", null, { missing: "never_sent" }),
      ),
      true,
    );
    expect(found).toEqual([
      { key: `1:down:${t0 - 1_000}`, lineId: 5, kind: "down", subject: "Machine 1", sinceAt: t0 - 1_000, knownAt: t0, clearedAt: null },
      { key: `2:unknown:${t0 - 2_000}`, lineId: 5, kind: "unknown", subject: "Machine 2", sinceAt: t0 - 2_000, knownAt: t0, clearedAt: null },
    ]);
  });

  it("what the first picture shows has been known for as long as it lasts: a restart brings no old stop up again", () => {
    expect(concernsAfter([], picture(t0, tile(1, "down", t0 - 3_600_000)), false)[0]?.knownAt).toBe(t0 - 3_600_000);
  });

  it("stays the same while it lasts, also when its beginning leaves the window", () => {
    const first = concernsAfter([], picture(t0, tile(1, "down", t0 - 1_000)), true);
    const later = concernsAfter(first, picture(t0 + 60_000, tile(1, "down", t0 + 59_000, { sinceEarlier: true })), true);
    expect(later).toEqual(first);
  });

  it("is remembered for an hour when it is over, and the next stop is another one", () => {
    const first = concernsAfter([], picture(t0, tile(1, "down", t0 - 1_000)), true);
    const over = concernsAfter(first, picture(t0 + 5_000, tile(1, "run", t0 + 4_000)), true);
    expect(over).toEqual([{ ...first[0], clearedAt: t0 + 5_000 }]);
    const again = concernsAfter(over, picture(t0 + 9_000, tile(1, "down", t0 + 8_000)), true);
    expect(again.map(({ sinceAt, clearedAt }) => [sinceAt, clearedAt])).toEqual([
      [t0 - 1_000, t0 + 5_000],
      [t0 + 8_000, null],
    ]);
    expect(concernsAfter(again, picture(t0 + 5_000 + 3_600_001, tile(1, "down", t0 + 8_000)), true)).toHaveLength(1);
  });

  it("two stops between two pictures are two", () => {
    const first = concernsAfter([], picture(t0, tile(1, "down", t0 - 1_000)), true);
    expect(concernsAfter(first, picture(t0 + 5_000, tile(1, "down", t0 + 4_000)), true)).toHaveLength(2);
  });

  it("a machine that flaps all day does not fill the memory", () => {
    let known = concernsAfter([], picture(t0), true);
    for (let n = 0; n < 500; n += 1) {
      known = concernsAfter(known, picture(t0 + n * 2_000, tile(1, "down", t0 + n * 2_000)), true);
      known = concernsAfter(known, picture(t0 + n * 2_000 + 1_000, tile(1, "run", t0 + n * 2_000)), true);
    }
    expect(known.length).toBeLessThanOrEqual(51);
  });
});

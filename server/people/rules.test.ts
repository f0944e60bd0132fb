import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Role, roles, type Scope } from "#/server/domain/permission.ts";
import type { Membership, Place } from "./queries.ts";
import { isSeen, isWithin, membershipFaults, seenMemberships, whyNotWhole } from "./rules.ts";

const at = (...sites: number[]): Scope => ({ sites, linesOf: new Map() });
const everywhere: Scope = { sites: "all", linesOf: new Map() };
const holds = (role: Role, siteId: number | null, lineIds: number[] = []): Membership => ({ role, siteId, lineIds, fromProvider: false });
const place = (siteId: number, ...lines: number[]): Place => ({
  siteId,
  siteName: `Site ${siteId}`,
  zone: "UTC",
  requiresSecondFactor: false,
  lines: lines.map((lineId) => ({ lineId, name: `Line ${lineId}`, areaName: "Hall" })),
});

describe("who is seen", () => {
  it("is who holds anything at one's sites or at all sites; who holds nothing, with all sites only", () => {
    expect(isSeen(at(1), [holds("viewer", 1)])).toBe(true);
    expect(isSeen(at(1), [holds("viewer", null)])).toBe(true);
    expect(isSeen(at(1), [holds("viewer", 2)])).toBe(false);
    expect(isSeen(at(1), [])).toBe(false);
    expect(isSeen(everywhere, [])).toBe(true);
  });

  it("roles at sites of others are not told of", () => {
    expect(seenMemberships(at(1), [holds("viewer", 1), holds("quality", 2), holds("executive", null)]).map(({ role }) => role)).toEqual([
      "viewer",
      "executive",
    ]);
  });
});

describe("the whole person", () => {
  it("takes the right at every site where they hold anything", () => {
    expect(whyNotWhole(at(1), "Ann", [holds("viewer", 1)])).toBeNull();
    expect(whyNotWhole(at(1, 2), "Ann", [holds("viewer", 1), holds("operator", 2)])).toBeNull();
    expect(whyNotWhole(at(1), "Ann", [holds("viewer", 1), holds("operator", 2)])).toContain("Ann has roles at other sites");
    expect(whyNotWhole(at(1), "Ann", [holds("viewer", 1), holds("viewer", null)])).toContain("Ann");
    expect(whyNotWhole(at(1), "Ann", [])).toContain("Ann");
    expect(whyNotWhole(everywhere, "Ann", [])).toBeNull();
  });

  it("whoever can become somebody gains nothing by it, whatever both hold", () => {
    const sites = fc.uniqueArray(fc.integer({ min: 1, max: 4 }));
    const memberships = fc.array(
      fc.record({
        role: fc.constantFrom(...roles),
        siteId: fc.option(fc.integer({ min: 1, max: 4 })),
        lineIds: fc.constant<number[]>([]),
        fromProvider: fc.boolean(),
      }),
    );
    fc.assert(
      fc.property(sites, memberships, (own, held) => {
        if (whyNotWhole(at(...own), "Ann", held) !== null) return;
        for (const { siteId } of held) expect(siteId !== null && own.includes(siteId)).toBe(true);
      }),
    );
  });
});

describe("membershipFaults", () => {
  const places = [place(1, 11, 12), place(2, 21)];
  const faults = (scope: Scope, ...wanted: Membership[]) => membershipFaults(scope, wanted, places, []).map(({ path }) => path);

  it("takes what is in order", () => {
    expect(faults(at(1, 2), holds("operator", 1, [11, 12]), holds("operator", 2), holds("supervisor", 1))).toEqual([]);
    expect(faults(everywhere, holds("administrator", null))).toEqual([]);
  });

  it("says at its field what is not", () => {
    expect(faults(at(1), holds("viewer", 3))).toEqual(["memberships.0.siteId"]);
    expect(faults(at(1), holds("viewer", 2))).toEqual(["memberships.0.siteId"]);
    expect(faults(at(1, 2), holds("administrator", null))).toEqual(["memberships.0.siteId"]);
    expect(faults(everywhere, holds("viewer", 99))).toEqual(["memberships.0.siteId"]);
    expect(faults(at(1), holds("viewer", 1), holds("viewer", 1))).toEqual(["memberships.1.role"]);
    expect(faults(at(1), holds("supervisor", 1, [11]))).toEqual(["memberships.0.lineIds"]);
    expect(faults(everywhere, holds("operator", null, [11]))).toEqual(["memberships.0.lineIds"]);
    expect(faults(at(1, 2), holds("operator", 1, [21]))).toEqual(["memberships.0.lineIds"]);
  });

  it("keeps a line that was retired since, of who had it", () => {
    const before = [holds("operator", 1, [13])];
    expect(membershipFaults(at(1), before, places, before)).toEqual([]);
    expect(membershipFaults(at(1), [holds("operator", 1, [13, 14])], places, before)).toHaveLength(1);
  });

  it("nothing outside one's sites is ever given, whatever is asked for", () => {
    const wanted = fc.array(
      fc.record({
        role: fc.constantFrom(...roles),
        siteId: fc.option(fc.integer({ min: 1, max: 3 })),
        lineIds: fc.subarray([11, 12, 21, 31]),
        fromProvider: fc.constant(false),
      }),
    );
    fc.assert(
      fc.property(fc.subarray([1, 2]), wanted, (own, some) => {
        if (membershipFaults(at(...own), some, places, []).length > 0) return;
        for (const one of some) expect(isWithin(at(...own), one)).toBe(true);
      }),
    );
  });
});

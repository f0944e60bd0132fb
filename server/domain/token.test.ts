import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Action, type Actor, actionNames, actions, type Grant, mayAt, roles } from "./permission.ts";
import { grantsWithin, holdsAt, tokenActions } from "./token.ts";

const aGrant: fc.Arbitrary<Grant> = fc.oneof(
  fc.record({
    role: fc.constantFrom(...roles),
    site: fc.integer({ min: 1, max: 4 }),
    lines: fc.option(fc.uniqueArray(fc.integer({ min: 1, max: 5 }), { minLength: 1 })),
  }),
  fc.record({ role: fc.constantFrom(...roles), site: fc.constant("all" as const), lines: fc.constant(null) }),
);
const someGrants = fc.array(aGrant, { maxLength: 4 });
const someSites = fc.oneof(fc.constant("all" as const), fc.uniqueArray(fc.integer({ min: 1, max: 4 }), { minLength: 1 }));
const someActions = fc.subarray([...actionNames] as Action[]);
const person = (grants: Grant[]): Actor => ({ kind: "person", id: "p", name: "Ann", grants, sessionId: "s", terminalId: null });

describe("what a token may hold", () => {
  it("is nothing of a person's own, no right to give rights, and no display's", () => {
    for (const action of ["account.own", "token.change", "person.change", "terminal.change", "signature.give", "display.own"] as const)
      expect(tokenActions).not.toContain(action);
    for (const action of ["board.read", "data_health.read", "plant.change"] as const) expect(tokenActions).toContain(action);
  });

  it("never goes beyond its owner, its sites and its actions, whatever these are", () => {
    fc.assert(
      fc.property(someGrants, someSites, someActions, (grants, sites, only) => {
        const token: Actor = { kind: "token", id: "1", name: "ERP", grants: grantsWithin(grants, sites), only };
        for (const action of actionNames)
          for (const site of [1, 2, 3, 4])
            for (const line of [null, 1, 2]) {
              if (!mayAt(token, action, site, line)) continue;
              expect(mayAt(person(grants), action, site, line), "its owner").toBe(true);
              expect(sites === "all" || sites.includes(site), "its sites").toBe(true);
              expect(only, "its actions").toContain(action);
            }
      }),
    );
  });

  it("loses nothing of what its owner holds at its sites", () => {
    fc.assert(
      fc.property(someGrants, someSites, fc.constantFrom(...tokenActions), fc.integer({ min: 1, max: 4 }), (grants, sites, action, site) => {
        if (sites !== "all" && !sites.includes(site)) return;
        if (actions[action].reach !== "site") return;
        const token: Actor = { kind: "token", id: "1", name: "ERP", grants: grantsWithin(grants, sites), only: [action] };
        expect(mayAt(token, action, site)).toBe(mayAt(person(grants), action, site));
      }),
    );
  });

  it("can be given by who holds it at each of the sites; what concerns all sites, for all sites only", () => {
    const here = person([{ role: "administrator", site: 1, lines: null }]);
    expect([holdsAt(here, "board.read", [1]), holdsAt(here, "board.read", [1, 2]), holdsAt(here, "board.read", "all")]).toEqual([true, false, false]);
    const everywhere = person([{ role: "administrator", site: "all", lines: null }]);
    expect([holdsAt(everywhere, "catalogue.change", "all"), holdsAt(everywhere, "catalogue.change", [1])]).toEqual([true, false]);
  });
});

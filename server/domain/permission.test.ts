import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Action,
  type Actor,
  actionNames,
  actions,
  covers,
  type Grant,
  mayAnywhere,
  mayAt,
  nobody,
  type Role,
  roles,
  scopeOf,
  sees,
  whyMayNot,
} from "./permission.ts";

const person = (grants: readonly Grant[]): Actor => ({ kind: "person", id: "p", name: "Ann", grants, sessionId: "s", terminalId: null });
const at = (role: Role, site: Grant["site"], lines: Grant["lines"] = null): Grant => ({ role, site, lines });

const aRole = fc.constantFrom(...roles);
const anAction = fc.constantFrom<Action>(...actionNames);
const aSite = fc.integer({ min: 1, max: 4 });
const aLine = fc.integer({ min: 1, max: 5 });
const someLines = fc.uniqueArray(aLine, { minLength: 1, maxLength: 3 });
const aGrant: fc.Arbitrary<Grant> = fc.oneof(
  fc.record({ role: aRole, site: aSite, lines: fc.constant(null) }),
  fc.record({ role: aRole, site: aSite, lines: someLines }),
  fc.record({ role: aRole, site: fc.constant("all" as const), lines: fc.constant(null) }),
);
const someGrants = fc.array(aGrant, { maxLength: 4 });
const dutyOf = (action: Action): readonly Role[] => actions[action].roles;
const siteActions = actionNames.filter((action) => actions[action].reach === "site");

describe("the map", () => {
  it("gives every action to somebody, and reading to all who may change", () => {
    for (const action of actionNames) expect(dutyOf(action).length > 0, action).toBe(action !== "display.own");
    for (const action of actionNames.filter((name) => name.endsWith(".change"))) {
      const read = action.replace(/\.change$/, ".read");
      if (!Object.hasOwn(actions, read)) continue;
      for (const role of dutyOf(action)) expect(dutyOf(read as Action), `${role} may ${action}, so must ${read}`).toContain(role);
    }
  });

  it("lets a display read and say that it is there, never change", () => {
    for (const action of actionNames.filter((name) => "display" in actions[name])) expect(action).toMatch(/\.read$|^display\.own$/);
  });

  it("lets an administrator do what is administrators' alone, and a viewer change nothing", () => {
    for (const action of ["person.change", "token.change"] as const) expect(dutyOf(action)).toEqual(["administrator"]);
    for (const action of actionNames.filter((name) => dutyOf(name).includes("viewer"))) expect(action).toMatch(/\.(read|own)$/);
  });
});

describe("a role at one site", () => {
  it("counts there, and nowhere else", () => {
    for (const role of roles)
      for (const action of siteActions) {
        const actor = person([at(role, 1)]);
        expect(mayAt(actor, action, 1), `${role} ${action}`).toBe(dutyOf(action).includes(role));
        expect(mayAt(actor, action, 2), `${role} ${action} elsewhere`).toBe(false);
      }
  });

  it("does not reach what concerns all sites; the same role at all sites does", () => {
    expect(mayAnywhere(person([at("administrator", 1)]), "catalogue.change")).toBe(false);
    expect(mayAnywhere(person([at("administrator", "all")]), "catalogue.change")).toBe(true);
  });

  it("of an operator can be some lines of it", () => {
    const operator = person([at("operator", 1, [7, 8]), at("operator", 1, [9])]);
    expect([7, 8, 9].map((line) => mayAt(operator, "board.read", 1, line))).toEqual([true, true, true]);
    expect(mayAt(operator, "board.read", 1, 6)).toBe(false);
    expect(mayAt(operator, "board.read", 1)).toBe(true);
    expect([sees(operator, 1, 7), sees(operator, 1, 6), sees(operator, 2)]).toEqual([true, false, false]);
  });

  it("lines of one role do not take away what another has in the whole site", () => {
    const both = person([at("operator", 1, [7]), at("supervisor", 1)]);
    expect(mayAt(both, "board.read", 1, 6)).toBe(true);
  });
});

describe("whoever is no person", () => {
  const display: Actor = { kind: "display", id: "d", name: "Hall 1", siteId: 1, lines: [7] };
  const token = (only: readonly Action[]): Actor => ({ kind: "token", id: "t", name: "ERP", grants: [at("administrator", 1)], only });

  it("a display shows the boards of its lines and does nothing else", () => {
    for (const action of actionNames) expect(mayAnywhere(display, action), action).toBe(action === "board.read" || action === "display.own");
    expect([mayAt(display, "board.read", 1, 7), mayAt(display, "board.read", 1, 6), mayAt(display, "board.read", 2, 7)]).toEqual([true, false, false]);
  });

  it("a token does what it was narrowed to, where its grants allow that, and has no account", () => {
    expect(mayAt(token(["plant.read"]), "plant.read", 1)).toBe(true);
    expect(mayAt(token(["plant.read"]), "plant.read", 2)).toBe(false);
    expect(mayAnywhere(token(["plant.read"]), "plant.change")).toBe(false);
    expect(mayAnywhere(token(["account.own"]), "account.own")).toBe(false);
  });

  it("nobody may nothing, Takt itself everything", () => {
    for (const action of actionNames) {
      expect(mayAnywhere(nobody, action)).toBe(false);
      if (actions[action].reach === "site") expect(mayAt({ kind: "program", id: "jobs", name: "Jobs" }, action, 3, 4)).toBe(true);
    }
  });

  it("each is told why in words of its own", () => {
    expect(whyMayNot(nobody, "board.read")).toContain("not signed in");
    expect(whyMayNot(display, "plant.change")).toContain("This is a display");
    expect(whyMayNot(token([]), "plant.change", 1)).toContain('token "ERP"');
    expect(whyMayNot(person([at("viewer", 1)]), "plant.change", 1)).toContain("Ann may not do this at this site");
    expect(whyMayNot(person([at("administrator", 1)]), "plant.change", 1)).toBeNull();
  });
});

describe("of any grants", () => {
  it("two roles are both: what one of them allows is allowed, and nothing more", () => {
    fc.assert(
      fc.property(someGrants, someGrants, anAction, aSite, fc.option(aLine), (some, more, action, site, line) => {
        const apart = mayAt(person(some), action, site, line) || mayAt(person(more), action, site, line);
        expect(mayAt(person([...some, ...more]), action, site, line)).toBe(apart);
      }),
    );
  });

  it("a site that no grant names is never reached", () => {
    fc.assert(
      fc.property(fc.array(aGrant.filter(({ site }) => site !== "all")), anAction, aLine, (grants, action, line) => {
        if (actions[action].reach === "self") return;
        const actor = person(grants);
        const elsewhere = 99;
        expect(mayAt(actor, action, elsewhere)).toBe(false);
        expect(mayAt(actor, action, elsewhere, line)).toBe(false);
        expect(sees(actor, elsewhere)).toBe(false);
      }),
    );
  });

  it("who may do something somewhere sees that place", () => {
    fc.assert(
      fc.property(someGrants, fc.constantFrom(...siteActions), aSite, fc.option(aLine), (grants, action, site, line) => {
        if (mayAt(person(grants), action, site, line)) expect(sees(person(grants), site, line)).toBe(true);
      }),
    );
  });

  it("no more can be done anywhere than at some site, and offered is what can be done", () => {
    fc.assert(
      fc.property(someGrants, fc.constantFrom(...siteActions), (grants, action) => {
        const actor = person(grants);
        expect(mayAnywhere(actor, action)).toBe([1, 2, 3, 4].some((site) => mayAt(actor, action, site)));
        expect(whyMayNot(actor, action) === null).toBe(mayAnywhere(actor, action));
      }),
    );
  });

  it("covers: true exactly where nothing was taken away", () => {
    fc.assert(
      fc.property(someGrants, someGrants, fc.constantFrom(...siteActions), (before, now, action) => {
        const lost = [1, 2, 3, 4].some((site) =>
          [1, 2, 3, 4, 5, 6].some((line) => mayAt(person(before), action, site, line) && !mayAt(person(now), action, site, line)),
        );
        const [wide, narrow] = [scopeOf(person(before), action), scopeOf(person(now), action)];
        if (lost) expect(covers(narrow, wide)).toBe(false);
        if (wide.sites !== "all" && !lost) expect(covers(narrow, wide)).toBe(true);
        expect(covers(scopeOf(person([...before, ...now]), action), wide)).toBe(true);
      }),
    );
  });
});

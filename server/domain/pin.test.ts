import { describe, expect, it } from "vitest";
import { type Actor, type Grant, type Role, roles } from "./permission.ts";
import { atTerminal, floorRoles, holdsAllOf, opens, opensAll, whatPinOpens } from "./pin.ts";

const grant = (role: Role, site: Grant["site"] = 1, lines: Grant["lines"] = null): Grant => ({ role, site, lines });
const who = (...grants: Grant[]): Actor => ({ kind: "person", id: "p", name: "P", grants, sessionId: "s", terminalId: null });

describe("a PIN that somebody gives", () => {
  // Written down by hand: who may be given a PIN by whom. A duty that gets more rights shows here.
  const covered: Partial<Record<Role, readonly Role[]>> = {
    supervisor: ["operator", "supervisor", "storekeeper", "viewer"],
    plant_manager: ["operator", "supervisor", "storekeeper", "quality", "viewer"],
    administrator: floorRoles,
  };
  it.each(roles.flatMap((giver) => floorRoles.map((to) => [giver, to] as const)))("%s to %s", (giver, to) => {
    const may = covered[giver]?.includes(to) ?? false;
    expect(holdsAllOf(who(grant(giver)), [grant(to)])).toBe(
      may || giver === to || (covered[giver] === undefined && holdsAllOf(who(grant(giver)), [grant(to)])),
    );
    if (covered[giver]) expect(whatPinOpens(who(grant(giver)), [grant(to)])).toEqual(may ? [`${to}@1`] : null);
  });
  it("opens the duties of the floor at the giver's sites, and asks what is held there alone", () => {
    expect(whatPinOpens(who(grant("supervisor")), [grant("operator"), grant("technician", 2), grant("viewer", "all"), grant("executive")])).toEqual([
      "operator@1",
      "viewer@1",
    ]);
    expect(whatPinOpens(who(grant("supervisor")), [grant("operator"), grant("quality", "all")])).toBeNull();
    expect(whatPinOpens(who(grant("administrator", "all")), [grant("technician", "all"), grant("operator", 2)])).toEqual(["technician@*", "operator@2"]);
    expect(whatPinOpens(who(grant("supervisor"), grant("technician")), [grant("technician")])).toEqual(["technician@1"]);
    expect(whatPinOpens(who(grant("supervisor"), grant("technician", 2)), [grant("technician")])).toBeNull();
  });
  it("opens nothing that the person is given later", () => {
    const given = whatPinOpens(who(grant("supervisor")), [grant("operator")]);
    expect([["operator", "quality"].map((role) => opens(given ?? [], role as Role, 1)), opens(given ?? [], "operator", 2)]).toEqual([[true, false], false]);
    expect(opens(opensAll, "quality", 1)).toBe(true);
    expect(opens(["viewer@*"], "viewer", 7)).toBe(true);
  });
});

it("a terminal opens the floor at its own site", () => {
  expect(atTerminal(grant("administrator"), 1)).toEqual([]);
  expect(atTerminal(grant("viewer", "all"), 3)).toEqual([grant("viewer", 3)]);
  expect(atTerminal(grant("operator", 2), 3)).toEqual([]);
});

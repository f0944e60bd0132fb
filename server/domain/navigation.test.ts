import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { landingOf, offeredPages, pageAt, pages, safeNext, signInPath } from "./navigation.ts";
import { type Actor, type Grant, mayAnywhere, nobody, type Role, roles } from "./permission.ts";

const person = (...grants: Grant[]): Actor => ({ kind: "person", id: "p", name: "Ann", grants, sessionId: "s", terminalId: null });
const at = (role: Role, site: Grant["site"] = "all", lines: Grant["lines"] = null): Grant => ({ role, site, lines });

describe("landingOf", () => {
  it.each<[string, Actor, ReturnType<typeof landingOf>]>([
    ["an operator of one line: its board", person(at("operator", 1, [7])), { to: "board", lineId: 7 }],
    ["an operator of two lines", person(at("operator", 1, [7, 8])), { to: "page", path: "/" }],
    ["an operator of a whole site", person(at("operator", 1)), { to: "page", path: "/" }],
    ["an operator of one line who also supervises", person(at("operator", 1, [7]), at("supervisor", 1)), { to: "page", path: "/" }],
    ["a technician", person(at("technician", 1)), { to: "page", path: "/data-health" }],
    ["an administrator", person(at("administrator", 2)), { to: "page", path: "/plant" }],
    ["an administrator who is a technician, too", person(at("administrator"), at("technician", 1)), { to: "page", path: "/data-health" }],
    ["somebody without any role", person(), { to: "page", path: "/account" }],
    ["nobody", nobody, { to: "page", path: "/account" }],
  ])("%s", (_, actor, landing) => expect(landingOf(actor)).toEqual(landing));

  it("is a page that the person may see, whatever their roles", () => {
    const grants = fc.array(fc.record({ role: fc.constantFrom(...roles), site: fc.constantFrom<Grant["site"]>(1, 2, "all"), lines: fc.constant(null) }), {
      minLength: 1,
    });
    fc.assert(
      fc.property(grants, (some) => {
        const landing = landingOf(person(...some));
        expect(landing.to === "board" || offeredPages(person(...some)).some(({ path }) => path === landing.path)).toBe(true);
      }),
    );
  });
});

describe("offeredPages", () => {
  it("are those whose action the actor may do somewhere", () => {
    for (const role of roles)
      for (const page of pages)
        expect(offeredPages(person(at(role, 1))).includes(page), `${role} ${page.key}`).toBe(mayAnywhere(person(at(role, 1)), page.action));
  });
});

describe("pageAt", () => {
  it("finds the page that an address lies below", () => {
    expect([..."/ /board/a/b/c /people /people/7 /plant/import /plant/lines/3 /peoples".split(" ")].map((path) => pageAt(path)?.key ?? null)).toEqual([
      "lines",
      "lines",
      "people",
      "people",
      "import",
      "plant",
      null,
    ]);
  });
});

describe("safeNext", () => {
  it("keeps an address of this app with its query", () => {
    for (const path of ["/", "/people?people.q=ann%20b", "/board/works/hall/live?theme=light", "/audit#x", "/sign-instructions"])
      expect(safeNext(path)).toBe(path);
  });

  it.each([
    "",
    null,
    undefined,
    "//evil.example",
    "/\\evil.example",
    "https://evil.example",
    "javascript:alert(1)",
    "/a\nb",
    "/a b",
    "/ä",
    "/api/trpc/x",
    "/sign-in?next=/",
    "/sign-out",
    "people",
  ])("refuses %j", (path) => expect(safeNext(path)).toBeNull());

  it("never leads to another host, whatever is sent", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.webUrl(),
          fc.string().map((tail) => `/${tail}`),
        ),
        (path) => {
          const next = safeNext(path);
          if (next !== null) expect(new URL(next, "https://takt.example").host).toBe("takt.example");
        },
      ),
    );
  });

  it("is what the sign-in page is told", () => {
    expect(signInPath("/people?x=1&y=2")).toBe("/sign-in?next=%2Fpeople%3Fx%3D1%26y%3D2");
    for (const path of ["/", "//evil.example", null]) expect(signInPath(path)).toBe("/sign-in");
  });
});

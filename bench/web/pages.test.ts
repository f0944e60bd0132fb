import { expect, it } from "vitest";
import { pageDoors } from "#/server/domain/doors.ts";
import { nameOf, pages } from "./pages.ts";

it("measures every page that there is, at the sizes at which it is used", () => {
  expect(new Set(pages.map(({ door }) => door))).toEqual(new Set(Object.keys(pageDoors)));
  expect(new Set(pages.map(({ size }) => size))).toEqual(new Set(["desk", "wall", "phone"]));
  expect(new Set(pages.map(nameOf)).size).toBe(pages.length);
});

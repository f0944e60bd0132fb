import { describe, expect, it } from "vitest";
import { pageDoorAt, pageDoors } from "./doors.ts";
import { pages } from "./navigation.ts";

describe("pageDoorAt", () => {
  it.each([
    ["/", "board.read"],
    ["/people", "person.read"],
    ["/people/", "person.read"],
    ["/people/new", "person.change"],
    ["/people/7b7e", "person.read"],
    ["/plant/new/machine", "plant.change"],
    ["/plant/machine/works/hall/live/press", "plant.read"],
    ["/plant/machine", null],
    ["/board/works/hall/live", "board.read"],
    ["/board/works/hall", null],
    ["/nowhere", null],
    ["/__proto__", null],
  ])("%s: %s", (path, door) => expect(pageDoorAt(path)).toBe(door));

  it("is what the navigation offers its pages by", () => {
    for (const { path, action } of pages) if (Object.hasOwn(pageDoors, path)) expect(pageDoorAt(path), path).toBe(action);
  });
});

import { describe, expect, it } from "vitest";
import { handlerDoors } from "#/server/domain/doors.ts";
import { mostBytesAt } from "./bodies.ts";

describe("mostBytesAt", () => {
  it("takes something wherever a handler takes something, and nowhere else", () => {
    const takes = (path: string) => Object.hasOwn(handlerDoors, `POST ${path}`);
    for (const door of Object.keys(handlerDoors)) {
      const [, path = ""] = door.split(" ");
      expect(mostBytesAt(path.replace(/\[[^\]]+\]/g, "x")) > 0, path).toBe(takes(path));
    }
    for (const path of ["/", "/sign-out", "/api/trpc", "/api/authx/y", "/display/x", "//api/trpc/a.b", ""]) expect(mostBytesAt(path), path).toBe(0);
  });
});

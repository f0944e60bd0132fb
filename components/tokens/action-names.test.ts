import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { tokenActions } from "#/server/domain/token.ts";

it("every action that a token may be given has a name on screen", () => {
  const messages = JSON.parse(readFileSync(join(import.meta.dirname, "../../messages/en.json"), "utf8"));
  const named = tokenActions.filter((action) => {
    const [noun = "", verb = ""] = action.split(".");
    return typeof messages.actions[noun]?.[verb] === "string";
  });
  expect(named).toEqual(tokenActions);
});

/** Every action, kind and field that the trail may hold has its words. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { actionNames } from "#/server/domain/permission.ts";

const root = join(import.meta.dirname, "../..");
type Words = { action: Record<string, Record<string, string>>; verb: Record<string, string>; kind: Record<string, string> };
const { audit } = JSON.parse(readFileSync(join(root, "messages/en.json"), "utf8")) as { audit: Words };
const code = globSync("server/**/*.ts", { cwd: root })
  .filter((file) => !/\.test\.ts$|testing/.test(file))
  .map((file) => readFileSync(join(root, file), "utf8"))
  .join("\n");
const permissions = new Set<string>(actionNames);

describe("the words of the trail", () => {
  it("name every action that the server writes down", () => {
    const written = new Set(
      [...code.matchAll(/(?:action: |changed\(ctx, |note\([^"]*|noteFailure\([^"]*|recordOf\([^"]*|actionOf = \{[^}]*)"([a-z_]+\.[a-z_]+)"/g)].map(
        ([, action]) => action ?? "",
      ),
    );
    for (const [, block = ""] of code.matchAll(/actionOf[^={]*= \{([^}]*)\}/g))
      for (const [, action = ""] of block.matchAll(/"([a-z_]+\.[a-z_]+)"/g)) written.add(action);
    const unnamed = [...written].filter((action) => {
      const [noun = "", verb = ""] = action.split(".");
      return !permissions.has(action) && audit.action[noun]?.[verb] === undefined && !(audit.verb[verb] !== undefined && audit.kind[noun] !== undefined);
    });
    expect(written.size).toBeGreaterThan(30);
    expect(unnamed).toEqual([]);
  });

  it("name no action that is never written", () => {
    const named = Object.entries(audit.action).flatMap(([noun, verbs]) => Object.keys(verbs).map((verb) => `${noun}.${verb}`));
    expect(named.filter((action) => !code.includes(`"${action}"`))).toEqual([]);
  });
});

// A right that the map gives can be used: by screens, which call procedures that ask for it and for nothing that its holder lacks.
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { handlerDoors, identityDoors, pageDoorAt } from "#/server/domain/doors.ts";
import { type Action, type Actor, actionNames, mayAnywhere, roles } from "#/server/domain/permission.ts";
import { rightsFor } from "#/server/plant/edit-service.ts";
import { kinds } from "#/server/plant/items.ts";
import { procedures } from "./document.ts";
import { type Example, type Examples, examples, type ProcedurePath } from "./examples.ts";

const root = resolve(import.meta.dirname, "../..");
const screens = globSync("{app,components}/**/*.{ts,tsx}", { cwd: root }).filter((file) => !/\.test\.tsx?$/.test(file));
/** As `trpc.devices.put.mutationOptions(`, as a client that was taken apart: `displays.create.mutate(`, or on the server: `api.account.own(`. */
const calls = /\b(\w+)\s*\.\s*(\w+)\s*\.\s*(?:\w+(?:Options|Key)|mutate|mutateAsync|query|subscribe)\(|\bapi\.(\w+)\.(\w+)\(/g;
const called = new Set(
  screens.flatMap((file) => [...readFileSync(join(root, file), "utf8").matchAll(calls)].map(([, noun, verb, own, does]) => `${noun ?? own}.${verb ?? does}`)),
);

const holding = (role: (typeof roles)[number]): Actor => ({
  kind: "person",
  id: "p",
  name: "Ann",
  grants: [{ role, site: "all", lines: null }],
  sessionId: "s",
  terminalId: null,
});

/** What each thing that screens do asks for, all of it at once. */
const done: { name: string; needs: readonly Action[] }[] = [
  ...procedures()
    .filter(({ path }) => called.has(path))
    .flatMap(({ path, action }) => {
      const given = examples[path as ProcedurePath] as Examples;
      const each: [string, Example][] = "about" in given ? [["", given as Example]] : Object.entries(given as Record<string, Example>);
      return each.filter(([, { never }]) => !never).map(([of, { needs = [] }]) => ({ name: `${path} ${of}`, needs: [action, ...needs] }));
    }),
  // What these add to an answer is looked at in server/plant/edit-rights.db.test.ts.
  { name: "plant.item with its money", needs: ["plant.read", "money.read"] },
  ...[...Object.entries(handlerDoors), ...Object.entries(identityDoors)].flatMap(([name, door]) =>
    typeof door === "string" ? [{ name, needs: [door] as const }] : [],
  ),
];

it("every right of every role is of use to who has that role alone", () => {
  const useless = roles.flatMap((role) => {
    const actor = holding(role);
    return actionNames
      .filter((action) => mayAnywhere(actor, action))
      .filter((action) => !done.some(({ needs }) => needs.includes(action) && needs.every((need) => mayAnywhere(actor, need))))
      .map((action) => `${role}: ${action}`);
  });
  expect(useless).toEqual([]);
});

/** Screens save one thing at a time, and take the plant's file from /plant/export. */
const notOfScreens = ["plant.exportYaml", "plant.putMany"];

it("every procedure is called from a screen, but those that screens have another way for", () => {
  const uncalled = procedures().filter(({ path }) => !called.has(path));
  expect(uncalled.map(({ path }) => path)).toEqual(notOfScreens);
});

it.each(kinds)("the form of a new %s opens for whoever may save it, and for nobody else", (kind) => {
  const door = pageDoorAt(`/plant/new/${kind}`);
  const needed = rightsFor({ do: "put", kind, address: null, parent: "x", fields: {}, version: null });
  const who = (asked: readonly Action[]) => roles.filter((role) => asked.every((action) => mayAnywhere(holding(role), action)));
  expect(who([door as Action])).toEqual(who(needed));
});

// The map, the files, the words and the document say the same: nothing that answers a request is missing from it.
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { type Door, type HandlerDoor, handlerDoors, identityDoors, pageDoors } from "#/server/domain/doors.ts";
import { pages } from "#/server/domain/navigation.ts";
import { actionNames } from "#/server/domain/permission.ts";
import { actionWords } from "#/server/domain/permission-words.ts";
import { open } from "#/server/identity/handler.ts";
import { permissionsDocument, procedures, wordsOf } from "./document.ts";

const root = resolve(import.meta.dirname, "../..");
const app = join(root, "app");

/** The path of a page or handler, without what only groups folders. */
const pathOf = (file: string) =>
  `/${file
    .split("/")
    .slice(0, -1)
    .filter((folder) => !/^\(.*\)$/.test(folder))
    .join("/")}`;
const files = (name: string) => globSync(`**/${name}`, { cwd: app }).map((file) => ({ path: pathOf(file), text: readFileSync(join(app, file), "utf8") }));

describe("pages", () => {
  const found = files("page.tsx");

  it("are all in the map", () => {
    expect(found.map(({ path }) => path).sort()).toEqual(Object.keys(pageDoors).sort());
  });

  it("ask for what the map says, before anything else", () => {
    for (const { path, text } of found) {
      const door = pageDoors[path as keyof typeof pageDoors] as Door;
      const asked = [...text.matchAll(/await requirePage\("([^"]+)"\)/g)].map(([, action]) => action);
      expect(asked, path).toEqual(typeof door === "string" ? [door] : []);
      if (typeof door === "string")
        expect(
          /export default async function \w+\([^)]*\) \{\s*(\/\/[^\n]*\s*)*(const \{[^}]*\} = )?await requirePage\(/.test(text),
          `${path} asks first`,
        ).toBe(true);
    }
  });

  it("of the navigation are there", () => {
    for (const { path } of pages) expect(Object.keys(pageDoors)).toContain(path);
  });
});

describe("route handlers", () => {
  it("are all in the map, method by method", () => {
    const found = files("route.ts").flatMap(({ path, text }) =>
      [
        ...text.matchAll(/export (?:(?:async )?function|const) (GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)\b|\bas (GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)\b/g),
      ].map(([, declared, renamed]) => ({ handler: `${declared ?? renamed} ${path}`, text })),
    );
    expect(found.map(({ handler }) => handler).sort()).toEqual(Object.keys(handlerDoors).sort());
    for (const { handler, text } of found) {
      const door = handlerDoors[handler as keyof typeof handlerDoors] as HandlerDoor;
      if (typeof door === "string") expect(text, handler).toMatch(new RegExp(`= route(<[^>]*>)?\\("${door.replace(".", "\\.")}"`));
    }
  });

  it("below /api/auth are all in the map", () => {
    expect(Object.keys(open).sort()).toEqual(Object.keys(identityDoors).sort());
  });

  it("there are no server functions beside them: these would be reached without being in the map", () => {
    const all = globSync("{app,components,server}/**/*.{ts,tsx}", { cwd: root });
    expect(all.filter((file) => /^\s*["']use server["']/m.test(readFileSync(join(root, file), "utf8")))).toEqual([]);
  });
});

describe("procedures", () => {
  it("each ask for an action", () => {
    expect(procedures().length).toBeGreaterThan(50);
    for (const { path, action } of procedures()) expect(actionNames, path).toContain(action);
  });

  it("that change something ask for more than to read", () => {
    for (const { path, type, action } of procedures()) if (type === "mutation") expect(action, path).not.toMatch(/\.read$/);
  });
});

describe("docs/permissions.md", () => {
  it("has words for every action", () => {
    for (const action of actionNames) expect(wordsOf(action), action).toBe(actionWords[action]);
  });

  it("says what the map says (npm run permissions)", () => {
    expect(readFileSync(join(root, "docs/permissions.md"), "utf8")).toBe(permissionsDocument());
  });
});

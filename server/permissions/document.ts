/** docs/permissions.md, from the map: who may do what, what pages, handlers and procedures ask for. `npm run permissions` writes it; a test holds it to the map. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Door, handlerDoors, identityDoors, pageDoors } from "#/server/domain/doors.ts";
import { type Action, actionNames, actions, type Role, roles } from "#/server/domain/permission.ts";
import { tokenActions } from "#/server/domain/token.ts";
import { appRouter } from "#/server/router.ts";
import type { Meta } from "#/server/trpc.ts";

type Words = { actions: Record<string, Record<string, string>>; roles: Record<Role, string> };

const root = resolve(import.meta.dirname, "../..");
const readWords = (): Words => JSON.parse(readFileSync(join(root, "messages/en.json"), "utf8"));

/** An action as people say it; null: the catalogue has no words for it. */
export function wordsOf(action: Action, words: Words = readWords()): string | null {
  const [noun = "", verb = ""] = action.split(".");
  return words.actions[noun]?.[verb] ?? null;
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
const code = (text: string) => `\`${text}\``;

/** Where an action happens, in words. */
const reachWords = { site: "at a site", plant: "at all sites", self: "oneself" } as const;

const doorWords = (door: Door | { each: string }): string =>
  typeof door === "string" ? code(door) : "open" in door ? `open: ${door.open}` : `each for itself: ${door.each}`;

export type Procedure = { path: string; type: string; action: Action };

/** Every procedure there is, by path. @throws Error where one has no action: `may` is the only way to make one */
export function procedures(): Procedure[] {
  const all = appRouter._def.procedures as unknown as Record<string, { _def: { type: string; meta?: Meta } }>;
  return Object.entries(all)
    .map(([path, { _def }]) => {
      if (!_def.meta) throw new Error(`The procedure ${path} asks for no action.`);
      return { path, type: _def.type, action: _def.meta.action };
    })
    .sort((a, b) => a.path.localeCompare(b.path));
}

export function permissionsDocument(): string {
  const words = readWords();
  const short = (role: Role) => words.roles[role];
  const actionRows = actionNames.map((action) => {
    const { roles: duty, reach, ...rule } = actions[action];
    const held = roles.map((role) => ((duty as readonly Role[]).includes(role) ? "yes" : ""));
    return [
      wordsOf(action, words) ?? action,
      code(action),
      reachWords[reach],
      ...held,
      "display" in rule ? "yes" : "",
      tokenActions.includes(action) ? "can" : "",
    ];
  });
  return `# Who may do what

Written from the map in \`server/domain/permission.ts\` by \`npm run permissions\`; a test holds it to the map. Do not edit it here.

A person has roles, each at one site or at all; with two roles they may what either allows. An operator may be given some lines of a site: then only these exist for
them. What concerns all sites takes the role at all sites. Everything else is at the sites where the role is held: lists, searches and counts hold the rows of these
sites and no others, and an object of another site is answered as if there were none. Topics below \`takt/v1/<site>/\` belong to that site: no signal and no device of
another one is given them by who has no right there. Letters of topics that nobody can assign to one site are for who looks after all.

A token may never do more than its owner may at that moment, and of that only what it was given ("can" below). A display shows the boards of its lines and nothing
else. What is open (a board, a list that follows changes) ends within a minute when the right to it is taken away.

An administrator of one site gives roles at that site, and changes a person as a whole (name, address, how they sign in) only where they administer every site at
which that person has a role. The last administrator of all sites stays one: the database refuses otherwise.

## Actions

${table(["What", "Action", "Where", ...roles.map(short), "Display", "Token"], actionRows)}

## Pages

Who is not signed in is led to the sign-in page and back; who may not is answered 403.

${table(
  ["Page", "Asks for"],
  Object.entries(pageDoors).map(([path, door]) => [code(path), doorWords(door)]),
)}

## Route handlers

${table(
  ["Handler", "Asks for"],
  Object.entries(handlerDoors).map(([handler, door]) => [code(handler), doorWords(door)]),
)}

Below \`/api/auth\`:

${table(
  ["Request", "Asks for"],
  Object.entries(identityDoors).map(([request, door]) => [code(request), doorWords(door)]),
)}

## Procedures

${table(
  ["Procedure", "Kind", "Asks for"],
  procedures().map(({ path, type, action }) => [code(path), type, code(action)]),
)}
`;
}

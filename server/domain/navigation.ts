/** The pages that there are, and what each needs: for the navigation, the command palette and the page that a person lands on. */
import { type Action, type Actor, mayAnywhere, type Role } from "./permission.ts";

export type PageKey = "lines" | "dataHealth" | "plant" | "import" | "devices" | "people" | "screens" | "terminals" | "tokens" | "audit";
/** What belongs together: what runs, what is set up, who did what. */
export type PageGroup = "production" | "setup" | "oversight";
export type Page = { key: PageKey; path: string; group: PageGroup; action: Action };

/** In the order of the navigation. */
export const pages: readonly Page[] = [
  { key: "lines", path: "/", group: "production", action: "board.read" },
  { key: "dataHealth", path: "/data-health", group: "production", action: "data_health.read" },
  { key: "plant", path: "/plant", group: "setup", action: "plant.read" },
  { key: "import", path: "/plant/import", group: "setup", action: "plant.change" },
  { key: "devices", path: "/devices", group: "setup", action: "plant.read" },
  { key: "screens", path: "/screens", group: "setup", action: "screen.read" },
  { key: "terminals", path: "/terminals", group: "setup", action: "terminal.change" },
  { key: "people", path: "/people", group: "oversight", action: "person.read" },
  { key: "tokens", path: "/tokens", group: "oversight", action: "token.read" },
  { key: "audit", path: "/audit", group: "oversight", action: "audit.read" },
];

export const offeredPages = (actor: Actor): Page[] => pages.filter(({ action }) => mayAnywhere(actor, action));

/** The page that an address belongs to: its own, or the one it lies below. Lines: all boards. null: none of the navigation. */
export function pageAt(path: string): Page | null {
  if (path === "/" || path.startsWith("/board/")) return pages[0] ?? null;
  const above = pages.filter((page) => page.path !== "/" && `${path}/`.startsWith(`${page.path}/`));
  return above.sort((a, b) => b.path.length - a.path.length)[0] ?? null;
}

/** What each duty looks at first. In the order of precedence: who has several duties lands where the work is, not where it is set up. */
const firstOf: readonly (readonly [Role, PageKey])[] = [
  ["operator", "lines"],
  ["supervisor", "lines"],
  ["technician", "dataHealth"],
  ["plant_manager", "lines"],
  ["executive", "lines"],
  ["quality", "lines"],
  ["storekeeper", "lines"],
  ["administrator", "plant"],
  ["viewer", "lines"],
];

/** Where an actor lands after signing in: a page, or the board of the only line that is theirs. */
export type Landing = { to: "page"; path: string } | { to: "board"; lineId: number };

export function landingOf(actor: Actor): Landing {
  if (actor.kind === "person") {
    const line = onlyLineOf(actor);
    if (line !== null) return { to: "board", lineId: line };
    const [, key] = firstOf.find(([role]) => actor.grants.some((grant) => grant.role === role)) ?? [];
    const page = offeredPages(actor).find((offered) => offered.key === key);
    if (page) return { to: "page", path: page.path };
  }
  return { to: "page", path: offeredPages(actor)[0]?.path ?? "/account" };
}

/** Of an operator, and nothing else, of one line, and no other. */
function onlyLineOf(actor: Extract<Actor, { kind: "person" }>): number | null {
  const lines = new Set(actor.grants.flatMap((grant) => (grant.role === "operator" && grant.lines !== null ? grant.lines : [Number.NaN])));
  const [line] = lines;
  return lines.size === 1 && line !== undefined && !Number.isNaN(line) ? line : null;
}

/**
 * An address of this app to go on to, from what a browser sent: a path with its query, never another host; null where it is none, or would lead in a circle.
 * Backslashes and control characters are refused since browsers read `/\host` as `//host`.
 */
export function safeNext(path: string | null | undefined): string | null {
  if (!path || path.length > 2_000 || !/^\/(?!\/)[\x21-\x5b\x5d-\x7e]*$/.test(path)) return null;
  return /^\/(api|sign-in|sign-out)(?![^/?#])/.test(path) ? null : path;
}

/** The sign-in page that comes back to `from` afterwards. */
export function signInPath(from: string | null): string {
  const next = safeNext(from);
  return next === null || next === "/" ? "/sign-in" : `/sign-in?next=${encodeURIComponent(next)}`;
}

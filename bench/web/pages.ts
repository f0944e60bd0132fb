// Which pages are measured, at which size, and what a person does there.
import type { Page } from "@playwright/test";
import type { pageDoors } from "#/server/domain/doors.ts";
import type { Subjects, Who } from "./stage.ts";

/** Something that is done with finger or key. */
export type Deed = { what: string; act(page: Page): Promise<void> };
export type WebPage = {
  /** As in the map of doors. */
  door: keyof typeof pageDoors;
  /** Which one, where one door leads to several. */
  about?: string;
  size: keyof typeof sizes;
  who: Who;
  address(subjects: Subjects): string;
  deeds: readonly Deed[];
};

export const sizes = {
  /** A laptop. */
  desk: { width: 1440, height: 900 },
  wall: { width: 1920, height: 1080 },
  phone: { width: 390, height: 844 },
} as const;

const press = (name: string | RegExp): Deed => ({ what: `press ${name}`, act: (page) => page.getByRole("button", { name }).first().click() });
const key = (name: string): Deed => ({ what: `key ${name}`, act: (page) => page.keyboard.press(name) });
const type = (label: string | RegExp, text: string): Deed => ({
  what: `type into ${label}`,
  act: (page) => page.getByRole("textbox", { name: label }).first().pressSequentially(text, { delay: 40 }),
});
/** The browser's own list does not open without a person at the screen; its keys change it all the same. */
const changeNative = (label: string | RegExp): Deed => ({
  what: `change ${label}`,
  act: async (page) => {
    await page.getByLabel(label).last().focus(); // a dialog's after the frame's
    await page.keyboard.press("ArrowDown");
  },
});
const openList = (label: string | RegExp): Deed => ({ what: `open ${label}`, act: (page) => page.getByRole("combobox", { name: label }).first().click() });
const secret = (label: string): Deed => ({
  what: `type into ${label}`,
  act: (page) => page.getByLabel(label, { exact: true }).first().pressSequentially("a few words in a row", { delay: 20 }),
});

const follow = (name: string): Deed => ({ what: `follow ${name}`, act: (page) => page.getByRole("link", { name }).first().click() });
const openFirstList: Deed = { what: "open the first list", act: (page) => page.getByRole("main").getByRole("combobox").first().click() };
const chooseSite: readonly Deed[] = [
  { what: "open Site", act: (page) => page.getByRole("dialog").getByRole("combobox", { name: "Site" }).click() },
  { what: "choose a site", act: (page) => page.getByRole("listbox").getByRole("option").first().click() },
];
const openSource: Deed = { what: "open a source", act: (page) => page.locator("#sources tbody button").first().click() };
const leave = key("Escape");
/** On a phone its name is that of its title alone. */
const openAccount: Deed = { what: "open the account menu", act: (page) => page.getByTitle(/^Account of/).click() };
const account: readonly Deed[] = [openAccount, leave];
const palette: readonly Deed[] = [key("Control+k"), { what: "type into the palette", act: (page) => page.keyboard.type("line", { delay: 40 }) }, leave];
const drawer: readonly Deed[] = [press("Open the menu"), leave];
const frame: readonly Deed[] = [...account, ...palette];
/** name: of the table; column: by which it is sorted. */
const table = (name: string, column: string | RegExp): readonly Deed[] => [
  type(`Filter ${name}`, "a"),
  press(column),
  press(`Choose columns of ${name}`),
  { what: "hide a column", act: (page) => page.getByRole("menu").getByRole("menuitem").nth(1).click() },
  leave,
];

const inside = (door: WebPage["door"], deeds: readonly Deed[], address: WebPage["address"] = () => door): WebPage => ({
  door,
  size: "desk",
  who: "administrator",
  address,
  deeds: [...frame, ...deeds],
});
const outside = (door: WebPage["door"], deeds: readonly Deed[], who: Who = "nobody", address: WebPage["address"] = () => door): WebPage => ({
  door,
  size: "desk",
  who,
  address,
  deeds,
});
const about = (what: string, page: WebPage): WebPage => ({ ...page, about: what });
const onPhone = (page: WebPage, deeds: readonly Deed[]): WebPage => ({ ...page, size: "phone", deeds });
const onWall = (page: WebPage, deeds: readonly Deed[] = page.deeds): WebPage => ({ ...page, size: "wall", deeds });

const boardDeeds: readonly Deed[] = [follow("Light"), follow("Dark")];
const home = inside("/", []);
const board = outside("/board/[site]/[area]/[line]", boardDeeds, "administrator", ({ line }) => `/board/${line}`);
const health = inside("/data-health", [...table("Sources", "Last value"), openSource, leave]);
const people = inside("/people", [...table("People", "Name"), changeNative("Only people with this role")]);
const machine = about(
  "machine",
  inside("/plant/[kind]/[...address]", [type("Name", " 2"), openFirstList], ({ machine: at }) => `/plant/machine/${at}`),
);
const signIn = outside("/sign-in", [type("E-mail address or user name", "somebody"), secret("Password"), press("Sign in")]);

/** Each page of the map of doors is here at least once. */
export const pages: readonly WebPage[] = [
  home,
  inside("/start", []),
  board,
  health,
  people,
  inside("/people/[id]", [type("Name", " Neu"), press("Add a role"), openList("Lines"), leave], ({ personId }) => `/people/${personId}`),
  inside("/people/new", [type("Name", "Nina Neu"), press("Add a role"), changeNative("Role 1")]),
  inside("/plant", []),
  machine,
  about(
    "shift pattern",
    inside("/plant/[kind]/[...address]", [type("Name", " 2"), openList("Clock changes ahead"), leave], ({ pattern }) => `/plant/shift_pattern/${pattern}`),
  ),
  inside("/plant/new/[kind]", [type("Name", "Press 99"), openFirstList], ({ line }) => `/plant/new/machine?under=${encodeURIComponent(line)}`),
  inside("/plant/new/device", [type("Name", "Gateway 99")], ({ line }) => `/plant/new/device?under=${line.split("/")[0]}`),
  inside("/plant/import", [openFirstList, leave]),
  inside("/devices", []),
  inside("/screens", [...table("Screens", "Name"), press("New display"), type("Name", "Gate"), ...chooseSite, openList("Add a board"), leave]),
  inside("/tokens", [...table("API tokens", "Name"), press("New token"), type("Name", "ERP"), leave]),
  inside("/terminals", [...table("Shared terminals", "Name"), press("Make this browser a terminal"), type("Name", "Gate"), leave]),
  inside("/audit", [type("Search", "machine"), openList("Kind of object"), leave]),
  inside("/audit/signatures", [press("Sign this"), leave]),
  inside("/account", [changeNative("Language")]),
  inside("/account/second-factor", [secret("Password")]),
  outside("/display", [], "display"),
  signIn,
  outside("/forgot-password", [key("Tab")]),
  outside("/link", [secret("Password")], "nobody", ({ link }) => link),
  outside("/terminal", [type("Find a name", "er"), press(/Example/)], "terminal"),
  outside("/sign-out", [key("Tab")], "administrator"),
  onWall(board),
  onWall(outside("/display", [], "display")),
  onPhone(home, [...drawer, ...account]),
  onPhone(board, boardDeeds),
  onPhone(health, [...drawer, ...table("Sources", "Last value").slice(0, 1), openSource, leave]),
  onPhone(people, [...drawer, type("Filter People", "er")]),
  onPhone(machine, [...drawer, type("Name", " 2"), openFirstList]),
  onPhone(signIn, signIn.deeds),
];

export const nameOf = ({ door, about: which, size }: WebPage): string =>
  [door, which && `(${which})`, size !== "desk" && `${sizes[size].width} × ${sizes[size].height}`].filter(Boolean).join(" ");

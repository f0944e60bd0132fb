/** The kinds of objects that entries are about: who may see what of them, and what belongs to which. */
import { type Action, type Actor, mayAnywhere, mayAt, scopeOf } from "#/server/domain/permission.ts";

/** Whose history needs more than the right to see a plant. */
const readActions: Readonly<Record<string, Action>> = {
  machine_cost: "money.read",
  product_cost: "money.read",
  energy_price: "money.read",
  currency_rate: "money.read",
  person: "person.read",
  membership: "person.read",
  membership_line: "person.read",
  account: "person.read",
  two_factor: "person.read",
  person_pin: "person.read",
  one_time_link: "person.read",
  api_token: "token.read",
  display: "screen.read",
  display_board: "screen.read",
  terminal: "terminal.change",
  terminal_line: "terminal.change",
};
/** Amounts of money are seen by who may, also in the trail. */
export const moneyKinds = Object.entries(readActions)
  .filter(([, action]) => action === "money.read")
  .map(([kind]) => kind);

/** What all sites share and everybody who sees a plant may know. */
const sharedKinds = new Set(["enterprise", "product_line", "product"]);

export const readActionOf = (kind: string): Action => readActions[kind] ?? "plant.read";

/** Chain 0 belongs to who may at all sites. */
export function maySee(actor: Actor, action: Action, chain: number): boolean {
  return chain === 0 ? scopeOf(actor, action).sites === "all" : mayAt(actor, action, chain);
}

/** An entry of this kind in this chain, in the history of an object. */
export const maySeeInHistory = (actor: Actor, kind: string, chain: number): boolean =>
  chain === 0 && sharedKinds.has(kind)
    ? mayAnywhere(actor, readActionOf(kind))
    : maySee(actor, "history.read", chain) && maySee(actor, readActionOf(kind), chain);

/** Rows that have no name of their own and are part of what another object is. */
const parts: Readonly<Record<string, readonly { table: string; column: string }[]>> = {
  enterprise: [{ table: "currency_rate", column: "enterprise_id" }],
  site: [
    { table: "energy_price", column: "site_id" },
    { table: "target", column: "site_id" },
  ],
  line: [
    { table: "line_shift_pattern", column: "line_id" },
    { table: "target", column: "line_id" },
  ],
  machine: [
    { table: "ideal_cycle", column: "machine_id" },
    { table: "machine_cost", column: "machine_id" },
    { table: "job_said", column: "machine_id" },
    { table: "stop_edit", column: "machine_id" },
    { table: "target", column: "machine_id" },
  ],
  job: [{ table: "job_said", column: "job_id" }],
  signal: [{ table: "topic_mapping", column: "signal_id" }],
  product: [
    { table: "ideal_cycle", column: "product_id" },
    { table: "product_cost", column: "product_id" },
  ],
  shift_pattern: [
    { table: "shift", column: "shift_pattern_id" },
    { table: "line_shift_pattern", column: "shift_pattern_id" },
  ],
  shift: [{ table: "shift_break", column: "shift_id" }],
  calendar_entry: [{ table: "calendar_break", column: "calendar_entry_id" }],
  person: [
    { table: "membership", column: "person_id" },
    { table: "account", column: "person_id" },
    { table: "two_factor", column: "person_id" },
    { table: "person_pin", column: "person_id" },
    { table: "one_time_link", column: "person_id" },
  ],
  membership: [{ table: "membership_line", column: "membership_id" }],
  display: [{ table: "display_board", column: "display_id" }],
  terminal: [{ table: "terminal_line", column: "terminal_id" }],
};
export const partsOf = (kind: string) => parts[kind] ?? [];
/** All of them, for the test that holds them against the database. */
export const allParts = Object.values(parts).flat();

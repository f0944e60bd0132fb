/** What each action is called where it is refused. As in the catalogues' `actions`; server/permissions holds them together. */
import type { Action } from "./permission.ts";

export const actionWords: Record<Action, string> = {
  "board.read": "See boards and the lines' state",
  "data_health.read": "See data health",
  "dead_letter.retry": "Retry set-aside letters",
  "dead_letter.discard": "Discard set-aside letters",
  "signal.map": "Map topics to signals",
  "plant.read": "See the plant's set-up",
  "plant.change": "Change the plant's set-up",
  "money.read": "See costs and values",
  "money.change": "Change costs and values",
  "catalogue.change": "Change what all sites share: sites, products, group currency",
  "device.change": "Change devices and their certificates",
  "display.own": "Show its own boards and give its sign of life (displays alone)",
  "screen.read": "See wall displays",
  "screen.change": "Set up, move and revoke wall displays",
  "terminal.change": "Register shared terminals and reset PINs",
  "person.read": "See people and their roles",
  "person.change": "Change people, roles and how they sign in",
  "token.read": "See API tokens",
  "token.change": "Make and revoke API tokens",
  "audit.read": "Read and export the audit trail",
  "history.read": "See the history of one object",
  "signature.read": "See signatures and what was signed",
  "signature.give": "Sign electronically",
  "account.own": "Look after one's own account",
};

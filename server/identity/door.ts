/** What the pages in front of signing in need to know, and nothing of anybody's. */
import { db } from "#/server/db.ts";
import { log } from "#/server/log.ts";
import { terminalOf } from "#/server/terminals/service.ts";
import { hasAdministrator } from "./links.ts";
import { canMail } from "./mail.ts";
import { providerName } from "./provider.ts";

export type DoorState = {
  provider: string | null;
  canMail: boolean;
  /** This browser is a shared terminal. */
  isTerminal: boolean;
  /** Nobody can administer Takt yet. */
  isFirstRun: boolean;
};

/** Without the database the page still comes: signing in then says what is wrong. */
export async function doorState(headers: Headers): Promise<DoorState> {
  const known = { provider: providerName(), canMail: canMail() };
  try {
    const [isTerminal, isThere] = await Promise.all([terminalOf(headers, new Date()).then((terminal) => terminal !== null), hasAdministrator(db)]);
    return { ...known, isTerminal, isFirstRun: !isThere };
  } catch (error) {
    log().warn({ err: error }, "the sign-in page could not ask the database");
    return { ...known, isTerminal: false, isFirstRun: false };
  }
}

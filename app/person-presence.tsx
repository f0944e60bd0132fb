import { headers } from "next/headers";
import { Presence } from "#/components/identity/presence.tsx";
import { log } from "#/server/log.ts";
import { pageContext } from "#/server/rsc.ts";
import { terminalOf } from "#/server/terminals/service.ts";

/** On every page of somebody who is signed in: keeps them so while they do something, and locks a shared terminal when nobody does. */
export async function PersonPresence() {
  try {
    const { actor, now } = await pageContext();
    if (actor.kind !== "person") return null;
    const terminal = actor.terminalId === null ? null : await terminalOf(await headers(), now());
    return <Presence terminal={terminal && { person: actor.name, autoLockS: terminal.autoLockS }} />;
  } catch (error) {
    // The page below says what is wrong; it is not this that hides it.
    log().warn({ err: error }, "who is signed in could not be read for the frame");
    return null;
  }
}

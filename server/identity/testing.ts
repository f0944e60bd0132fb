/** For tests: who asks, with what they hold. */
import type { Db } from "#/server/db.ts";
import type { Action, Actor, Grant, Role, Scope } from "#/server/domain/permission.ts";
import type { Context } from "#/server/trpc.ts";
import { type Permitted, permit } from "./permit.ts";

export const grant = (role: Role, site: Grant["site"] = "all", lines: Grant["lines"] = null): Grant => ({ role, site, lines });
let serial = 0;
/** Somebody signed in with these roles. The id is none of the database's. */
export const personWith = (...grants: Grant[]): Extract<Actor, { kind: "person" }> => {
  serial += 1;
  return {
    kind: "person",
    id: `00000000-0000-4000-8000-${String(serial).padStart(12, "0")}`,
    name: `Person ${serial}`,
    grants,
    sessionId: `${serial}`,
    terminalId: null,
  };
};
/** Takt itself: may everything. */
export const program: Actor = { kind: "program", id: "test", name: "Test" };
export const everywhere: Scope = { sites: "all", linesOf: new Map() };

/** A request of that actor, as it comes to a procedure. */
export const requestOf = (db: Db, actor: Actor): Context => ({ db, actor, from: { address: "192.0.2.1", userAgent: "test" }, now: () => new Date() });
/** The same after its permission has been asked for. @throws Refusal where the actor may do this nowhere */
export const permitted = (db: Db, actor: Actor, action: Action): Permitted<Context> => permit(requestOf(db, actor), action);

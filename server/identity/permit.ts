/** The one question that every request is asked before anything is read: may this actor do this, and where? */
import { type Action, type Actor, covers, mayAt, type Scope, scopeOf, sees, whyMayNot } from "#/server/domain/permission.ts";
import { Refusal } from "#/server/errors.ts";

/** What is asked about: one site, and a line of it where the object belongs to one. */
type Place = { siteId: number; lineId: number | null };

export type Permitted<Context = unknown> = Context & {
  /** Where the actor may do this: lists are cut down to it. */
  scope: Scope;
  /**
   * Asked with the site (and line) of every single object before it is read or changed. `missing`: the sentence for an object that there is not; an object of a
   * site of which the actor sees nothing answers the same.
   * @throws Refusal FORBIDDEN, or NOT_FOUND where the actor sees nothing of that site or line
   */
  need(siteId: number, lineId?: number | null, missing?: string): void;
  /** The object if there is one and the actor may do this with it. @throws Refusal NOT_FOUND with `missing`, FORBIDDEN */
  found<Row extends { siteId: number; lineId?: number | null }>(row: Row | null | undefined, missing: string): Row;
  /** Why what was permitted is not any more, by the rights that `actor` holds now; null: it still is. */
  whyNoMore(actor: Actor): Refusal | null;
};

const notHere = "This does not exist, or it belongs to a site that is not yours.";

/** @throws Refusal SIGNED_OUT or FORBIDDEN where the actor may do this nowhere at all */
export function permit<Context extends { actor: Actor }>(context: Context, action: Action): Permitted<Context> {
  const { actor } = context;
  const refused = refusal(actor, action);
  if (refused) throw refused;
  const scope = scopeOf(actor, action);
  const needed: Place[] = [];
  const need = (siteId: number, lineId: number | null = null, missing = notHere): void => {
    const place = { siteId, lineId };
    const refusedThere = refusalAt(actor, action, place, missing);
    if (refusedThere) throw refusedThere;
    if (!needed.some((before) => before.siteId === siteId && before.lineId === lineId)) needed.push(place);
  };
  return {
    ...context,
    scope,
    need,
    found(row, missing) {
      if (!row) throw new Refusal("NOT_FOUND", missing);
      need(row.siteId, row.lineId, missing);
      return row;
    },
    whyNoMore(now) {
      const gone = refusal(now, action);
      if (gone) return gone;
      for (const place of needed) {
        const goneThere = refusalAt(now, action, place, notHere);
        if (goneThere) return goneThere;
      }
      return needed.length > 0 || covers(scopeOf(now, action), scope) ? null : new Refusal("FORBIDDEN", "Your permissions have changed. Open this again.");
    },
  };
}

function refusal(actor: Actor, action: Action): Refusal | null {
  const reason = whyMayNot(actor, action);
  return reason === null ? null : new Refusal(actor.kind === "nobody" ? "SIGNED_OUT" : "FORBIDDEN", reason);
}

function refusalAt(actor: Actor, action: Action, { siteId, lineId }: Place, missing: string): Refusal | null {
  if (mayAt(actor, action, siteId, lineId)) return null;
  if (!sees(actor, siteId, lineId)) return new Refusal("NOT_FOUND", missing);
  return new Refusal("FORBIDDEN", whyMayNot(actor, action, siteId) ?? "This line is not one of yours.");
}

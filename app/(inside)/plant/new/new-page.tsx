import { Awake } from "#/components/frame/awake.tsx";
import { parentKindOf } from "#/components/plant/forms.ts";
import { NewItem } from "#/components/plant/new-item.tsx";
import { NoParent } from "#/components/plant/no-parent.tsx";
import type { Kind } from "#/server/plant/items.ts";
import { fetched, Hydrate, prefetch, trpc } from "#/server/rsc.ts";
import { found } from "../../../found.ts";

/** The form of a new thing, below another. Whoever calls it has asked for the right already. */
export async function NewPage({ kind, under }: { kind: Kind; under: string }) {
  const above = parentKindOf(kind);
  const isBelow = above !== null && above !== "enterprise";
  await Promise.all([
    prefetch(trpc.plant.tree.queryOptions()),
    isBelow && under !== "" ? found(fetched(trpc.plant.item.queryOptions({ kind: above, address: under }))) : null,
  ]);
  return (
    <Hydrate>
      {isBelow && under === "" ? <NoParent kind={kind} above={above} /> : <NewItem kind={kind} under={under} />}
      <Awake />
    </Hydrate>
  );
}

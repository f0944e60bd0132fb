import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { Awake } from "#/components/frame/awake.tsx";
import { ItemPage } from "#/components/plant/item-page.tsx";
import { requirePage } from "#/server/identity/page.ts";
import { type Kind, kinds } from "#/server/plant/items.ts";
import { fetched, Hydrate, prefetch, trpc } from "#/server/rsc.ts";
import { found } from "../../../../found.ts";

type Props = PageProps<"/plant/[kind]/[...address]">;

/** A part of an address as it was typed; null where it was never encoded rightly. */
function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  return { title: (await params).address.map((part) => decoded(part) ?? part).join(" · ") };
}

export default async function PlantItemPage({ params }: Props) {
  await requirePage("plant.read");
  const { kind, address } = await params;
  const parts = address.map(decoded);
  if (!kinds.includes(kind as Kind) || parts.includes(null)) notFound();
  const where = { kind: kind as Kind, address: parts.join("/") };
  await Promise.all([
    found(fetched(trpc.plant.item.queryOptions(where))),
    prefetch(trpc.plant.tree.queryOptions()),
    kind === "device" ? prefetch(trpc.devices.list.queryOptions()) : null,
  ]);
  return (
    <Hydrate>
      <ItemPage {...where} />
      <Awake />
    </Hydrate>
  );
}

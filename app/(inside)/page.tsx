import { Awake } from "#/components/frame/awake.tsx";
import { PlantOverview } from "#/components/home/plant-overview.tsx";
import { requirePage } from "#/server/identity/page.ts";
import { Hydrate, prefetch, trpc } from "#/server/rsc.ts";

export default async function HomePage() {
  await requirePage("board.read");
  await prefetch(trpc.boards.plant.queryOptions());
  return (
    <Hydrate>
      <PlantOverview />
      <Awake />
    </Hydrate>
  );
}

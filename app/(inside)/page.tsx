import { Awake } from "#/components/frame/awake.tsx";
import { PlantOverview } from "#/components/home/plant-overview.tsx";
import { Hydrate, prefetch, trpc } from "#/server/rsc.ts";

export default async function HomePage() {
  await prefetch(trpc.boards.plant.queryOptions());
  return (
    <Hydrate>
      <PlantOverview />
      <Awake />
    </Hydrate>
  );
}

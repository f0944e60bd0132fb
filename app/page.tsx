import { Shell } from "#/components/frame/shell.tsx";
import { PlantOverview } from "#/components/home/plant-overview.tsx";
import { Hydrate, prefetch, trpc } from "#/server/rsc.ts";
import { locales } from "./locale.ts";

export default async function HomePage() {
  await prefetch(trpc.boards.plant.queryOptions());
  return (
    <Shell here="lines" locales={locales()}>
      <Hydrate>
        <PlantOverview />
      </Hydrate>
    </Shell>
  );
}

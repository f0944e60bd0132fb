import { PageSkeleton } from "#/components/frame/page-skeleton.tsx";
import { Shell } from "#/components/frame/shell.tsx";
import { locales } from "../locale.ts";

export default function DataHealthLoading() {
  return (
    <Shell here="dataHealth" locales={locales()}>
      <PageSkeleton />
    </Shell>
  );
}

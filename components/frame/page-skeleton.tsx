import { Skeleton } from "@mantine/core";
import { getTranslations } from "next-intl/server";

/** Stands in until a page is there. */
export async function PageSkeleton() {
  const t = await getTranslations("app");
  return (
    <div role="status" aria-label={t("loading")}>
      <Skeleton height={40} width={260} mb={24} />
      <Skeleton height={170} mb={24} />
      <Skeleton height={320} mb={24} />
      <Skeleton height={240} />
    </div>
  );
}

"use client";
import { Alert, Button } from "@mantine/core";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { PageHead } from "#/components/frame/page-head.tsx";
import type { Kind } from "#/server/plant/items.ts";

/** A new thing of which the address does not say below what: how to get there. */
export function NoParent({ kind, above }: { kind: Kind; above: Kind }) {
  const t = useTranslations("plant");
  return (
    <>
      <PageHead crumbs={[{ name: t("title"), path: "/plant" }]} title={t(`kinds.${kind}.add`)} what={t(`kinds.${kind}.what`)} />
      <Alert role="alert" color="yellow" variant="light" mb="md">
        {t("noParentWhat", { kind: t(`kinds.${kind}.one`), above: t(`kinds.${above}.one`) })}
      </Alert>
      <Button component={Link} href="/plant">
        {t("toPlant")}
      </Button>
    </>
  );
}

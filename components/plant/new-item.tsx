"use client";
import { useQuery } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { PageHead } from "#/components/frame/page-head.tsx";
import { useTRPC } from "#/components/frame/trpc.ts";
import type { Kind } from "#/server/plant/items.ts";
import { crumbsOf, placeOf } from "./crumbs.ts";
import { parentKindOf, parentPathOf, pathOf } from "./forms.ts";
import { PlantItemForm } from "./item-form.tsx";
import css from "./plant.module.css";

const none = {};

/** A thing that there is not yet, below another. */
export function NewItem({ kind, under }: { kind: Kind; under: string }) {
  const t = useTranslations("plant");
  const trpc = useTRPC();
  const router = useRouter();
  const tree = useQuery(trpc.plant.tree.queryOptions());
  const above = parentKindOf(kind);
  // What is not in the tree has its name on its own page.
  const isInTree = above === null || ["enterprise", "site", "area", "line", "machine"].includes(above);
  const aboveItem = useQuery(trpc.plant.item.queryOptions({ kind: above ?? kind, address: under }, { enabled: !isInTree }));
  const crumbs = above === null || above === "enterprise" ? [{ name: t("title"), path: "/plant" }] : crumbsOf(above, under, "", tree.data, t("title"));
  const aboveName = above !== null && above !== "enterprise" ? [{ name: nameOf(), path: pathOf(above, under) }] : [];
  return (
    <>
      <PageHead crumbs={[...crumbs, ...aboveName]} title={t(`kinds.${kind}.add`)} what={t(`kinds.${kind}.what`)} />
      <div className={css.page}>
        <div className={css.card}>
          <PlantItemForm
            kind={kind}
            address={null}
            parent={under}
            fields={none}
            version={null}
            place={above === null ? { site: null, line: null, zone: null } : placeOf(above, under, tree.data)}
            isReadOnly={false}
            onSaved={(address) => router.push(pathOf(kind, address))}
            onCancel={() => router.push(parentPathOf(kind, under))}
          />
        </div>
      </div>
    </>
  );

  function nameOf(): string {
    const site = tree.data?.sites.find((one) => one.address === under.split("/")[0]);
    if (aboveItem.data) return String(aboveItem.data.fields.name ?? under);
    if (above === "site") return site?.name ?? under;
    const lines = site?.areas.flatMap((area) => area.lines) ?? [];
    const things = [...(site?.areas ?? []), ...lines, ...lines.flatMap((line) => line.machines)];
    return things.find((thing) => thing.address === under)?.name ?? under.split("/").at(-1) ?? under;
  }
}

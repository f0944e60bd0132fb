"use client";
import { Alert, Button } from "@mantine/core";
import { IconExternalLink } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { ObjectHistory } from "#/components/audit/object-history.tsx";
import { DeviceFacts } from "#/components/devices/device-facts.tsx";
import { PageHead } from "#/components/frame/page-head.tsx";
import { useMay } from "#/components/frame/permissions.tsx";
import { useTRPC } from "#/components/frame/trpc.ts";
import { Held } from "#/components/ui/held.tsx";
import { QueryState } from "#/components/ui/query-state.tsx";
import type { Kind } from "#/server/plant/items.ts";
import { Below } from "./below.tsx";
import { aboveOf, crumbsOf, placeOf } from "./crumbs.ts";
import { below, pathOf } from "./forms.ts";
import { PlantItemForm } from "./item-form.tsx";
import css from "./plant.module.css";
import { RemoveItem } from "./remove-item.tsx";
import { ShiftPreview } from "./shift-preview.tsx";

/** One thing of the plant: its form, what stands below it, who refers to it. */
export function ItemPage({ kind, address }: { kind: Kind; address: string }) {
  const t = useTranslations("plant");
  const trpc = useTRPC();
  const router = useRouter();
  const may = useMay();
  const query = useQuery(trpc.plant.item.queryOptions({ kind, address }));
  const tree = useQuery(trpc.plant.tree.queryOptions());
  const item = query.data;
  const above = aboveOf(kind, address, item?.parent ?? "");
  const aboveItem = useQuery(trpc.plant.item.queryOptions(above ?? { kind, address }, { enabled: above !== null }));
  const title = item ? String(item.fields.name ?? item.fields.key ?? address) : address;
  return (
    <>
      <PageHead
        crumbs={crumbsOf(kind, address, item?.parent ?? "", tree.data, t("title"), above && aboveItem.data ? String(aboveItem.data.fields.name) : undefined)}
        title={title}
        what={t(`kinds.${kind}.what`)}
        actions={
          kind === "line" && (
            <Button component={Link} href={`/board/${address}`} variant="default" leftSection={<IconExternalLink size={18} />}>
              {t("openBoard")}
            </Button>
          )
        }
      />
      <QueryState query={query} lines={6}>
        {item && (
          <div className={css.page}>
            {below[kind].length > 2 && (
              <nav aria-label={t("onThisPage")} className={css.jump}>
                {below[kind].map((child) => (
                  <a key={child} href={`#below-${child}`}>
                    {t(`kinds.${child}.many`)}
                  </a>
                ))}
              </nav>
            )}
            {!item.mayChange && (
              <Alert color="gray" variant="light">
                {t("readOnly")}
              </Alert>
            )}
            {kind === "device" && <DeviceFacts address={address} />}
            <div className={css.card}>
              <Held of={item} version={`${item.kind} ${item.address} ${item.version}`}>
                {(held) => (
                  <PlantItemForm
                    kind={kind}
                    address={address}
                    parent={held.parent}
                    fields={held.fields}
                    version={held.version}
                    place={placeOf(kind, address, tree.data)}
                    isReadOnly={!held.mayChange}
                    onSaved={(saved) => {
                      if (saved !== address) router.replace(pathOf(kind, saved));
                    }}
                    others={<RemoveItem kind={kind} address={address} name={title} version={item.version} parent={item.parent} />}
                  />
                )}
              </Held>
            </div>
            {(kind === "shift_pattern" || kind === "line") && <ShiftPreview kind={kind} address={address} />}
            {below[kind].map((child) => (
              <Below key={child} kind={child} under={address} mayChange={child === "device" ? may("device.change", item.id) : item.mayChange} />
            ))}
            {may("history.read") && item.id !== null && (
              <details className={css.history}>
                <summary>{t("history")}</summary>
                <ObjectHistory kind={kind} id={String(item.id)} />
              </details>
            )}
            {item.usedBy.length > 0 && (
              <section className={css.used}>
                <h2>{t("usedBy")}</h2>
                <ul>
                  {item.usedBy.map((user) => (
                    <li key={`${user.kind} ${user.address} ${user.how}`}>
                      <Link href={pathOf(user.kind, user.address)}>{user.name}</Link> <span>{`${t(`kinds.${user.kind}.one`)}, ${t(`how.${user.how}`)}`}</span>
                    </li>
                  ))}
                </ul>
              </section>
            )}
          </div>
        )}
      </QueryState>
    </>
  );
}

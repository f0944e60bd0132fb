"use client";
import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconTrash } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { useTRPC } from "#/components/frame/trpc.ts";
import { confirm } from "#/components/ui/confirm.tsx";
import type { Kind } from "#/server/plant/items.ts";
import { parentPathOf } from "./forms.ts";
import css from "./plant.module.css";

/** Takes a thing out of the plant: asked with what would go and what would be retired, before anything does. */
export function RemoveItem({ kind, address, name, version, parent }: { kind: Kind; address: string; name: string; version: string; parent: string }) {
  const t = useTranslations("plant");
  const form = useTranslations("form");
  const trpc = useTRPC();
  const queries = useQueryClient();
  const router = useRouter();
  const complain = (message: string) => notifications.show({ color: "red", title: t("notRemoved"), message, autoClose: 12_000, withCloseButton: true });
  const onSuccess = ({ outcome }: { outcome: "retired" | "deleted" }) => {
    notifications.show({ color: "green", message: t(`removed.${outcome}`, { name }), withCloseButton: true });
    void queries.invalidateQueries({ queryKey: trpc.plant.pathKey() });
    if (kind === "device") void queries.invalidateQueries({ queryKey: trpc.devices.pathKey() });
    router.push(parentPathOf(kind, parent));
  };
  const onError = (error: { message: string }) => complain(error.message);
  const removeAny = useMutation(trpc.plant.remove.mutationOptions({ onSuccess, onError }));
  // Who sets up devices need not be who sets up the plant.
  const removeDevice = useMutation(trpc.devices.remove.mutationOptions({ onSuccess, onError }));
  const ask = async () => {
    const { lines, why } = await (kind === "device"
      ? queries.fetchQuery(trpc.devices.removal.queryOptions({ address }, { staleTime: 0 }))
      : queries.fetchQuery(trpc.plant.removal.queryOptions({ kind, address }, { staleTime: 0 })));
    if (why !== null) return complain(why);
    confirm({
      title: t("removeTitle", { name }),
      what: (
        <>
          <p className={css.ask}>{t("removeWhat")}</p>
          <ul className={css.consequences}>
            {lines.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </>
      ),
      yes: t("remove"),
      no: form("cancel"),
      isDangerous: true,
      onYes: () => (kind === "device" ? removeDevice.mutate({ address, version }) : removeAny.mutate({ kind, address, version })),
    });
  };
  return (
    <Button
      variant="subtle"
      color="red"
      leftSection={<IconTrash size={18} />}
      loading={removeAny.isPending || removeDevice.isPending}
      onClick={() => ask().catch((error: Error) => complain(error.message))}
    >
      {t("remove")}
    </Button>
  );
}

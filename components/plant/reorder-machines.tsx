"use client";
import { ActionIcon } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconArrowLeft, IconArrowRight } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { useTRPC } from "#/components/frame/trpc.ts";
import css from "./reorder-machines.module.css";

type Machine = { address: string; fields: Record<string, unknown> };

/** The order of the machines along the line, as pieces pass them; the board shows them in it. */
export function ReorderMachines({ line, machines }: { line: string; machines: readonly Machine[] }) {
  const t = useTranslations("plant");
  const trpc = useTRPC();
  const queries = useQueryClient();
  const reorder = useMutation(
    trpc.plant.reorder.mutationOptions({
      onSuccess: () => queries.invalidateQueries({ queryKey: trpc.plant.pathKey() }),
      onError: (error) => notifications.show({ color: "red", message: error.message, withCloseButton: true }),
    }),
  );
  const keys = machines.map((machine) => String(machine.fields.key));
  const swap = (index: number, other: number) => {
    const next = [...keys];
    [next[index], next[other]] = [next[other] ?? "", next[index] ?? ""];
    reorder.mutate({ line, keys: next });
  };
  return (
    <ol className={css.order} aria-label={t("orderAlong")} aria-busy={reorder.isPending}>
      {machines.map((machine, index) => {
        const name = String(machine.fields.name ?? machine.fields.key);
        return (
          <li key={machine.address}>
            <ActionIcon
              variant="subtle"
              color="gray"
              size={36}
              disabled={index === 0 || reorder.isPending}
              aria-label={t("earlier", { name })}
              onClick={() => swap(index, index - 1)}
            >
              <IconArrowLeft size={16} />
            </ActionIcon>
            <span>{name}</span>
            <ActionIcon
              variant="subtle"
              color="gray"
              size={36}
              disabled={index === machines.length - 1 || reorder.isPending}
              aria-label={t("later", { name })}
              onClick={() => swap(index, index + 1)}
            >
              <IconArrowRight size={16} />
            </ActionIcon>
          </li>
        );
      })}
    </ol>
  );
}

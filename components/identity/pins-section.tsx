"use client";
import { Button, Modal } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { useState } from "react";
import { useTRPC } from "#/components/frame/trpc.ts";
import { confirm } from "#/components/ui/confirm.tsx";
import { type Column, DataTable } from "#/components/ui/data-table.tsx";
import { QueryState } from "#/components/ui/query-state.tsx";
import type { PinRow } from "#/server/terminals/service.ts";
import account from "./account.module.css";
import css from "./pins-section.module.css";

/** Who can unlock terminals, and a new PIN for who cannot. */
export function PinsSection() {
  const t = useTranslations("identity.pins");
  const trpc = useTRPC();
  const queries = useQueryClient();
  const pins = useQuery(trpc.terminals.pins.queryOptions());
  const [given, setGiven] = useState<{ name: string; pin: string } | null>(null);
  const give = useMutation(
    trpc.terminals.givePin.mutationOptions({
      onSuccess: (pin) => {
        setGiven(pin);
        void queries.invalidateQueries({ queryKey: trpc.terminals.pins.queryKey() });
      },
      onError: (error) => notifications.show({ color: "red", message: error.message }),
    }),
  );
  const letIn = useMutation(
    trpc.terminals.letIn.mutationOptions({
      onSuccess: () => {
        notifications.show({ color: "teal", message: t("isLetIn") });
        void queries.invalidateQueries({ queryKey: trpc.terminals.pins.queryKey() });
      },
      onError: (error) => notifications.show({ color: "red", message: error.message }),
    }),
  );
  const stateOf = (row: PinRow) =>
    row.closedAt.length > 0 ? t("closedAt", { terminals: row.closedAt.join(", ") }) : row.mustChange ? t("given") : row.hasPin ? t("own") : t("none");
  const columns: Column<PinRow>[] = [
    { key: "name", header: t("name"), value: (row) => row.name, cell: (row) => <bdi>{row.name}</bdi> },
    { key: "pin", header: t("pin"), value: stateOf },
    {
      key: "actions",
      header: t("actions"),
      value: () => null,
      isAction: true,
      cell: (row) => (
        <span className={css.actions}>
          {row.closedAt.length > 0 && (
            <Button
              size="xs"
              className={account.touch}
              loading={letIn.isPending && letIn.variables?.personId === row.id}
              aria-label={t("letInOf", { name: row.name })}
              onClick={() => letIn.mutate({ personId: row.id })}
            >
              {t("letIn")}
            </Button>
          )}
          {row.mayGive ? (
            <Button
              size="xs"
              className={account.touch}
              variant="default"
              loading={give.isPending && give.variables?.personId === row.id}
              aria-label={t("giveOf", { name: row.name })}
              onClick={() =>
                row.hasPin
                  ? confirm({
                      title: t("ask", { name: row.name }),
                      what: t("askWhat"),
                      yes: t("give"),
                      no: t("cancel"),
                      onYes: () => give.mutate({ personId: row.id }),
                    })
                  : give.mutate({ personId: row.id })
              }
            >
              {t("give")}
            </Button>
          ) : (
            <span className={css.why}>{t("notYours")}</span>
          )}
        </span>
      ),
    },
  ];
  return (
    <section>
      <h2 className={css.title}>{t("title")}</h2>
      <p className={css.what}>{t("what")}</p>
      <QueryState query={pins}>
        <DataTable name="pins" label={t("title")} rows={pins.data ?? []} columns={columns} rowKey={(row) => row.id} empty={t("nobody")} />
      </QueryState>
      {given && (
        <Modal opened onClose={() => setGiven(null)} centered title={t("givenTo", { name: given.name })} closeButtonProps={{ "aria-label": t("done") }}>
          <p className={css.pin}>{given.pin}</p>
          <p className={css.what}>{t("givenWhat")}</p>
          <Button fullWidth size="md" data-autofocus onClick={() => setGiven(null)}>
            {t("done")}
          </Button>
        </Modal>
      )}
    </section>
  );
}

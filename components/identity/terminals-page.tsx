"use client";
import { Button, Group } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { useState } from "react";
import { ObjectHistory } from "#/components/audit/object-history.tsx";
import { useMay } from "#/components/frame/permissions.tsx";
import { useTRPC } from "#/components/frame/trpc.ts";
import { confirm } from "#/components/ui/confirm.tsx";
import { type Column, DataTable } from "#/components/ui/data-table.tsx";
import { FormDialog } from "#/components/ui/form-dialog.tsx";
import { QueryState } from "#/components/ui/query-state.tsx";
import { useAge } from "#/components/ui/use-age.ts";
import { useNow } from "#/components/ui/use-now.ts";
import type { ListedTerminal } from "#/server/terminals/service.ts";
import account from "./account.module.css";
import css from "./pins-section.module.css";
import { PinsSection } from "./pins-section.tsx";
import { TerminalForm, useLockTime } from "./terminal-form.tsx";

/** Shared terminals: which there are, who has them open, and this browser as another one. */
export function TerminalsPage() {
  const t = useTranslations("identity.terminals");
  const age = useAge();
  const trpc = useTRPC();
  const queries = useQueryClient();
  const terminals = useQuery({ ...trpc.terminals.list.queryOptions(), refetchInterval: 30_000 });
  const now = useNow(terminals.dataUpdatedAt);
  const may = useMay();
  const [open, setOpen] = useState<number | null>(null);
  const [editing, setEditing] = useState<ListedTerminal | "new" | null>(null);
  const again = () => void queries.invalidateQueries({ queryKey: trpc.terminals.list.queryKey() });
  const revoke = useMutation(
    trpc.terminals.revoke.mutationOptions({
      onSuccess: again,
      onError: (error) => {
        notifications.show({ color: "red", message: error.message });
        again();
      },
    }),
  );
  const lockTime = useLockTime();
  const linesOf = (terminal: ListedTerminal) => (terminal.lines.length === 0 ? t("allLines") : terminal.lines.map(({ name }) => name).join(", "));
  const columns: Column<ListedTerminal>[] = [
    { key: "name", header: t("name"), value: (row) => row.name, cell: (row) => <bdi>{row.name}</bdi> },
    { key: "site", header: t("site"), value: (row) => row.siteName },
    { key: "lines", header: t("lines"), value: linesOf },
    {
      key: "status",
      header: t("status"),
      value: (row) => (row.revokedAt ? t("revoked") : row.unlockedBy ? t("unlockedBy", { name: row.unlockedBy }) : t("locked")),
    },
    {
      key: "seen",
      header: t("seen"),
      value: (row) => row.lastSeenAt?.getTime() ?? null,
      cell: (row) => (row.lastSeenAt ? t("ago", { age: age(now - row.lastSeenAt.getTime()), address: row.lastAddress ?? t("noAddress") }) : t("never")),
    },
    { key: "lock", header: t("autoLock"), value: (row) => row.autoLockS, cell: (row) => lockTime(row.autoLockS), isNumber: true },
    {
      key: "actions",
      header: t("actions"),
      value: () => null,
      isAction: true,
      cell: (row) => (
        <Group gap={8} wrap="nowrap" justify="end">
          {may("history.read", row.siteId) && (
            <Button
              size="xs"
              className={account.touch}
              variant="subtle"
              aria-label={t("historyOf", { name: row.name })}
              aria-expanded={open === row.id}
              onClick={() => setOpen(open === row.id ? null : row.id)}
            >
              {t("history")}
            </Button>
          )}
          {!row.revokedAt && (
            <>
              <Button size="xs" className={account.touch} variant="default" aria-label={t("editOf", { name: row.name })} onClick={() => setEditing(row)}>
                {t("edit")}
              </Button>
              <Button
                size="xs"
                className={account.touch}
                variant="subtle"
                color="red"
                aria-label={t("revokeOf", { name: row.name })}
                onClick={() =>
                  confirm({
                    title: t("askRevoke", { name: row.name }),
                    what: t("askRevokeWhat"),
                    yes: t("revoke"),
                    no: t("cancel"),
                    isDangerous: true,
                    onYes: () => revoke.mutate({ id: row.id }),
                  })
                }
              >
                {t("revoke")}
              </Button>
            </>
          )}
        </Group>
      ),
    },
  ];
  return (
    <div className={css.page}>
      <div className={account.buttons}>
        <Button onClick={() => setEditing("new")}>{t("register")}</Button>
      </div>
      <QueryState query={terminals}>
        <DataTable
          name="terminals"
          label={t("title")}
          rows={terminals.data ?? []}
          columns={columns}
          rowKey={(row) => row.id}
          empty={t("none")}
          detail={(row) => open === row.id && <ObjectHistory kind="terminal" id={String(row.id)} />}
        />
      </QueryState>
      <PinsSection />
      {editing && (
        <FormDialog
          opened
          onClose={() => setEditing(null)}
          centered
          size="lg"
          title={editing === "new" ? t("register") : t("editOf", { name: editing.name })}
          closeButtonProps={{ "aria-label": t("cancel") }}
        >
          <TerminalForm
            terminal={editing === "new" ? null : editing}
            onCancel={() => setEditing(null)}
            onSaved={() => {
              setEditing(null);
              again();
            }}
          />
        </FormDialog>
      )}
    </div>
  );
}

"use client";
import { Button } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import type { inferRouterOutputs } from "@trpc/server";
import { useSubscription } from "@trpc/tanstack-react-query";
import { useTranslations } from "next-intl";
import { useState } from "react";
import { PageHead } from "#/components/frame/page-head.tsx";
import { useMay } from "#/components/frame/permissions.tsx";
import { useSite } from "#/components/frame/sites.tsx";
import { useTRPC } from "#/components/frame/trpc.ts";
import { type Column, DataTable } from "#/components/ui/data-table.tsx";
import { QueryState } from "#/components/ui/query-state.tsx";
import { useAge } from "#/components/ui/use-age.ts";
import { useNow } from "#/components/ui/use-now.ts";
import { useUrlState } from "#/components/ui/use-url-state.ts";
import { silentAfterMs } from "#/server/domain/heartbeat.ts";
import type { AppRouter } from "#/server/router.ts";
import { LinkDialog, type MadeLink } from "./link-dialog.tsx";
import { Liveness, statusOf } from "./liveness.tsx";
import { ScreenActions } from "./screen-actions.tsx";
import { ScreenDetail } from "./screen-detail.tsx";
import { ScreenForm } from "./screen-form.tsx";
import css from "./screens.module.css";

export type ScreenRow = inferRouterOutputs<AppRouter>["displays"]["list"]["displays"][number];

/** Heartbeats come every 30 s; what changes is pushed. */
const againEveryMs = 15_000;

/** What form is open: of a new display, or of this one. */
type Editing = { row: ScreenRow | null };

/** The displays on the walls: whether they are on, what they show, and what can be told them. */
export function Screens() {
  const t = useTranslations("screens");
  const age = useAge();
  const may = useMay();
  const trpc = useTRPC();
  const queries = useQueryClient();
  const [site] = useSite();
  const [open, setOpen] = useUrlState("screen");
  const [editing, setEditing] = useState<Editing | null>(null);
  const [made, setMade] = useState<MadeLink | null>(null);
  const list = useQuery(trpc.displays.list.queryOptions(undefined, { refetchInterval: againEveryMs }));
  useSubscription(
    trpc.displays.changes.subscriptionOptions(undefined, { onData: () => void queries.invalidateQueries({ queryKey: trpc.displays.list.queryKey() }) }),
  );
  const now = useNow(list.data?.at ?? 0);
  const rows = (list.data?.displays ?? []).filter((row) => site === null || row.siteKey === site);
  const build = list.data?.build ?? "";
  const nameOf = (row: ScreenRow, address: string) => row.boards.find((board) => board.address === address)?.name ?? address;
  const isOld = (row: ScreenRow) => row.revokedAt === null && row.screens[0] !== undefined && row.screens[0].build !== build;

  const columns: Column<ScreenRow>[] = [
    {
      key: "name",
      header: t("name"),
      value: (row) => `${row.name} ${row.siteName}`,
      cell: (row) => (
        <div>
          <button type="button" className={css.link} aria-expanded={open === `${row.id}`} onClick={() => setOpen(open === `${row.id}` ? null : `${row.id}`)}>
            {row.name}
          </button>
          <span className={css.sub}>{row.siteName}</span>
        </div>
      ),
    },
    { key: "number", header: t("number"), value: (row) => row.id, isNumber: true, cell: (row) => <strong>{row.id}</strong> },
    {
      key: "status",
      header: t("statusHead"),
      value: (row) => t(`status.${statusOf(row, now)}`),
      cell: (row) => (
        <div>
          <Liveness status={statusOf(row, now)} />
          {row.screens[0] && (
            <span className={css.sub} suppressHydrationWarning>
              {t("ago", { age: age(now - row.screens[0].at) })}
              {openOn(row, now) > 1 && <b className={css.warn}>{t("screens", { n: openOn(row, now) })}</b>}
            </span>
          )}
        </div>
      ),
    },
    {
      key: "shows",
      header: t("shows"),
      value: (row) => (openOn(row, now) > 0 ? nameOf(row, row.screens[0]?.page ?? "") : null),
      cell: (row) => (
        <div>
          {openOn(row, now) > 0 && row.screens[0]?.page ? nameOf(row, row.screens[0].page) : "–"}
          <span className={css.sub}>{isPinned(row, now) ? t("isPinned") : t("boards", { n: row.boards.length })}</span>
        </div>
      ),
    },
    { key: "size", header: t("size"), value: sizeOf },
    {
      key: "version",
      header: t("version"),
      value: (row) => (row.screens[0] ? t(isOld(row) ? "versionOld" : "versionNow") : null),
      cell: (row) => (row.screens[0] ? <span className={isOld(row) ? css.warn : undefined}>{t(isOld(row) ? "versionOld" : "versionNow")}</span> : "–"),
    },
    { key: "address", header: t("address"), value: (row) => row.screens[0]?.address ?? null },
    {
      key: "actions",
      header: t("actions"),
      value: () => null,
      isAction: true,
      cell: (row) =>
        row.revokedAt === null &&
        may("screen.change", row.siteId) && <ScreenActions row={row} onEdit={() => setEditing({ row })} onLink={setMade} isPinned={isPinned(row, now)} />,
    },
  ];

  return (
    <>
      <PageHead
        title={t("title")}
        what={t("what")}
        actions={
          may("screen.change") && (
            <Button leftSection={<IconPlus size={18} />} onClick={() => setEditing({ row: null })}>
              {t("new")}
            </Button>
          )
        }
      />
      <section className={css.card}>
        <QueryState query={list}>
          <DataTable
            name="screens"
            label={t("title")}
            rows={rows}
            columns={columns}
            rowKey={(row) => row.id}
            empty={t("empty")}
            isAlert={(row) => statusOf(row, now) === "silent"}
            detail={(row) => open === `${row.id}` && <ScreenDetail row={row} build={build} now={now} />}
          />
        </QueryState>
      </section>
      {editing && (
        <ScreenForm
          row={editing.row}
          onClose={() => setEditing(null)}
          onMade={(link) => {
            setEditing(null);
            setMade(link);
          }}
        />
      )}
      {made && <LinkDialog made={made} onClose={() => setMade(null)} />}
    </>
  );
}

/** Screens on which it is shown at this moment. */
const openOn = (row: ScreenRow, now: number) => (row.revokedAt === null ? row.screens.filter(({ at }) => now - at <= silentAfterMs).length : 0);
const isPinned = (row: ScreenRow, now: number) => row.pinnedLineId !== null && (row.pinnedUntilAt === null || row.pinnedUntilAt > now);

function sizeOf(row: ScreenRow): string | null {
  const [screen] = row.screens;
  if (!screen) return null;
  const scaled = (pixels: number) => Math.round(pixels * screen.pixelRatio);
  return `${scaled(screen.width)} × ${scaled(screen.height)}`;
}

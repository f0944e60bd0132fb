"use client";
import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { inferRouterOutputs } from "@trpc/server";
import { useFormatter, useTranslations } from "next-intl";
import { useState } from "react";
import { useMay } from "#/components/frame/permissions.tsx";
import { useTRPC } from "#/components/frame/trpc.ts";
import { type Column, DataTable } from "#/components/ui/data-table.tsx";
import { errorSentence, QueryState } from "#/components/ui/query-state.tsx";
import { useAge } from "#/components/ui/use-age.ts";
import { useNow } from "#/components/ui/use-now.ts";
import type { AppRouter } from "#/server/router.ts";
import css from "./data-health.module.css";
import { MapDialog } from "./map-dialog.tsx";
import { valueKey } from "./mapping-values.ts";
import { Outcome } from "./outcome.tsx";
import type { HealthQuery } from "./workers-section.tsx";

export type UnknownData = inferRouterOutputs<AppRouter>["dataHealth"]["unknown"];
/** One value that leads to no signal: a topic, and a path in its payload or a metric. */
export type UnknownValue = Omit<UnknownData["unknown"][number], "paths"> & { path: UnknownData["unknown"][number]["paths"][number] };

/** Values that lead to no signal, each with the signal that it probably is. */
export function UnknownSection({ query }: { query: HealthQuery<"unknown"> }) {
  const t = useTranslations("health");
  const may = useMay();
  const app = useTranslations("app");
  const number = useFormatter();
  const age = useAge();
  const trpc = useTRPC();
  const queries = useQueryClient();
  const now = useNow(query.data?.at ?? 0);
  const [mapping, setMapping] = useState<UnknownValue | null>(null);
  const [said, setSaid] = useState<{ ok: boolean; sentence: string } | null>(null);
  /** Other values of the message that is mapped: once one of them leads somewhere, the message is no letter any more. */
  const [rest, setRest] = useState<UnknownValue[]>([]);
  const onMapped = (letters: number, used: readonly (string | null)[]) => {
    const [next = null, ...others] = rest.filter(({ path }) => !used.includes(path.path));
    setMapping(next);
    setRest(others);
    setSaid({ ok: true, sentence: t("mapped", { n: letters }) });
    void queries.invalidateQueries({ queryKey: trpc.dataHealth.pathKey() });
  };
  const map = useMutation(
    trpc.dataHealth.mapMany.mutationOptions({
      onSuccess: ({ retried }, { items }) =>
        onMapped(
          retried,
          items.map(({ path }) => path),
        ),
      onError: (error) => {
        setSaid({ ok: false, sentence: errorSentence(error, app("unreachable")) });
        void queries.invalidateQueries({ queryKey: trpc.dataHealth.pathKey() });
      },
    }),
  );

  const rows: UnknownValue[] = (query.data?.unknown ?? []).flatMap(({ paths, ...where }) => paths.map((path) => ({ ...where, path })));
  const othersOf = (row: UnknownValue) => (row.metric === null ? rows.filter(({ topic, path }) => topic === row.topic && path.path !== row.path.path) : []);
  const signalOf = (id: number | null) => query.data?.signals.find((signal) => signal.id === id);
  /** With one click, as it is. */
  const mapTo = (row: UnknownValue, { machinePath, key }: UnknownData["signals"][number]) => {
    const { topic, metric, path } = row;
    setSaid(null);
    setRest(othersOf(row));
    map.mutate({ items: [{ topic, metric, path: metric === null ? path.path : "", tsPath: null, machine: machinePath, key, fields: {} }] });
  };

  const columns: Column<UnknownValue>[] = [
    {
      key: "topic",
      header: t("topic"),
      value: (row) => `${row.topic} ${row.metric ?? row.path.path}`,
      cell: (row) => (
        <div>
          <span className={css.mono}>{row.topic}</span>
          {(row.metric ?? row.path.path) !== "" && (
            <span className={css.sub}>{row.metric !== null ? t("metric", { name: row.metric }) : t("atPath", { path: row.path.path })}</span>
          )}
        </div>
      ),
    },
    {
      key: "value",
      header: t("newest"),
      value: (row) => String(row.path.value),
      cell: (row) => <span className={css.mono}>{String(row.path.value).slice(0, 60)}</span>,
    },
    { key: "letters", header: t("letters"), value: (row) => row.letters, isNumber: true, cell: (row) => number.number(row.letters) },
    { key: "last", header: t("newestLetter"), value: (row) => row.lastAt, isNumber: true, cell: (row) => t("ago", { age: age(now - row.lastAt) }) },
    {
      key: "do",
      header: t("actions"),
      value: () => null,
      isAction: true,
      cell: (row) => {
        if (!may("signal.map")) return null;
        const suggested = signalOf(row.path.suggestedSignalId);
        return (
          <span className={css.buttons}>
            {suggested && (
              <Button size="xs" disabled={map.isPending} onClick={() => mapTo(row, suggested)}>
                {t("mapToThis", { signal: `${suggested.machineName} › ${suggested.key}` })}
              </Button>
            )}
            <Button
              size="xs"
              variant="default"
              onClick={() => {
                setSaid(null);
                setRest(othersOf(row));
                setMapping(row);
              }}
            >
              {suggested ? t("mapOther") : t("mapTo")}
            </Button>
          </span>
        );
      },
    },
  ];

  return (
    <section id="unknown" className={css.section}>
      <h2>{t("unknown")}</h2>
      <p>{t("unknownWhat")}</p>
      {said && <Outcome ok={said.ok} sentence={said.sentence} onClose={() => setSaid(null)} />}
      <QueryState query={query}>
        <DataTable name="unknown" label={t("unknown")} rows={rows} columns={columns} rowKey={valueKey} empty={t("noUnknown")} />
        {(query.data?.more ?? 0) > 0 && <p>{t("unknownMore", { n: query.data?.more ?? 0 })}</p>}
      </QueryState>
      {query.data && (
        <MapDialog
          value={mapping && (rows.find((row) => valueKey(row) === valueKey(mapping)) ?? mapping)}
          data={query.data}
          said={said?.ok ? t("map.next", { sentence: said.sentence, n: rest.length + 1 }) : null}
          onMapped={onMapped}
          onClose={() => setMapping(null)}
        />
      )}
    </section>
  );
}

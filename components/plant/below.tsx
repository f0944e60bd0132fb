"use client";
import { Button } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useLocale, useTranslations } from "next-intl";
import { useTRPC } from "#/components/frame/trpc.ts";
import { type Column, DataTable } from "#/components/ui/data-table.tsx";
import { QueryState } from "#/components/ui/query-state.tsx";
import type { Kind } from "#/server/plant/items.ts";
import { useFieldWords } from "./field-words.ts";
import { newPathOf, pathOf, tableColumns } from "./forms.ts";
import css from "./plant.module.css";
import { ReorderMachines } from "./reorder-machines.tsx";
import { daysInWords } from "./weekdays-field.tsx";

type Row = { address: string; parent: string; fields: Record<string, unknown> };

/** What stands below a thing, of one kind: a table of it, and the way to add another. */
export function Below({ kind, under, mayChange }: { kind: Kind; under: string; mayChange: boolean }) {
  const t = useTranslations("plant");
  const words = useFieldWords(kind);
  const locale = useLocale();
  const number = new Intl.NumberFormat(locale, { maximumFractionDigits: 12 });
  const trpc = useTRPC();
  const query = useQuery(trpc.plant.list.queryOptions({ kind, ...(under === "" ? {} : { under }) }));
  const direct = (query.data?.rows ?? []) as Row[];
  const rows =
    kind === "area" || kind === "line" || kind === "machine" || kind === "signal" || kind === "shift" || kind === "product"
      ? direct.filter((row) => row.parent === under)
      : direct;
  const columns: Column<Row>[] = [
    {
      key: "name",
      header: t("field.name"),
      value: (row) => String(row.fields.name ?? row.fields.key ?? row.address),
      cell: (row) => <Link href={pathOf(kind, row.address)}>{String(row.fields.name ?? row.fields.address ?? row.address)}</Link>,
    },
    ...(kind === "source" || kind === "currency_rate"
      ? []
      : [{ key: "key", header: t("field.key"), value: (row: Row) => String(row.fields.key), cell: (row: Row) => <code>{String(row.fields.key)}</code> }]),
    ...tableColumns[kind].map((path): Column<Row> => {
      const isNumber = ["rate", "low", "high"].includes(path);
      return {
        key: path,
        header: words.label(path),
        isNumber,
        value: (row) => {
          const value = row.fields[path];
          return value === null || value === undefined || value === "" ? null : typeof value === "number" ? value : words.choice(path, String(value));
        },
        ...(isNumber ? { cell: (row) => (typeof row.fields[path] === "number" ? number.format(row.fields[path]) : "–") } : {}),
        ...(path === "days" || path === "month" || days.includes(path) ? { cell: (row) => timeInWords(path, String(row.fields[path] ?? ""), locale) } : {}),
      };
    }),
  ];
  return (
    <section className={css.below} aria-labelledby={`below-${kind}`}>
      <header>
        <h2 id={`below-${kind}`}>{t(`kinds.${kind}.many`)}</h2>
        {mayChange && (
          <Button component={Link} href={newPathOf(kind, under)} size="sm" variant="light" leftSection={<IconPlus size={16} />}>
            {t(`kinds.${kind}.add`)}
          </Button>
        )}
      </header>
      <QueryState query={query} lines={2}>
        {kind === "machine" && mayChange && rows.length > 1 && <ReorderMachines line={under} machines={rows} />}
        {rows.length === 0 ? (
          <p className={css.empty}>{t(`kinds.${kind}.none`)}</p>
        ) : (
          <DataTable name={kind} label={t(`kinds.${kind}.many`)} rows={rows} columns={columns} rowKey={(row) => row.address} empty={t(`kinds.${kind}.none`)} />
        )}
      </QueryState>
    </section>
  );
}

const days = ["date", "last_date", "expires"];

/** A weekday, day or month as the viewer's language has it; what is more than a day stays as it was written. */
function timeInWords(path: string, text: string, locale: string): string {
  if (text === "") return "–";
  if (path === "days") return daysInWords(text, locale);
  const at = Date.parse(path === "month" ? `${text}-01T00:00:00Z` : `${text}T00:00:00Z`);
  if (Number.isNaN(at)) return text;
  const parts = path === "month" ? ({ month: "short", year: "numeric" } as const) : ({ dateStyle: "medium" } as const);
  return new Intl.DateTimeFormat(locale, { ...parts, timeZone: "UTC" }).format(at);
}

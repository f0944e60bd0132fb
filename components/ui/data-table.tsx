"use client";
import { Button, TextInput } from "@mantine/core";
import { useTranslations } from "next-intl";
import { type ReactNode, useMemo, useState } from "react";
import css from "./data-table.module.css";
import { TableTools } from "./table-tools.tsx";
import { useUrlState } from "./use-url-state.ts";

export type Column<Row> = {
  key: string;
  header: string;
  /** What is sorted and searched by; null comes last. */
  value: (row: Row) => string | number | null;
  /** What is shown; the value where it is left out. */
  cell?: (row: Row) => ReactNode;
  isNumber?: boolean;
  /** As wide as the card on a phone, where figures stand three in a row. */
  isWide?: boolean;
  /** Not sorted and not searched: buttons. */
  isAction?: boolean;
};

const rowsAtOnce = 25;

type Props<Row> = {
  /** Of the table, and of its filter and order in the address. */
  name: string;
  label: string;
  rows: readonly Row[];
  columns: readonly Column<Row>[];
  rowKey: (row: Row) => string | number;
  /** Filters of the caller's own, beside the search. */
  filters?: ReactNode;
  empty: ReactNode;
  isAlert?: (row: Row) => boolean;
  /** Below a row, where it is open. */
  detail?: (row: Row) => ReactNode;
};

/** A table that sorts and filters, with both in the address; a list of cards on a phone. */
export function DataTable<Row>({ name, label, rows, columns, rowKey, filters, empty, isAlert, detail }: Props<Row>) {
  const t = useTranslations("table");
  const [query, setQuery] = useUrlState(`${name}.q`);
  const [order, setOrder] = useUrlState(`${name}.sort`);
  const [hidden, setHidden] = useUrlState(`${name}.hide`);
  const [most, setMost] = useState(rowsAtOnce);
  const hiddenKeys = (hidden ?? "").split(",");
  const visible = columns.filter((column) => column.isAction || !hiddenKeys.includes(column.key));
  const [sortKey, direction] = (order ?? "").split(":");

  const shown = useMemo(() => {
    const words = (query ?? "").toLowerCase().split(/\s+/).filter(Boolean);
    const searched = columns.filter((column) => !column.isAction);
    const found = rows.filter((row) => {
      const text = searched
        .map((column) => column.value(row) ?? "")
        .join(" ")
        .toLowerCase();
      return words.every((word) => text.includes(word));
    });
    const by = columns.find((column) => column.key === sortKey);
    if (!by) return found;
    return [...found].sort((a, b) => compare(by.value(a), by.value(b), direction === "desc"));
  }, [rows, columns, query, sortKey, direction]);

  return (
    <div className={css.box}>
      <div className={css.tools}>
        {/* Nothing to search in and to take along. */}
        {rows.length > 0 && (
          <TextInput
            value={query ?? ""}
            onChange={(event) => setQuery(event.currentTarget.value)}
            placeholder={t("filter")}
            aria-label={t("filterOf", { table: label })}
            size="sm"
            className={css.search}
          />
        )}
        {filters}
        {rows.length > 0 && (
          <>
            <span className={css.count} role="status">
              {shown.length === rows.length ? t("rows", { n: rows.length }) : t("rowsOf", { n: shown.length, of: rows.length })}
            </span>
            <TableTools name={name} label={label} columns={columns} hidden={hiddenKeys} onHide={(keys) => setHidden(keys.join(","))} rows={shown} />
          </>
        )}
      </div>
      {shown.length === 0 ? (
        <div className={css.empty}>{rows.length === 0 ? empty : t("noneMatch")}</div>
      ) : (
        <div className={css.scroll}>
          <table className={css.table} aria-label={label}>
            <thead>
              <tr>
                {visible.map((column) => (
                  <th
                    key={column.key}
                    scope="col"
                    data-number={column.isNumber || undefined}
                    aria-sort={column.key === sortKey ? (direction === "desc" ? "descending" : "ascending") : undefined}
                  >
                    {column.isAction ? (
                      <span className={css.hidden}>{column.header}</span>
                    ) : (
                      <button
                        type="button"
                        onClick={() => setOrder(column.key !== sortKey ? `${column.key}:asc` : direction === "asc" ? `${column.key}:desc` : null)}
                      >
                        {column.header}
                        <i aria-hidden="true">{column.key === sortKey ? (direction === "desc" ? "▼" : "▲") : ""}</i>
                      </button>
                    )}
                  </th>
                ))}
              </tr>
            </thead>
            {shown.slice(0, most).map((row) => {
              const below = detail?.(row);
              return (
                <tbody key={rowKey(row)} data-alert={isAlert?.(row) || undefined}>
                  <tr>
                    {visible.map((column) => (
                      <td
                        key={column.key}
                        data-number={column.isNumber || undefined}
                        data-action={column.isAction || undefined}
                        data-wide={column.isWide || undefined}
                        data-label={column.isAction ? undefined : column.header}
                      >
                        {column.cell ? column.cell(row) : (column.value(row) ?? "–")}
                      </td>
                    ))}
                  </tr>
                  {below && (
                    <tr className={css.detail}>
                      <td colSpan={visible.length}>{below}</td>
                    </tr>
                  )}
                </tbody>
              );
            })}
          </table>
          {shown.length > most && (
            <Button variant="default" fullWidth mt="sm" onClick={() => setMost(most + 4 * rowsAtOnce)}>
              {t("more", { n: Math.min(4 * rowsAtOnce, shown.length - most), of: shown.length })}
            </Button>
          )}
        </div>
      )}
    </div>
  );
}

function compare(a: string | number | null, b: string | number | null, down: boolean): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true });
  return down ? -order : order;
}

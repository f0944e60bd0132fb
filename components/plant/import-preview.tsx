"use client";
import { Alert } from "@mantine/core";
import { useTranslations } from "next-intl";
import type { ReactNode } from "react";
import { type Column, DataTable } from "#/components/ui/data-table.tsx";
import type { ImportPreview } from "#/server/plant/import.ts";
import css from "./import.module.css";

type Fault = ImportPreview["faults"][number] & { n: number };

/** What a file says: wrong cells, or what it would change, and its first rows as they were read. children: what to do with it. */
export function ImportPreviewShown({ preview, children }: { preview: ImportPreview; children: ReactNode }) {
  const t = useTranslations("plant");
  const columns: Column<Fault>[] = [
    { key: "row", header: t("importRow"), value: (f) => f.row, isNumber: true, cell: (f) => <span data-row={t("importRow")}>{f.row}</span> },
    { key: "column", header: t("importColumn"), value: (f) => f.column, cell: (f) => f.column && <code>{f.column}</code> },
    { key: "value", header: t("importValue"), value: (f) => f.value, isWide: true, cell: (f) => (f.value === "" ? "–" : <code>{f.value}</code>) },
    { key: "sentence", header: t("importWrong"), value: (f) => f.sentence, isWide: true },
  ];
  return (
    <section className={css.card} aria-label={t("importPreview")}>
      {preview.wrong > 0 ? (
        <>
          <Alert role="alert" color="red" variant="light" title={t("importWrongTitle", { n: preview.wrong, rows: preview.rows })}>
            {t("importWrongWhat")}
          </Alert>
          <DataTable
            name="faults"
            label={t("importWrongLabel")}
            rows={preview.faults.map((fault, n) => ({ ...fault, n }))}
            columns={columns}
            rowKey={(f) => f.n}
            empty=""
          />
          {preview.wrong > preview.faults.length && <p className={css.dim}>{t("importMore", { n: preview.wrong - preview.faults.length })}</p>}
        </>
      ) : (
        <>
          <h2>{preview.summary === "" ? t("importNothing", { n: preview.rows }) : t("importWould", { n: preview.rows, summary: preview.summary })}</h2>
          {preview.lines.length > 0 && (
            <ul className={css.lines}>
              {preview.lines.map((line) => (
                <li key={line}>{line}</li>
              ))}
            </ul>
          )}
          {children}
        </>
      )}
      <details className={css.columns}>
        <summary>{t("importSample", { n: preview.sample.length })}</summary>
        <div className={css.scroll}>
          <table className={css.sample}>
            <thead>
              <tr>
                {preview.header.map((name, n) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: cells have nothing but their place
                  <th key={n} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {preview.sample.map((cells, row) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: cells have nothing but their place
                <tr key={row}>
                  {cells.map((cell, n) => (
                    // biome-ignore lint/suspicious/noArrayIndexKey: cells have nothing but their place
                    <td key={n}>{cell}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </section>
  );
}

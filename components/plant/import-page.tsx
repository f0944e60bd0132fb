"use client";
import { Alert, Button, FileButton, Select, TextInput } from "@mantine/core";
import { IconDownload, IconUpload } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import Link from "next/link";
import { useFormatter, useTranslations } from "next-intl";
import { type DragEvent, useState } from "react";
import { PageHead } from "#/components/frame/page-head.tsx";
import { useTRPC } from "#/components/frame/trpc.ts";
import { useUrlState } from "#/components/ui/use-url-state.ts";
import css from "./import.module.css";
import { ImportBusy } from "./import-busy.tsx";
import { ImportPreviewShown } from "./import-preview.tsx";
import { useImport } from "./use-import.ts";

export type SheetShown = { name: string; columns: { name: string; about: string; example: string; isNeeded: boolean }[] };

/** A table of machines, signals, products ... from CSV or Excel into the plant: every wrong cell is told before anything is written. */
export function ImportPage({ sheets }: { sheets: SheetShown[] }) {
  const t = useTranslations("plant");
  const [wanted, setWanted] = useUrlState("sheet");
  const sheet = sheets.find(({ name }) => name === wanted) ?? sheets[0];
  if (!sheet) return null;
  const title = (name: string) => t(`importSheet.${name}` as "importSheet.machines");
  return (
    <>
      <PageHead crumbs={[{ name: t("title"), path: "/plant" }]} title={t("import")} what={t("importWhat")} />
      <div className={css.page}>
        <section className={css.card}>
          <div className={css.row}>
            <Select
              label={t("importOf")}
              data={sheets.map(({ name }) => ({ value: name, label: title(name) }))}
              value={sheet.name}
              onChange={(name) => setWanted(name)}
              allowDeselect={false}
              className={css.choice}
            />
            {(["xlsx", "csv"] as const).map((format) => (
              <Button
                key={format}
                component="a"
                href={`/api/plant/import/${sheet.name}?format=${format}`}
                download
                variant="default"
                leftSection={<IconDownload size={18} />}
              >
                {t(format === "csv" ? "importTemplateCsv" : "importTemplateXlsx")}
              </Button>
            ))}
          </div>
          <details className={css.columns}>
            <summary>{t("importColumns", { n: sheet.columns.length })}</summary>
            <dl>
              {sheet.columns.map((column) => (
                <div key={column.name}>
                  <dt>
                    <code>{column.name}</code>
                    {column.isNeeded && <span>{t("importNeeded")}</span>}
                  </dt>
                  <dd>
                    {column.about}
                    {column.example !== "" && (
                      <>
                        {" "}
                        · <code>{column.example}</code>
                      </>
                    )}
                  </dd>
                </div>
              ))}
            </dl>
          </details>
        </section>
        {/* Another sheet is another import: nothing of the one before is left. */}
        <ImportFile key={sheet.name} sheet={sheet.name} />
      </div>
    </>
  );
}

function ImportFile({ sheet }: { sheet: string }) {
  const t = useTranslations("plant");
  const number = useFormatter();
  const trpc = useTRPC();
  const queries = useQueryClient();
  const [why, setWhy] = useState("");
  const [isOver, setOver] = useState(false);
  const { file, step, fault, choose, again, write } = useImport(sheet, () => void queries.invalidateQueries({ queryKey: trpc.plant.pathKey() }));
  const isBusy = step.is === "reading" || step.is === "writing";
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const [dropped] = event.dataTransfer.files;
    if (dropped && !isBusy) choose(dropped);
  };
  return (
    <>
      <fieldset
        aria-label={t("importChoose")}
        className={css.drop}
        data-over={isOver || undefined}
        aria-busy={isBusy}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={onDrop}
      >
        <FileButton onChange={choose} accept=".csv,.txt,.tsv,.xlsx" disabled={isBusy}>
          {(props) => (
            <Button {...props} size="md" variant={file ? "default" : "filled"} leftSection={<IconUpload size={18} />} disabled={isBusy}>
              {t(file ? "importOther" : "importChoose")}
            </Button>
          )}
        </FileButton>
        <p>{file ? `${file.name} · ${number.number(Math.ceil(file.size / 1_000))} kB` : t("importDrop")}</p>
        {isBusy && <ImportBusy isWriting={step.is === "writing"} />}
      </fieldset>
      {fault && (
        <Alert role="alert" color="red" variant="light" title={t(step.is === "previewed" ? "importNotWritten" : "importNotRead")}>
          <p className={css.fault}>{fault}</p>
          {file && (
            <Button size="sm" variant="default" onClick={again}>
              {t("importAgain")}
            </Button>
          )}
        </Alert>
      )}
      {step.is === "previewed" && (
        <ImportPreviewShown preview={step.preview}>
          {step.preview.wrong === 0 && step.preview.summary !== "" && (
            <form
              className={css.row}
              onSubmit={(event) => {
                event.preventDefault();
                write(why);
              }}
            >
              <TextInput label={t("importWhy")} value={why} onChange={(event) => setWhy(event.currentTarget.value)} maxLength={1_000} className={css.choice} />
              <Button type="submit">{t("importWrite", { n: step.preview.rows })}</Button>
            </form>
          )}
        </ImportPreviewShown>
      )}
      {step.is === "written" && (
        <Alert role="status" color="green" variant="light" title={t("importWritten", { n: step.preview.rows })}>
          <p className={css.fault}>{step.preview.summary}</p>
          <Button component={Link} href="/plant" size="sm" variant="default">
            {t("importToPlant")}
          </Button>
        </Alert>
      )}
    </>
  );
}

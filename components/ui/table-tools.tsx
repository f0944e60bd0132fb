"use client";
import { Button, Checkbox, Menu } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconColumns3, IconDownload } from "@tabler/icons-react";
import { useTranslations } from "next-intl";
import css from "./data-table.module.css";
import type { Column } from "./data-table.tsx";
import { csvOf, download, type Sheet, xlsxOf } from "./table-export.ts";

type Props<Row> = {
  name: string;
  label: string;
  columns: readonly Column<Row>[];
  hidden: readonly string[];
  onHide: (keys: string[]) => void;
  /** As filtered and ordered. */
  rows: readonly Row[];
};

/** Which columns a table has, and the table as a file: what is seen is what is exported. */
export function TableTools<Row>({ name, label, columns, hidden, onHide, rows }: Props<Row>) {
  const t = useTranslations("table");
  const choice = columns.filter((column) => !column.isAction);
  const shown = choice.filter((column) => !hidden.includes(column.key));
  const toggle = (key: string) =>
    onHide(choice.map((column) => column.key).filter((other) => (other === key ? !hidden.includes(key) : hidden.includes(other))));
  const sheet = (): Sheet => ({ name: label, header: shown.map((column) => column.header), rows: rows.map((row) => shown.map((column) => column.value(row))) });
  const save = (how: "csv" | "xlsx") => {
    const fileName = `${name}.${how}`;
    const made = how === "xlsx" ? xlsxOf(sheet()) : Promise.resolve(new Blob([csvOf(sheet())], { type: "text/csv;charset=utf-8" }));
    made
      .then((content) => download(content, fileName))
      .catch((error: Error) => notifications.show({ color: "red", message: t("exportFailed", { why: error.message }), withCloseButton: true }));
  };
  return (
    <div className={css.menus}>
      <Menu closeOnItemClick={false} position="bottom-end">
        <Menu.Target>
          <Button variant="default" size="sm" leftSection={<IconColumns3 size={16} />} aria-label={t("columnsOf", { table: label })}>
            {t("columns")}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {choice.map((column) => {
            const isShown = !hidden.includes(column.key);
            return (
              <Menu.Item
                key={column.key}
                role="menuitemcheckbox"
                aria-checked={isShown}
                disabled={isShown && shown.length === 1}
                onClick={() => toggle(column.key)}
                leftSection={<Checkbox.Indicator checked={isShown} size="xs" />}
              >
                {column.header}
              </Menu.Item>
            );
          })}
        </Menu.Dropdown>
      </Menu>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button
            variant="default"
            size="sm"
            leftSection={<IconDownload size={16} />}
            aria-label={t("exportOf", { table: label })}
            disabled={rows.length === 0}
          >
            {t("export")}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => save("csv")}>{t("csv")}</Menu.Item>
          <Menu.Item onClick={() => save("xlsx")}>{t("xlsx")}</Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </div>
  );
}

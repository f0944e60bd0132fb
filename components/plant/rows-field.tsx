"use client";
import { ActionIcon, Button } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { useTranslations } from "next-intl";
import type { ReactNode } from "react";
import { type FieldProps, useFieldWords, type Values } from "./field-words.ts";
import type { Field } from "./forms.ts";
import css from "./plant.module.css";

type Props = FieldProps & {
  field: Extract<Field, { input: "rows" }>;
  /** The input of one column in the row at that path. */
  cell: (column: Field, path: string) => ReactNode;
};

/** A list of small things that belong to one: breaks, ideal cycles, prices, each a row. */
export function RowsField({ kind, field, form, path, place, isReadOnly, isHeaded, cell }: Props) {
  const t = useTranslations("plant");
  const words = useFieldWords(kind);
  const rows = (form.getValues()[path] ?? []) as Values[];
  const label = words.label(field.path);
  const error = form.errors[path];
  return (
    <fieldset className={css.rows}>
      <legend className={isHeaded ? css.hidden : undefined}>{label}</legend>
      {words.hint(field.path) && <p className={css.hint}>{words.hint(field.path)}</p>}
      {rows.length > 0 && (
        <div className={css.scroll}>
          <table>
            <thead>
              <tr>
                {field.columns.map((column) => (
                  <th key={column.path} scope="col" data-number={column.input === "number" || undefined}>
                    {words.labelIn(column, place)}
                  </th>
                ))}
                <th>
                  <span className={css.hidden}>{t("removeRow")}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row, index) => (
                // The rows have no name of their own; the form gives each a key that stays with it.
                <tr key={String(row.rowKey ?? index)}>
                  {field.columns.map((column) => (
                    <td key={column.path} data-label={words.labelIn(column, place)} data-wide={column.input === "lookup" || undefined}>
                      {cell(column, `${path}.${index}.${column.path}`)}
                    </td>
                  ))}
                  <td>
                    {!isReadOnly && (
                      <ActionIcon
                        variant="subtle"
                        color="gray"
                        size={36}
                        className={css.bin}
                        aria-label={t("removeRowN", { n: index + 1, list: label })}
                        onClick={() => form.removeListItem(path, index)}
                      >
                        <IconTrash size={18} />
                      </ActionIcon>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {rows.length === 0 && <p className={css.none}>{t("noRows")}</p>}
      {error && (
        <p className={css.error} role="alert">
          {error}
        </p>
      )}
      {!isReadOnly && (
        <Button
          variant="default"
          size="sm"
          leftSection={<IconPlus size={16} />}
          aria-label={t("addRowTo", { list: label })}
          onClick={() => form.insertListItem(path, { rowKey: crypto.randomUUID(), ...Object.fromEntries(field.columns.map((column) => [column.path, ""])) })}
        >
          {t("addRow")}
        </Button>
      )}
    </fieldset>
  );
}

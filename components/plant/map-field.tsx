"use client";
import { ActionIcon, Button, TextInput } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { useTranslations } from "next-intl";
import { type FieldProps, useFieldWords } from "./field-words.ts";
import css from "./plant.module.css";

export type MapRow = { rowKey: string; raw: string; value: string };

/** What raw values mean: 1 -> EXECUTE. In the form it is a list, so that half-typed rows are kept. */
export function MapField({ kind, field, form, path, isReadOnly }: FieldProps) {
  const t = useTranslations("plant");
  const words = useFieldWords(kind);
  const rows = (form.getValues()[path] ?? []) as MapRow[];
  return (
    <fieldset className={css.rows}>
      <legend>{words.label(field.path)}</legend>
      {words.hint(field.path) && <p className={css.hint}>{words.hint(field.path)}</p>}
      {rows.length > 0 && (
        <div className={css.scroll}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t("rawValue")}</th>
                <th scope="col">{t("meansValue")}</th>
                <th>
                  <span className={css.hidden}>{t("removeRow")}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row, index) => (
                <tr key={row.rowKey}>
                  <td data-label={t("rawValue")}>
                    <TextInput {...form.getInputProps(`${path}.${index}.raw`)} aria-label={t("rawValue")} readOnly={isReadOnly} />
                  </td>
                  <td data-label={t("meansValue")}>
                    <TextInput {...form.getInputProps(`${path}.${index}.value`)} aria-label={t("meansValue")} readOnly={isReadOnly} />
                  </td>
                  <td>
                    {!isReadOnly && (
                      <ActionIcon
                        variant="subtle"
                        color="gray"
                        size={36}
                        className={css.bin}
                        aria-label={t("removeRowN", { n: index + 1, list: words.label(field.path) })}
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
      {form.errors[path] && (
        <p className={css.error} role="alert">
          {form.errors[path]}
        </p>
      )}
      {!isReadOnly && (
        <Button
          variant="default"
          size="sm"
          leftSection={<IconPlus size={16} />}
          aria-label={t("addRowTo", { list: words.label(field.path) })}
          onClick={() => form.insertListItem(path, { rowKey: crypto.randomUUID(), raw: "", value: "" })}
        >
          {t("addRow")}
        </Button>
      )}
    </fieldset>
  );
}

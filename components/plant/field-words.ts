"use client";
import type { UseFormReturnType } from "@mantine/form";
import { useTranslations } from "next-intl";
import type { Kind } from "#/server/plant/items.ts";
import type { Field } from "./forms.ts";
import type { Place } from "./use-lookup.ts";

export type Values = Record<string, unknown>;
export type ItemForm = UseFormReturnType<Values>;
export type FieldProps = {
  kind: Kind;
  field: Field;
  form: ItemForm;
  /** Of the value in the form: the field's own, or `ideal_cycles.1.seconds` in a row. */
  path: string;
  place: Place;
  isReadOnly: boolean;
  /** In a row of a table, where the column's head has the label. */
  isBare?: boolean;
  /** The heading above says what it is called: not once more. */
  isHeaded?: boolean;
};

/** The words of a field: its kind's own where it has them, else those that all kinds share. */
export function useFieldWords(kind: Kind) {
  const t = useTranslations("plant");
  const pick = (what: "field" | "hint", path: string): string | null => {
    for (const key of [`${what}.${kind}_${path}`, `${what}.${path}`]) if (t.has(key as "title")) return t(key as "title");
    return null;
  };
  const label = (path: string): string => pick("field", path) ?? path;
  return {
    label,
    /** With the zone in which its times are meant. */
    labelIn: (field: Field, { zone }: Place) =>
      field.input === "instant" && zone !== null ? t("inZone", { label: label(field.path), zone }) : label(field.path),
    hint: (path: string) => pick("hint", path),
    choice: (path: string, value: string) => {
      for (const key of [`choice.${kind}_${path}.${value}`, `choice.${path}.${value}`]) if (t.has(key as "title")) return t(key as "title");
      return value;
    },
  };
}

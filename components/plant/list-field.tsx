"use client";
import { TagsInput } from "@mantine/core";
import { useTranslations } from "next-intl";
import { type FieldProps, useFieldWords } from "./field-words.ts";

/** Several short texts: topics of a device. */
export function ListField({ kind, field, form, path, isReadOnly }: FieldProps) {
  const t = useTranslations("plant");
  const words = useFieldWords(kind);
  const given = form.getInputProps(path);
  return (
    <TagsInput
      label={words.label(field.path)}
      description={words.hint(field.path) ?? undefined}
      placeholder={isReadOnly ? undefined : t("typeAndEnter")}
      error={given.error}
      value={(given.value as string[] | null) ?? []}
      onChange={given.onChange}
      readOnly={isReadOnly}
      acceptValueOnBlur
      clearable
      clearButtonProps={{ "aria-label": t("emptyList") }}
    />
  );
}

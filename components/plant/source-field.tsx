"use client";
import { SegmentedControl, Select, TextInput } from "@mantine/core";
import { useTranslations } from "next-intl";
import { type FieldProps, useFieldWords } from "./field-words.ts";
import css from "./plant.module.css";
import { useLookup } from "./use-lookup.ts";

export type SourceValue = { how: "own" | "shared" | "form"; shared: string; form: string; address: string; no_data_timeout: string; max_backfill: string };

/** Who publishes for a machine: itself at its topic, a publisher that serves several, or one of another form. */
export function SourceField({ kind, field, form, path, place, isReadOnly, isHeaded }: FieldProps) {
  const t = useTranslations("plant");
  const words = useFieldWords(kind);
  const sources = useLookup("sources", place);
  const value = form.getValues()[path] as SourceValue;
  const input = (name: keyof SourceValue) => form.getInputProps(`${path}.${name}`);
  return (
    <fieldset className={css.rows}>
      <legend className={isHeaded ? css.hidden : undefined}>{words.label(field.path)}</legend>
      {words.hint(field.path) && <p className={css.hint}>{words.hint(field.path)}</p>}
      <SegmentedControl
        {...input("how")}
        readOnly={isReadOnly}
        aria-label={words.label(field.path)}
        data={(["own", "shared", "form"] as const).map((how) => ({ value: how, label: t(`sourceHow.${how}`) }))}
        className={css.segments}
      />
      {form.errors[path] && (
        <p className={css.error} role="alert">
          {form.errors[path]}
        </p>
      )}
      {value.how === "shared" && (
        <Select {...input("shared")} readOnly={isReadOnly} label={t("field.shared")} data={[...sources]} searchable nothingFoundMessage={t("nothingFound")} />
      )}
      {value.how === "form" && (
        <>
          <Select
            {...input("form")}
            readOnly={isReadOnly}
            label={t("field.form")}
            data={(["json", "sparkplug", "mapped"] as const).map((one) => ({ value: one, label: t(`choice.form.${one}`) }))}
            allowDeselect={false}
          />
          <TextInput {...input("address")} readOnly={isReadOnly} label={t("field.address")} description={t("hint.address")} />
        </>
      )}
      {value.how !== "shared" && (
        <div className={css.pair}>
          <TextInput
            {...input("no_data_timeout")}
            readOnly={isReadOnly}
            label={t("field.no_data_timeout")}
            description={t("hint.no_data_timeout")}
            placeholder="60s"
          />
          <TextInput {...input("max_backfill")} readOnly={isReadOnly} label={t("field.max_backfill")} description={t("hint.max_backfill")} placeholder="90d" />
        </div>
      )}
    </fieldset>
  );
}

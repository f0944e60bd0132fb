"use client";
import { Autocomplete, Checkbox, NumberInput, Select, TextInput } from "@mantine/core";
import { useLocale, useTranslations } from "next-intl";
import { type FieldProps, useFieldWords } from "./field-words.ts";
import type { Field } from "./forms.ts";
import { ListField } from "./list-field.tsx";
import { MapField } from "./map-field.tsx";
import { RowsField } from "./rows-field.tsx";
import { SourceField } from "./source-field.tsx";
import { useLookup } from "./use-lookup.ts";
import { WeekdaysField } from "./weekdays-field.tsx";

/** Characters of ',' and '.' as the viewer's numbers have them. */
const decimalOf = (locale: string) => new Intl.NumberFormat(locale).formatToParts(1.5).find(({ type }) => type === "decimal")?.value ?? ".";

/** One field of a thing's form. */
export function ItemField(props: FieldProps) {
  const { kind, field, form, path, isReadOnly, isBare = false } = props;
  const words = useFieldWords(kind);
  const t = useTranslations("plant");
  const locale = useLocale();
  const label = words.labelIn(field, props.place);
  const given = form.getInputProps(path);
  const common = {
    ...given,
    value: given.value ?? "",
    readOnly: isReadOnly,
    ...(isBare ? { "aria-label": label } : { label, description: words.hint(field.path) ?? undefined, withAsterisk: !field.isOptional && !isReadOnly }),
  };
  switch (field.input) {
    case "text":
      return <TextInput {...common} maxLength={200} />;
    case "code":
      return (
        <TextInput
          {...common}
          spellCheck={false}
          autoCapitalize="off"
          styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)", fontSize: 14 } }}
        />
      );
    case "duration":
      return <TextInput {...common} placeholder="60s, 5m, 1h30m" spellCheck={false} />;
    case "clock":
      return <TextInput {...common} placeholder={t("clockForm")} inputMode="numeric" maxLength={5} />;
    case "day":
      return <TextInput {...common} type="date" />;
    case "month":
      return <TextInput {...common} type="month" />;
    case "instant":
      return <TextInput {...common} placeholder={t("dayForm")} spellCheck={false} />;
    case "number":
      return (
        <NumberInput
          {...common}
          hideControls
          styles={isBare ? { input: { textAlign: "right", fontVariantNumeric: "tabular-nums" } } : undefined}
          decimalSeparator={decimalOf(locale)}
          allowedDecimalSeparators={[".", ","]}
          suffix={field.unit ? ` ${field.unit}` : undefined}
        />
      );
    case "check":
      return (
        <Checkbox {...form.getInputProps(path, { type: "checkbox" })} disabled={isReadOnly} label={label} description={words.hint(field.path) ?? undefined} />
      );
    case "choice":
      return (
        <Select
          {...common}
          value={given.value ? String(given.value) : null}
          onChange={(value) => given.onChange(value ?? "")}
          data={field.choices.map((value) => ({ value, label: words.choice(field.path, value) }))}
          clearable={field.isOptional && !isReadOnly}
          allowDeselect={false}
        />
      );
    case "lookup":
      return <LookupField {...props} field={field} />;
    case "rows":
      return <RowsField {...props} field={field} cell={(column, at) => <ItemField {...props} field={column} path={at} isBare isHeaded={false} />} />;
    case "list":
      return <ListField {...props} />;
    case "map":
      return <MapField {...props} />;
    case "source":
      return <SourceField {...props} />;
    case "weekdays":
      return <WeekdaysField {...props} />;
  }
}

function LookupField({ kind, field, form, path, place, isReadOnly, isBare = false }: FieldProps & { field: Extract<Field, { input: "lookup" }> }) {
  const words = useFieldWords(kind);
  const t = useTranslations("plant");
  const choices = useLookup(field.of, place);
  const given = form.getInputProps(path);
  const label = words.label(field.path);
  const common = {
    error: given.error,
    readOnly: isReadOnly,
    ...(isBare ? { "aria-label": label } : { label, description: words.hint(field.path) ?? undefined, withAsterisk: !field.isOptional && !isReadOnly }),
  };
  const value = typeof given.value === "string" ? given.value : "";
  if (field.isFree) {
    return <Autocomplete {...common} value={value} onChange={given.onChange} data={choices.map((choice) => choice.value)} limit={60} />;
  }
  // What is set stays a choice, also where the list does not have it (any more).
  const known = choices.some((choice) => choice.value === value) || value === "";
  return (
    <Select
      {...common}
      value={value || null}
      onChange={(next) => given.onChange(next ?? "")}
      data={known ? [...choices] : [{ value, label: value }, ...choices]}
      clearable={field.isOptional && !isReadOnly}
      allowDeselect={field.isOptional ?? false}
      searchable
      limit={200}
      nothingFoundMessage={t("nothingFound")}
    />
  );
}

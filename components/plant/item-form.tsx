"use client";
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { useMemo } from "react";
import { CertificateFile } from "#/components/devices/certificate-file.tsx";
import { useTRPC } from "#/components/frame/trpc.ts";
import { EditForm } from "#/components/ui/edit-form.tsx";
import { NotFilledIn } from "#/components/ui/not-filled-in.ts";
import { useEditForm } from "#/components/ui/use-edit-form.ts";
import type { FieldFault } from "#/server/errors.ts";
import type { Kind } from "#/server/plant/items.ts";
import { type ItemForm as MantineForm, useFieldWords, type Values } from "./field-words.ts";
import { forms, isAskedFor } from "./forms.ts";
import { ItemField } from "./item-field.tsx";
import { type Fields, fieldsFrom, formPath, valuesOf } from "./item-values.ts";
import css from "./plant.module.css";
import type { Place } from "./use-lookup.ts";

type Props = {
  kind: Kind;
  /** null: a new thing below `parent`. */
  address: string | null;
  parent: string | null;
  fields: Fields;
  version: string | null;
  place: Place;
  isReadOnly: boolean;
  onSaved: (address: string) => void;
  onCancel?: () => void;
  others?: React.ReactNode;
};

/** The form of one thing of the plant. What it says goes through the same rules as the plant file. */
export function PlantItemForm({ kind, address, parent, fields, version, place, isReadOnly, onSaved, onCancel, others }: Props) {
  const t = useTranslations("plant");
  const words = useFieldWords(kind);
  const trpc = useTRPC();
  const queries = useQueryClient();
  const putAny = useMutation(trpc.plant.put.mutationOptions());
  const putDevice = useMutation(trpc.devices.put.mutationOptions());
  const initial = useMemo(() => valuesOf(kind, { ...newFields[kind], ...fields }, address === null, place.zone), [kind, fields, address, place.zone]);
  const state = useEditForm<Values, { address: string; lines: string[] }>({
    initial,
    version,
    save: async (values, on) => {
      const unnamed = needed(kind).filter((path) => path in values && String(values[path] ?? "").trim() === "");
      if (unnamed.length > 0) throw new NotFilledIn(unnamed, t("nameNeeded"));
      try {
        const wanted = { address, parent, fields: fieldsFrom(kind, values), version: on === null ? null : String(on) };
        // Who sets up devices need not be who sets up the plant.
        return await (kind === "device" ? putDevice.mutateAsync(wanted) : putAny.mutateAsync({ kind, ...wanted }));
      } catch (error) {
        throw asFormHasIt(kind, values, place.zone, error);
      }
    },
    onSaved: (saved) => {
      void queries.invalidateQueries({ queryKey: trpc.plant.pathKey() });
      if (kind === "device") void queries.invalidateQueries({ queryKey: trpc.devices.pathKey() });
      notifications.hide("saved"); // one at a time, however many things are entered one after the other
      notifications.show({ id: "saved", message: saved.lines.length === 0 ? t("nothingChanged") : t("saved"), color: "green", withCloseButton: true });
      onSaved(saved.address);
    },
  });
  const values = state.form.getValues();
  const labels = Object.fromEntries(Object.keys(values).map((path) => [path, words.label(path)]));
  const sections = forms[kind].filter((section) => section.fields.some((field) => field.path in values && isAskedFor(kind, field.path, values)));
  const body = sections.map((section) => (
    <section key={section.key} className={css.section}>
      {sections.length > 1 && <h2>{t(`section.${section.key}` as "section.basics")}</h2>}
      <div className={css.fields}>
        {section.fields
          .filter((field) => field.path in values && isAskedFor(kind, field.path, values))
          .map((field) => (
            <div
              key={field.path}
              data-wide={field.isWide || field.input === "rows" || field.input === "map" || field.input === "source" || field.input === "list" || undefined}
            >
              <ItemField
                kind={kind}
                field={field}
                form={state.form as MantineForm}
                path={field.path}
                place={place}
                isReadOnly={isReadOnly}
                isHeaded={sections.length > 1 && words.label(field.path) === t(`section.${section.key}` as "section.basics")}
              />
            </div>
          ))}
      </div>
    </section>
  ));
  if (isReadOnly) return <div className={css.form}>{body}</div>;
  return (
    <EditForm state={state} labels={labels} show={(value, path) => shown(value, path)} onCancel={onCancel} isLong others={others}>
      {body}
      {kind === "device" && <CertificateFile form={state.form as MantineForm} zone={place.zone} />}
    </EditForm>
  );

  function shown(value: unknown, path: string): string {
    if (value === "" || value === null || value === undefined) return "–";
    if (typeof value === "string") return words.choice(path, value);
    if (Array.isArray(value)) return value.length === 0 ? "–" : value.map((row) => rowText(row)).join("\n");
    return typeof value === "object" ? rowText(value) : String(value);
  }
}

/** Names: marked as needed. The plant file may leave them out, and then takes the key; who types should say what people call the thing. */
const needed = (kind: Kind): string[] =>
  forms[kind].flatMap((section) => section.fields.filter((field) => field.input === "text" && !field.isOptional).map(({ path }) => path));

const rowText = (row: unknown): string =>
  typeof row !== "object" || row === null
    ? String(row)
    : Object.entries(row)
        .filter(([name, value]) => name !== "rowKey" && value !== "" && value !== null)
        .map(([, value]) => String(value))
        .join(" · ");

/** What a new thing begins with: the file's defaults, seen. */
const newFields: Partial<Record<Kind, Fields>> = {
  site: { zone: Intl.DateTimeFormat().resolvedOptions().timeZone },
  line: { topology: "parallel" },
  machine: { kind: "machine" },
  signal: { role: "measurement", scale: 1, offset: 0, counter: "cumulative" },
  shift: { days: "mon-fri", start: "06:00", end: "14:00" },
  source: { form: "mapped", no_data_timeout: "60s", max_backfill: "90d" },
  calendar_entry: { kind: "holiday" },
};

/** What is stored now, and what is said of fields, comes as the file has it: the form needs it as its own values and fields. */
function asFormHasIt(kind: Kind, values: Values, zone: string | null, error: unknown): unknown {
  const data = (error as { data?: { kind?: string; fields?: FieldFault[]; present?: { version: string; values: Fields } | null } }).data;
  if (data?.fields) data.fields = data.fields.map(({ path, sentence }) => ({ path: formPath(kind, values, path), sentence }));
  if (data?.kind === "CONFLICT" && data.present) data.present = { version: data.present.version, values: valuesOf(kind, data.present.values, false, zone) };
  return error;
}

"use client";
import { Anchor, Button, SegmentedControl, Select } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { IconPlus } from "@tabler/icons-react";
import { useTranslations } from "next-intl";
import { useMay } from "#/components/frame/permissions.tsx";
import type { ItemForm } from "#/components/plant/field-words.ts";
import { type Field, forms, pathOf } from "#/components/plant/forms.ts";
import { ItemField } from "#/components/plant/item-field.tsx";
import type { MapRow } from "#/components/plant/map-field.tsx";
import { MachineSelect } from "./machine-select.tsx";
import css from "./map-dialog.module.css";
import { type MapValues, matters, readingFields } from "./mapping-values.ts";
import type { UnknownData, UnknownValue } from "./unknown-section.tsx";
import type { ReadMessage } from "./use-preview.ts";

type Props = {
  form: UseFormReturnType<MapValues>;
  value: UnknownValue;
  data: UnknownData;
  /** Values as they were sent. */
  seen: readonly ReadMessage["raw"][];
};

const fields = new Map(forms.signal.flatMap((section) => section.fields.map((field): [string, Field] => [field.path, field])));
const nowhere = { site: null, line: null, zone: null };

/** Which signal it is: one that there is, or a new one and how its values are read. */
export function MapTarget({ form, value, data, seen }: Props) {
  const t = useTranslations("health");
  const values = form.getValues();
  const isMany = values.reach === "many";
  const isNew = isMany || values.way === "new";
  const field = (path: string) => {
    const found = fields.get(path);
    if (!found) return null;
    return (
      <div key={path} data-wide={found.input === "map" || undefined}>
        <ItemField kind="signal" field={found} form={form as unknown as ItemForm} path={path} place={nowhere} isReadOnly={false} />
        {path === "values" && <SeenValues form={form} seen={seen} />}
      </div>
    );
  };
  return (
    <section className={css.target}>
      <h3>{isMany ? t("map.toMany") : t("map.to")}</h3>
      {isMany ? (
        <p className={css.hint}>{t("map.toManyWhat")}</p>
      ) : (
        <SegmentedControl
          {...form.getInputProps("way")}
          aria-label={t("whichSignal")}
          data={[
            { value: "known", label: t("existing") },
            { value: "new", label: t("newSignal") },
          ]}
        />
      )}
      {!isNew && <KnownSignal form={form} value={value} data={data} />}
      {isNew && (
        <>
          {!isMany && (
            <>
              <MachineSelect
                {...form.getInputProps("machine")}
                value={values.machine}
                onChange={(machine) => form.setFieldValue("machine", machine)}
                machines={data.machines}
                label={t("machine")}
                withAsterisk
              />
              <div className={css.pair}>{["name", "key"].map(field)}</div>
            </>
          )}
          <div className={css.pair}>{["role", "unit"].filter((path) => path === "role" || matters(path, values)).map(field)}</div>
          <div className={css.pair}>{readingFields.filter((path) => matters(path, values)).map(field)}</div>
        </>
      )}
    </section>
  );
}

function KnownSignal({ form, value, data }: Pick<Props, "form" | "value" | "data">) {
  const t = useTranslations("health");
  const may = useMay();
  const { signal } = form.getValues();
  const fitting = data.signals.filter(({ mappingForm }) => mappingForm === (value.metric === null ? "json" : "sparkplug"));
  const chosen = fitting.find(({ id }) => String(id) === signal);
  return (
    <>
      <Select
        {...form.getInputProps("signal")}
        value={signal || null}
        onChange={(id) => form.setFieldValue("signal", id ?? "")}
        label={t("signal")}
        withAsterisk
        searchable
        limit={100}
        nothingFoundMessage={t("noneMatch")}
        data={fitting.map((one) => ({ value: String(one.id), label: `${one.machineName} › ${one.key} · ${one.machinePath} · ${t(`role.${one.role}`)}` }))}
      />
      {chosen && (
        <p className={css.hint}>
          {t("map.asItIs")}{" "}
          {may("plant.read", chosen.siteId) && (
            <Anchor inherit href={pathOf("signal", `${chosen.machinePath}/${chosen.key}`)} target="_blank">
              {t("map.openSignal")}
            </Anchor>
          )}
        </p>
      )}
    </>
  );
}

/** Raw values that came and have no meaning yet, to be taken into the list. */
function SeenValues({ form, seen }: Pick<Props, "form" | "seen">) {
  const t = useTranslations("health");
  const rows = (form.getValues().values ?? []) as MapRow[];
  const fresh = [...new Set(seen.flatMap((raw) => (raw === null ? [] : [String(raw)])))].filter((raw) => !rows.some((row) => row.raw === raw)).slice(0, 20);
  if (fresh.length === 0) return null;
  return (
    <Button
      variant="default"
      size="sm"
      mt={8}
      maw="100%"
      leftSection={<IconPlus size={16} />}
      onClick={() => form.setFieldValue("values", [...rows, ...fresh.map((raw): MapRow => ({ rowKey: crypto.randomUUID(), raw, value: "" }))])}
    >
      {t("map.addSeen", { values: shortened(fresh) })}
    </Button>
  );
}

const shortened = (raws: readonly string[]) =>
  `${raws
    .slice(0, 4)
    .map((raw) => (raw.length > 16 ? `${raw.slice(0, 15)}…` : raw))
    .join(", ")}${raws.length > 4 ? " …" : ""}`;

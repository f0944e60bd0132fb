"use client";
import { Autocomplete, Button, Checkbox } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { useTranslations } from "next-intl";
import { useState } from "react";
import { MachineSelect } from "./machine-select.tsx";
import dialog from "./map-dialog.module.css";
import { Becomes, PreviewFault, stateOf, Waiting } from "./map-preview.tsx";
import css from "./map-topics.module.css";
import { type MapValues, signalOf, type TopicRow } from "./mapping-values.ts";
import { Topic } from "./topic.tsx";
import type { UnknownData } from "./unknown-section.tsx";
import type { Preview } from "./use-preview.ts";
import type { Proposals } from "./use-proposals.ts";

type Props = { form: UseFormReturnType<MapValues>; data: UnknownData; preview: Preview; proposals: Proposals };

const rowsAtOnce = 25;

/** The topics that match, each with the machine and the signal that it is proposed for, and what its newest message would become. */
export function MapTopics({ form, data, preview, proposals }: Props) {
  const t = useTranslations("health");
  const [most, setMost] = useState(rowsAtOnce);
  const { rows } = form.getValues();
  if (proposals.isPending) return <Waiting />;
  if (rows.length === 0) return <p className={dialog.hint}>{t("map.noTopics")}</p>;
  const ready = rows.filter(({ machine }) => machine !== "");
  const isAllOn = rows.every(({ isOn }) => isOn);
  const setAll = (isOn: boolean) =>
    form.setFieldValue(
      "rows",
      rows.map((row) => ({ ...row, isOn, isOwn: true })),
    );
  return (
    <>
      {preview.fault && <PreviewFault preview={preview} fault={preview.fault} />}
      <p className={dialog.hint}>
        {t("map.matching", { n: proposals.topics, proposed: ready.length })} {proposals.topics > rows.length && t("map.matchingMore", { n: rows.length })}
      </p>
      <table className={css.topics} data-behind={preview.isBehind || undefined}>
        <thead>
          <tr>
            <th>
              <Checkbox
                checked={isAllOn}
                indeterminate={!isAllOn && rows.some(({ isOn }) => isOn)}
                onChange={(event) => setAll(event.currentTarget.checked)}
                aria-label={t("map.mapAll")}
              />
            </th>
            <th scope="col">{t("topic")}</th>
            <th scope="col">{t("machine")}</th>
            <th scope="col">{t("signal")}</th>
            <th scope="col">{t("map.newestBecomes")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, most).map((row, i) => (
            <Row key={row.topic} index={i} row={row} form={form} data={data} preview={preview} />
          ))}
        </tbody>
      </table>
      {rows.length > most && (
        <Button variant="default" size="sm" onClick={() => setMost(rows.length)}>
          {t("map.showAll", { n: rows.length })}
        </Button>
      )}
    </>
  );
}

type RowProps = Omit<Props, "proposals"> & { index: number; row: TopicRow };

function Row({ index, row, form, data, preview }: RowProps) {
  const t = useTranslations("health");
  const set = (change: Partial<TopicRow>) => {
    for (const field of Object.keys(change)) form.clearFieldError(`rows.${index}.${field}`);
    form.setFieldValue(`rows.${index}`, { ...row, ...change, isOwn: true });
  };
  const known = signalOf(data, row.machine, row.key.trim());
  const message = preview.fault ? undefined : preview.messages.find(({ topic }) => topic === row.topic);
  const error = (field: string) => form.errors[`rows.${index}.${field}`];
  return (
    <tr data-off={!row.isOn || undefined}>
      <td>
        <div className={css.tick}>
          <Checkbox checked={row.isOn} onChange={(event) => set({ isOn: event.currentTarget.checked })} aria-label={t("map.mapThis", { topic: row.topic })} />
        </div>
      </td>
      <td>
        <div className={css.name}>
          <Topic topic={row.topic} />
        </div>
        {error("topic") && (
          <p className={css.error} role="alert">
            {error("topic")}
          </p>
        )}
      </td>
      <td data-label={t("machine")}>
        <MachineSelect
          aria-label={t("map.machineOf", { topic: row.topic })}
          value={row.machine}
          onChange={(machine) => set({ machine, isOn: machine !== "" })}
          machines={data.machines}
          placeholder={t("map.chooseMachine")}
          error={error("machine")}
        />
      </td>
      <td data-label={t("signal")}>
        <Autocomplete
          aria-label={t("map.keyOf", { topic: row.topic })}
          value={row.key}
          onChange={(key) => set({ key })}
          data={data.signals.filter(({ machinePath, mappingForm }) => machinePath === row.machine && mappingForm === "json").map(({ key }) => key)}
          error={error("key")}
          spellCheck={false}
          autoCapitalize="off"
        />
        {row.machine !== "" && row.key !== "" && <small>{known ? t("map.isKnown", { role: t(`role.${known.role}`) }) : t("map.isNew")}</small>}
      </td>
      <td data-label={t("map.newestBecomes")} data-state={message && stateOf(message)}>
        <div className={css.becomes}>{message ? <Becomes message={message} how="row" /> : "–"}</div>
      </td>
    </tr>
  );
}

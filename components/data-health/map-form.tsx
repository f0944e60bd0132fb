"use client";
import { useMutation } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { useState } from "react";
import { useTRPC } from "#/components/frame/trpc.ts";
import { EditForm } from "#/components/ui/edit-form.tsx";
import { NotFilledIn } from "#/components/ui/not-filled-in.ts";
import { useEditForm } from "#/components/ui/use-edit-form.ts";
import type { FieldFault } from "#/server/errors.ts";
import css from "./map-dialog.module.css";
import { MapPlace } from "./map-place.tsx";
import { Becomes, MapPreview, Note } from "./map-preview.tsx";
import { MapTarget } from "./map-target.tsx";
import { MapTopics } from "./map-topics.tsx";
import { atFields, initialValues, itemsOf, type MapValues, missingFields } from "./mapping-values.ts";
import { pathChoices } from "./message-paths.ts";
import type { UnknownData, UnknownValue } from "./unknown-section.tsx";
import { usePreview } from "./use-preview.ts";
import { useProposals } from "./use-proposals.ts";

type Props = {
  value: UnknownValue;
  data: UnknownData;
  onMapped: (letters: number, used: readonly (string | null)[]) => void;
  onCancel: () => void;
};

/** The form of a mapping, and beside it what comes of it. */
export function MapForm({ value, data, onMapped, onCancel }: Props) {
  const t = useTranslations("health");
  const trpc = useTRPC();
  const map = useMutation(trpc.dataHealth.mapMany.mutationOptions());
  const [initial] = useState(() => initialValues(value, data));
  const state = useEditForm<MapValues, { retried: number }>({
    initial,
    version: null,
    save: async (values) => {
      const missing = missingFields(values);
      if (missing.length > 0) throw new NotFilledIn(missing, t("map.isNeeded"));
      const { items, rowAt } = itemsOf(values, value, data);
      if (items.length === 0) throw new NotFilledIn(["topic"], t("map.noneChosen"));
      try {
        return await map.mutateAsync({ items });
      } catch (error) {
        const said = (error as { data?: { fields?: FieldFault[] } }).data;
        if (said?.fields) said.fields = atFields(said.fields, values, rowAt);
        throw error;
      }
    },
    onSaved: ({ retried }, { path, ts_path }) => onMapped(retried, [path, ts_path]),
  });
  const { form } = state;
  const values = form.getValues();

  const isMany = values.reach === "many";
  const proposals = useProposals(form, isMany);
  const preview = usePreview(values, value, data);
  const choices = pathChoices(preview.messages.map(({ payload }) => payload));
  const chosen = values.rows.filter(({ isOn }) => isOn).length;
  const asked = isMany ? preview.messages.filter(({ topic }) => values.rows.some((row) => row.isOn && row.topic === topic)) : preview.messages;
  const isAllAside = asked.length > 0 && asked.every(({ reason }) => reason !== null);
  const newest = preview.messages[0];
  return (
    <div className={css.dialog} data-many={isMany || undefined}>
      <EditForm
        state={state}
        labels={{}}
        save={isMany ? t("map.mapTopics", { n: chosen }) : t("mapAndRetry", { n: value.letters })}
        onCancel={onCancel}
        others={!isMany && <div className={css.brief}>{preview.fault ? t("map.noResult") : newest && <Becomes message={newest} how="line" />}</div>}
      >
        <div className={css.columns}>
          <MapPlace form={form} value={value} choices={choices} />
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
          <section className={css.preview} aria-label={t("map.preview")} tabIndex={0}>
            <header>
              <h3>{isMany ? t("map.topics") : t("map.preview")}</h3>
              {!preview.fault && !preview.isPending && <span className={css.live}>{t("map.live")}</span>}
            </header>
            {isAllAside && !preview.fault && (
              <Note state="down" title={t("map.allAside", { n: asked.length })}>
                <p>{t("map.allAsideWhat")}</p>
              </Note>
            )}
            {isMany ? (
              <MapTopics form={form} data={data} preview={preview} proposals={proposals} />
            ) : (
              <MapPreview preview={preview} zone={zoneOf(values, data)} />
            )}
          </section>
          <MapTarget form={form} value={value} data={data} seen={preview.messages.map(({ raw }) => raw)} />
        </div>
      </EditForm>
    </div>
  );
}

/** Of the site that the value will belong to, as far as that is said; else UTC. */
function zoneOf({ way, machine, signal }: MapValues, { machines, signals }: UnknownData): string {
  const path = way === "new" ? machine : signals.find(({ id }) => String(id) === signal)?.machinePath;
  return machines.find((one) => one.path === path)?.zone ?? "UTC";
}

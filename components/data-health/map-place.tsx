"use client";
import { Autocomplete, type AutocompleteProps, SegmentedControl, TextInput } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { useTranslations } from "next-intl";
import css from "./map-dialog.module.css";
import type { MapValues } from "./mapping-values.ts";
import type { PathChoice } from "./message-paths.ts";
import { Topic } from "./topic.tsx";
import type { UnknownValue } from "./unknown-section.tsx";

type Props = {
  form: UseFormReturnType<MapValues>;
  value: UnknownValue;
  choices: { values: readonly PathChoice[]; times: readonly PathChoice[] };
};

/** Where the value comes from: the topic or many alike, and where it and its time lie in the message. */
export function MapPlace({ form, value, choices }: Props) {
  const t = useTranslations("health");
  const { reach } = form.getValues();
  return (
    <section className={css.place}>
      <h3>{t("map.from")}</h3>
      <div className={css.topic}>
        <Topic topic={value.topic} />
        {value.metric !== null && <span>{t("metric", { name: value.metric })}</span>}
      </div>
      {value.metric === null && (
        <>
          <SegmentedControl
            {...form.getInputProps("reach")}
            aria-label={t("map.reach")}
            data={[
              { value: "one", label: t("map.one") },
              { value: "many", label: t("map.many") },
            ]}
          />
          {reach === "many" && (
            <TextInput
              {...form.getInputProps("topic")}
              label={t("map.filter")}
              description={t("map.filterWhat")}
              spellCheck={false}
              autoCapitalize="off"
              styles={mono}
            />
          )}
          <div className={css.pair}>
            <PathField
              {...form.getInputProps("path")}
              label={t("map.path")}
              description={t("map.pathWhat")}
              placeholder={t("whole")}
              choices={choices.values}
            />
            <PathField
              {...form.getInputProps("ts_path")}
              label={t("map.tsPath")}
              description={t("map.tsPathWhat")}
              placeholder={t("map.tsPathNone")}
              choices={choices.times}
            />
          </div>
        </>
      )}
    </section>
  );
}

const mono = { input: { fontFamily: "var(--mantine-font-family-monospace)", fontSize: 14 } };

/** Chosen from what the messages hold, or typed: a message may hold it later. */
function PathField({ choices, ...props }: { choices: readonly PathChoice[] } & AutocompleteProps) {
  const samples = new Map(choices.map(({ path, sample }) => [path, sample]));
  return (
    <Autocomplete
      {...props}
      data={choices.map(({ path }) => path)}
      // What is chosen already is no search.
      filter={({ options, search }) =>
        search === "" || samples.has(search)
          ? options
          : options.filter((option) => "value" in option && String(option.value).toLowerCase().includes(search.toLowerCase()))
      }
      renderOption={({ option }) => (
        <span className={css.choice}>
          <code>{option.value}</code>
          <small>{samples.get(String(option.value))}</small>
        </span>
      )}
      clearable
      spellCheck={false}
      autoCapitalize="off"
      styles={mono}
    />
  );
}

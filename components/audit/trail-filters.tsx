"use client";
import { Button, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useTranslations } from "next-intl";
import { useEffect, useState } from "react";
import { useUrlState } from "#/components/ui/use-url-state.ts";
import css from "./audit.module.css";
import type { FilterName } from "./trail-filter.ts";
import { useAuditWords } from "./words.ts";

/** Kinds that can be chosen; in the order of their names on screen. */
const kinds = [
  "account",
  "api_token",
  "area",
  "audit_entry",
  "calendar_entry",
  "currency_rate",
  "dead_letter",
  "device",
  "display",
  "energy_price",
  "enterprise",
  "ideal_cycle",
  "job",
  "line",
  "line_shift_pattern",
  "machine",
  "machine_cost",
  "membership",
  "one_time_link",
  "person",
  "person_pin",
  "product",
  "product_cost",
  "product_line",
  "reason",
  "shift",
  "shift_instance",
  "shift_pattern",
  "signal",
  "signature",
  "site",
  "source",
  "stop_edit",
  "target",
  "team",
  "terminal",
  "topic_mapping",
  "two_factor",
] as const;

/** The filters, all of them in the page's address. zone: in which from and to are meant. */
export function TrailFilters({ zone }: { zone: string }) {
  const t = useTranslations("audit");
  const words = useAuditWords();
  const [kind, setKind] = useUrlState("kind");
  const [id, setId] = useUrlState("id");
  const choices = kinds.map((value) => ({ value: value as string, label: words.kind(value) })).sort((a, b) => a.label.localeCompare(b.label));
  return (
    <search className={css.filters}>
      <Typed name="text" label={t("text")} placeholder={t("textWhat")} />
      <Typed name="who" label={t("who")} />
      <Typed name="action" label={t("did")} placeholder="machine.renamed" />
      <Select
        label={t("kindOf")}
        data={kind !== null && !choices.some(({ value }) => value === kind) ? [...choices, { value: kind, label: words.kind(kind) }] : choices}
        value={kind}
        onChange={(value) => {
          setKind(value);
          setId(null);
        }}
        clearable
        clearButtonProps={{ "aria-label": t("clear") }}
        searchable
        placeholder={t("any")}
        nothingFoundMessage={t("noKind")}
      />
      <Typed name="from" label={t("from", { zone })} type="datetime-local" />
      <Typed name="to" label={t("to", { zone })} type="datetime-local" />
      {id !== null && (
        <Button variant="default" className={css.only} onClick={() => setId(null)}>
          {t("onlyThis", { kind: words.kind(kind ?? ""), id })}
        </Button>
      )}
    </search>
  );
}

const typedMs = 350;

/** A field whose text goes into the address once the person has paused. */
function Typed({ name, label, placeholder, type = "text" }: { name: FilterName; label: string; placeholder?: string; type?: "text" | "datetime-local" }) {
  const [value, setValue] = useUrlState(name);
  const [typed, setTyped] = useState(value ?? "");
  useEffect(() => setTyped(value ?? ""), [value]);
  const settle = useDebouncedCallback((text: string) => setValue(text.trim()), typedMs);
  return (
    <TextInput
      label={label}
      placeholder={placeholder}
      type={type}
      value={typed}
      maxLength={200}
      onChange={(event) => {
        setTyped(event.currentTarget.value);
        settle(event.currentTarget.value);
      }}
    />
  );
}

"use client";
import { Select, type SelectProps } from "@mantine/core";
import { useTranslations } from "next-intl";
import { useMemo } from "react";
import css from "./map-dialog.module.css";
import type { UnknownData } from "./unknown-section.tsx";

type Props = Omit<SelectProps, "data" | "value" | "onChange"> & {
  machines: UnknownData["machines"];
  /** Address of the machine; '': none. */
  value: string;
  onChange: (address: string) => void;
};

/** A machine by its name, found by its address, too, which stands below. */
export function MachineSelect({ machines, value, onChange, ...props }: Props) {
  const t = useTranslations("health");
  const data = useMemo(() => machines.map(({ path, name }) => ({ value: path, label: name })), [machines]);
  return (
    <Select
      {...props}
      data={data}
      value={value || null}
      onChange={(address) => onChange(address ?? "")}
      description={value || undefined}
      inputWrapperOrder={["label", "input", "description", "error"]}
      searchable
      limit={100}
      nothingFoundMessage={t("noneMatch")}
      filter={({ options, search, limit }) => {
        const words = search.toLowerCase().split(/\s+/).filter(Boolean);
        const isChosen = options.some((option) => "value" in option && option.value === value && option.label === search);
        const found = options.filter((option) => "value" in option && words.every((word) => `${option.label} ${option.value}`.toLowerCase().includes(word)));
        return (isChosen ? options : found).slice(0, limit);
      }}
      renderOption={({ option }) => (
        <span className={css.choice}>
          <span>{option.label}</span>
          <small>{option.value}</small>
        </span>
      )}
    />
  );
}

"use client";
import { Select } from "@mantine/core";
import { useTranslations } from "next-intl";
import type { ReactNode } from "react";

const choices = [1, 7, 30, 365] as const;

/** How long a link is good for, in days; null: until it is revoked, as a wall's is. */
export function Expiry({ value, onChange, error }: { value: number | null; onChange: (days: number | null) => void; error?: ReactNode }) {
  const t = useTranslations("screens");
  return (
    <Select
      label={t("linkGood")}
      description={t("linkGoodWhat")}
      data={[{ value: "open", label: t("linkOpen") }, ...choices.map((days) => ({ value: `${days}`, label: t("days", { n: days }) }))]}
      value={value === null ? "open" : `${value}`}
      onChange={(chosen) => onChange(chosen === null || chosen === "open" ? null : Number(chosen))}
      allowDeselect={false}
      error={error}
    />
  );
}

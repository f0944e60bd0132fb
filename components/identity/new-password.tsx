"use client";
import { PasswordInput } from "@mantine/core";
import { useTranslations } from "next-intl";
import type { ReactNode } from "react";

/** As the server has it; what else a password must not be, the server says at the field. */
const leastLength = 12;

type Props = { label: string; name?: string; value: string; error: ReactNode; size?: string; autoFocus?: boolean; onChange: (value: string) => void };

/** A field for a password that is chosen now: says what is wanted, and how far one is. */
export function NewPassword({ label, name = "new-password", value, error, size = "md", autoFocus, onChange }: Props) {
  const t = useTranslations("identity.newPassword");
  const length = [...value.normalize("NFKC")].length;
  const missing = leastLength - length;
  return (
    <PasswordInput
      label={label}
      name={name}
      size={size}
      autoComplete="new-password"
      autoFocus={autoFocus}
      value={value}
      error={error}
      description={length === 0 ? t("what") : missing > 0 ? t("missing", { n: missing }) : t("enough")}
      visibilityToggleButtonProps={{ "aria-label": t("show"), tabIndex: 0 }}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

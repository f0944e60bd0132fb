"use client";
import { useTranslations } from "next-intl";
import { useCallback } from "react";

/** A reason code of a dead letter in words; a code that this version does not know, as it is. */
export function useReason(): (code: string) => string {
  const t = useTranslations("reasons");
  return useCallback((code: string) => (t.has(code) ? t(code) : code), [t]);
}

"use client";
import { useMessages, useTranslations } from "next-intl";
import { useCallback } from "react";

/** A reason code of a dead letter in words; a code that this version does not know, as it is. */
export function useReason(): (code: string) => string {
  const t = useTranslations("reasons");
  return useCallback((code: string) => (t.has(code) ? t(code) : code), [t]);
}

/** All reasons that this version has a name for. */
export function useReasonCodes(): string[] {
  return Object.keys((useMessages() as { reasons: Record<string, string> }).reasons);
}

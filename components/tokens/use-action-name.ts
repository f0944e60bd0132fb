"use client";
import { useTranslations } from "next-intl";
import { useCallback } from "react";
import type { Action } from "#/server/domain/permission.ts";

/** What an action of the permission map is called. */
export function useActionName(): (action: Action) => string {
  const t = useTranslations("actions");
  return useCallback((action: Action) => t(action), [t]);
}

"use client";
import { useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { useCallback, useContext, useEffect } from "react";
import { confirm } from "./confirm.tsx";
import { holdUnsaved, UnsavedScope } from "./unsaved.ts";

let isAsking = false;

/** The question before unsaved work is left behind. One at a time, however often somebody presses Back or Escape. */
export function useAskToLeave(): (onLeave: () => void) => void {
  const t = useTranslations("form");
  return useCallback(
    (onLeave) => {
      if (isAsking) return;
      isAsking = true;
      confirm({
        title: t("leaveTitle"),
        what: t("leaveWhat"),
        yes: t("leave"),
        no: t("stay"),
        isDangerous: true,
        onYes: onLeave,
        onClose: () => {
          isAsking = false;
        },
      });
    },
    [t],
  );
}

/** Asks before unsaved work is left behind: by a link, by Back, by closing the tab, by going to another address, by closing the dialog that it is in. */
export function useUnsavedWarning(isUnsaved: boolean): void {
  const router = useRouter();
  const ask = useAskToLeave();
  const scope = useContext(UnsavedScope);
  useEffect(() => {
    if (!isUnsaved) return;
    const form = { ask, goTo: (path: string) => router.push(path) };
    const release = holdUnsaved(form);
    scope?.add(form);
    return () => {
      release();
      scope?.delete(form);
    };
  }, [isUnsaved, router, ask, scope]);
}

"use client";
import { useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { useEffect } from "react";
import { confirm } from "./confirm.tsx";

/** Asks before unsaved work is left behind: by a link, by closing the tab, by going to another address. */
export function useUnsavedWarning(isUnsaved: boolean): void {
  const t = useTranslations("form");
  const router = useRouter();
  useEffect(() => {
    if (!isUnsaved) return;
    const onUnload = (event: BeforeUnloadEvent) => event.preventDefault();
    // Before Next's own handler: a link inside the app loads no page, so the browser would not ask.
    const onClick = (event: MouseEvent) => {
      const link = event.target instanceof Element ? event.target.closest("a") : null;
      if (!link || link.target === "_blank" || link.hasAttribute("download") || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
      const to = new URL(link.href, location.href);
      if (to.origin !== location.origin || (to.pathname === location.pathname && to.search === location.search)) return;
      event.preventDefault();
      event.stopPropagation();
      confirm({
        title: t("leaveTitle"),
        what: t("leaveWhat"),
        yes: t("leave"),
        no: t("stay"),
        isDangerous: true,
        onYes: () => router.push(to.pathname + to.search + to.hash),
      });
    };
    window.addEventListener("beforeunload", onUnload);
    document.addEventListener("click", onClick, { capture: true });
    return () => {
      window.removeEventListener("beforeunload", onUnload);
      document.removeEventListener("click", onClick, { capture: true });
    };
  }, [isUnsaved, router, t]);
}

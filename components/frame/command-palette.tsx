"use client";
import "@mantine/spotlight/styles.css";
import { UnstyledButton } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { Spotlight, spotlight } from "@mantine/spotlight";
import { IconLayoutGrid, IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { useState } from "react";
import { leaveWith } from "#/components/ui/unsaved.ts";
import css from "./frame.module.css";
import type { OfferedPage } from "./frame.tsx";
import { pageIcons } from "./page-icons.ts";
import { useTRPC } from "./trpc.ts";

export function SearchButton() {
  const t = useTranslations("app");
  return (
    <UnstyledButton className={css.search} onClick={spotlight.open} title={t("palette")} aria-keyshortcuts="Control+K">
      <IconSearch size={18} aria-hidden="true" />
      <span>{t("search")}</span>
      <span className={css.keys} aria-hidden="true">
        Ctrl K
      </span>
    </UnstyledButton>
  );
}

/** Everywhere by name: pages, and the boards of all lines one may see. Ctrl+K. */
export function CommandPalette({ pages }: { pages: readonly OfferedPage[] }) {
  const t = useTranslations("app");
  const name = useTranslations("pages");
  const router = useRouter();
  const trpc = useTRPC();
  const [isOpen, setOpen] = useState(false);
  useHotkeys([["mod + K", spotlight.open]], []);
  useHotkeys([["/", spotlight.open]]);
  const lines = useQuery(trpc.boards.lines.queryOptions(undefined, { enabled: isOpen, staleTime: 60_000 }));
  return (
    <Spotlight
      // Also from within a field, where the browser would do something else with it: what is typed then is meant for the palette. "/" is a letter there.
      shortcut={null}
      onSpotlightOpen={() => setOpen(true)}
      nothingFound={t("paletteNothing")}
      highlightQuery
      scrollable
      maxHeight="min(60vh, 560px)"
      overlayProps={{ blur: 0 }} // to blur the page behind takes a computer without a graphics card longer than all the rest
      searchProps={{ leftSection: <IconSearch size={20} />, placeholder: t("palettePlaceholder"), "aria-label": t("palettePlaceholder") }}
      actions={[
        {
          group: name("label"),
          actions: pages.map((page) => {
            const Sign = pageIcons[page.key];
            return {
              id: `page ${page.key}`,
              label: name(`name.${page.key}`),
              leftSection: <Sign size={20} stroke={1.75} />,
              onClick: () => leaveWith(() => router.push(page.path)),
            };
          }),
        },
        {
          group: t("boards"),
          actions: (lines.data ?? []).map((line) => ({
            id: `line ${line.lineId}`,
            label: line.lineName,
            description: `${line.siteName}, ${line.areaName}`,
            keywords: [line.siteKey, line.areaKey, line.lineKey],
            leftSection: <IconLayoutGrid size={20} stroke={1.75} />,
            onClick: () => leaveWith(() => router.push(`/board/${line.siteKey}/${line.areaKey}/${line.lineKey}`)),
          })),
        },
      ]}
    />
  );
}

"use client";
import { useTranslations } from "next-intl";
import { livenessAt } from "#/server/domain/heartbeat.ts";
import css from "./screens.module.css";
import type { ScreenRow } from "./screens.tsx";

/** As a state of the tiles: colour, sign and word. */
const faces = { online: "run", late: "external", silent: "down", never: "planned_stop", revoked: "planned_stop" } as const;

export type ScreenStatus = keyof typeof faces;
export const statusOf = (row: ScreenRow, now: number): ScreenStatus => (row.revokedAt !== null ? "revoked" : livenessAt(row.screens[0]?.at ?? null, now));

const signs: Record<ScreenStatus, string> = {
  online: "m3 10.500 4.500 4.500L17 5.500",
  late: "M10 4v7l4 3",
  silent: "M4 4l12 12M16 4 4 16",
  never: "M4 10h12",
  revoked: "M4.700 4.700l10.600 10.600M10 2.500a7.500 7.500 0 1 0 0 15 7.500 7.500 0 0 0 0-15",
};

export function Liveness({ status }: { status: ScreenStatus }) {
  const t = useTranslations("screens");
  return (
    <span className={css.status} data-status={status} data-state={faces[status]}>
      <svg viewBox="0 0 20 20" aria-hidden="true">
        <path d={signs[status]} fill="none" stroke="currentColor" strokeWidth="2.6" />
      </svg>
      {t(`status.${status}`)}
    </span>
  );
}

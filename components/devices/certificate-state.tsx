"use client";
import { useTranslations } from "next-intl";
import type { CertificateState } from "#/server/devices/service.ts";
import css from "./devices.module.css";

/** As a state of the tiles: colour, sign and word. */
const faces = { valid: "run", ends_soon: "starved", expired: "down", mismatch: "down", none: "planned_stop" } as const satisfies Record<
  CertificateState,
  string
>;
const signs: Record<CertificateState, string> = {
  valid: "m3 10.500 4.500 4.500L17 5.500",
  ends_soon: "M10 2.500a7.500 7.500 0 1 0 0 15 7.500 7.500 0 0 0 0-15M10 6v4.500l3 1.500",
  expired: "M4 4l12 12M16 4 4 16",
  mismatch: "M4 7.500h12M4 12.500h12M14 3 6 17",
  none: "M4 10h12",
};

/** In the order of what needs a look first. */
export const certificateOrder: readonly CertificateState[] = ["mismatch", "expired", "ends_soon", "none", "valid"];
export const needsLook = (state: CertificateState): boolean => state === "mismatch" || state === "expired";

export function CertificateMark({ state }: { state: CertificateState }) {
  const t = useTranslations("devices");
  return (
    <span className={css.state} data-state={faces[state]}>
      <svg viewBox="0 0 20 20" aria-hidden="true">
        <path d={signs[state]} fill="none" stroke="currentColor" strokeWidth="2.6" />
      </svg>
      {t(`certificate.${state}`)}
    </span>
  );
}

/** What a display's last sign of life says of it. Displays beat every 30 s. */

/** Two beats were missed. */
export const lateAfterMs = 75_000;
/** It is off, or cut off. */
export const silentAfterMs = 5 * 60_000;

export type Liveness = "never" | "online" | "late" | "silent";

/** heardAt: ms since 1970; null: never heard. */
export function livenessAt(heardAt: number | null, nowMs: number): Liveness {
  if (heardAt === null) return "never";
  const ageMs = nowMs - heardAt;
  return ageMs <= lateAfterMs ? "online" : ageMs <= silentAfterMs ? "late" : "silent";
}

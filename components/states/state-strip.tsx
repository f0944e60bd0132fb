"use client";
import { useTranslations } from "next-intl";
import { useId } from "react";
import { useDuration } from "#/components/ui/use-duration.ts";
import type { ShownKind, StripPart } from "#/server/boards/picture-types.ts";

/** Stops stand taller than running time, so that they are seen without their colour. Per mille of the window, and of the height. */
const heightOf = (kind: ShownKind) => (kind === "run" ? 620 : kind === "not_scheduled" || kind === "planned_stop" ? 300 : 1000);

/** What a machine did, from `from` to `to` (ms since 1970); the part that is still to come stays empty. Its words are the sums per kind. */
export function StateStrip({ parts, from, to, className }: { parts: readonly StripPart[]; from: number; to: number; className?: string | undefined }) {
  const t = useTranslations("states");
  const duration = useDuration();
  const hatch = useId();
  const span = Math.max(1, to - from);
  const sums = new Map<ShownKind, number>();
  for (const [kind, partFrom, partTo] of parts) sums.set(kind, (sums.get(kind) ?? 0) + partTo - partFrom);
  const words = [...sums].map(([kind, ms]) => `${t(`kind.${kind}`)} ${duration(ms)}`).join(", ");
  return (
    <svg viewBox="0 0 1000 1000" preserveAspectRatio="none" role="img" aria-label={t("strip", { words })} className={className}>
      <defs>
        <pattern id={hatch} width="12" height="1000" patternUnits="userSpaceOnUse" patternTransform="skewX(-1)">
          <rect width="6" height="1000" fill="var(--state-unknown)" />
        </pattern>
      </defs>
      {parts.map(([kind, partFrom, partTo]) => (
        <rect
          key={partFrom}
          data-state={kind}
          x={((partFrom - from) / span) * 1000}
          width={Math.max(((partTo - partFrom) / span) * 1000, 0.8)}
          y={1000 - heightOf(kind)}
          height={heightOf(kind)}
          fill={kind === "unknown" ? `url(#${hatch})` : "var(--state)"}
        />
      ))}
    </svg>
  );
}

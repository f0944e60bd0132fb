import { useFormatter, useTranslations } from "next-intl";
import { useDuration } from "#/components/ui/use-duration.ts";

/** As the worker writes them: a count that fell, and one that rose by more than its machine can make in `ms`. */
type CountDetail = { signal: string; pieces: number; before?: number; value?: number; ms?: number; allowed?: number; isIdeal?: boolean };

/** What more there is to say of a link event, in the reader's language where it is one of Takt's own findings. */
export function useEventDetail(): (event: { kind: string; detail: string }) => string {
  const t = useTranslations("health.eventDetail");
  const number = useFormatter();
  const duration = useDuration();
  const n = (value: number) => number.number(value, { maximumFractionDigits: 3 });
  const length = (ms: number) => (ms < 60_000 ? `${n(ms / 1000)} s` : duration(ms));
  return ({ kind, detail }) => {
    if (kind === "broker_restart") return t("broker_restart");
    if (kind !== "counter_reset" && kind !== "counter_jump") return detail;
    const { signal, pieces, before = 0, value = 0, ms = 0, allowed = 0, isIdeal } = JSON.parse(detail) as CountDetail;
    if (kind === "counter_reset") return t("counter_reset", { signal, before: n(before), value: n(value), pieces: n(pieces) });
    return t(isIdeal ? "counter_jump" : "counter_jump_pace", { signal, pieces: n(pieces), length: length(ms), allowed: n(allowed) });
  };
}

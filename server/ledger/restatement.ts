/** Why a shift came out otherwise, in the words of a language: "71.3 % → 73.0 %: 18 min of gateway backlog, 1 reclassification". */
import { createTranslator } from "next-intl";
import type { Cause } from "#/server/domain/restatement.ts";
import { textsOf } from "#/server/texts.ts";

/** before, after: OEE; null: nothing was planned. */
export type Restatement = { before: number | null; after: number | null; causes: readonly Cause[] };

export function restatementInWords({ before, after, causes }: Restatement, locale: string | null): string {
  const texts = textsOf(locale);
  const t = createTranslator({ locale: texts.locale, messages: texts.messages, namespace: "restatement" as never }) as unknown as (
    key: string,
    values: Record<string, string | number>,
  ) => string;
  const digits = new Intl.NumberFormat(texts.locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const percent = (share: number | null) => (share === null ? "—" : `${digits.format(100 * share)} %`);
  const told = causes.map(({ kind, n }) => t(`cause.${kind}`, { n }));
  return t("whole", { before: percent(before), after: percent(after), causes: told.join(", ") });
}

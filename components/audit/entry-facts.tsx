"use client";
import { useTranslations } from "next-intl";
import css from "./audit.module.css";
import type { EntryData } from "./entry.ts";
import { EntryDiff } from "./entry-diff.tsx";
import { useAuditWords } from "./words.ts";

/** One entry in full: what changed, why, from where, and its place in the chain. */
export function EntryFacts({ entry, zone, names }: { entry: EntryData; zone: string; names: Readonly<Record<string, string>> }) {
  const t = useTranslations("audit");
  const { actor } = useAuditWords();
  return (
    <div className={css.facts}>
      {entry.isVeiled ? (
        <p className={css.none}>{t("veiled")}</p>
      ) : (
        (entry.before !== null || entry.after !== null) && <EntryDiff before={entry.before} after={entry.after} zone={zone} names={names} />
      )}
      <dl>
        {entry.why !== null && (
          <>
            <dt>{t("why")}</dt>
            <dd>{entry.why}</dd>
          </>
        )}
        <dt>{t("by")}</dt>
        <dd>{t("actorIs", { name: entry.actorName, kind: actor(entry.actorKind) })}</dd>
        <dt>{t("fromWhere")}</dt>
        <dd>{[entry.address, entry.userAgent].filter((text) => text !== null).join(" · ") || t("none")}</dd>
        <dt>{t("object")}</dt>
        <dd>
          <code>{`${entry.subjectKind} ${entry.subjectId}`}</code>
        </dd>
        <dt>{t("did")}</dt>
        <dd>
          <code>{entry.action}</code>
        </dd>
        <dt>{t("place")}</dt>
        <dd>{t("placeIs", { chain: String(entry.chain), seq: entry.seq })}</dd>
        <dt>{t("hash")}</dt>
        <dd>
          <code>{entry.hash}</code>
        </dd>
      </dl>
    </div>
  );
}

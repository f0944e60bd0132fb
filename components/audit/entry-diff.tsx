"use client";
import { useTranslations } from "next-intl";
import css from "./audit.module.css";
import { useAuditValue, useAuditWords } from "./words.ts";

export type Fields = Record<string, unknown> | null;

type Props = { before: Fields; after: Fields; zone: string /** What ids stand for, as the procedure gives it. */; names: Readonly<Record<string, string>> };

/** Fields of which every row has one and that say nothing by themselves. */
const silent = new Set(["id"]);

/** What was before and is after, field by field: of a change what differs, of a new or a removed thing all that it has. */
export function EntryDiff({ before, after, zone, names: called }: Props) {
  const t = useTranslations("audit");
  const { field } = useAuditWords();
  const value = useAuditValue();
  const show = (of: unknown, name: string) => {
    const isCalled = called[`${name} ${of}`];
    if (isCalled === undefined) return value(of, name, zone);
    return typeof of === "number" ? `${isCalled} (${of})` : isCalled; // an id that is no number tells nobody anything
  };
  const isChange = before !== null && after !== null;
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].filter((name) =>
    isChange ? JSON.stringify(before[name]) !== JSON.stringify(after[name]) : !silent.has(name) && ((before ?? after)?.[name] ?? null) !== null,
  );
  if (names.length === 0) return <p className={css.none}>{t("noFields")}</p>;
  return (
    <div className={css.scroll}>
      <table className={css.diff}>
        <thead>
          <tr>
            <th scope="col">{t("fieldHead")}</th>
            {before !== null && <th scope="col">{isChange ? t("before") : t("was")}</th>}
            {after !== null && <th scope="col">{isChange ? t("after") : t("is")}</th>}
          </tr>
        </thead>
        <tbody>
          {names.map((name) => (
            <tr key={name}>
              <th scope="row">{field(name)}</th>
              {before !== null && <td>{isChange ? <del>{show(before[name], name)}</del> : show(before[name], name)}</td>}
              {after !== null && <td>{isChange ? <ins>{show(after[name], name)}</ins> : show(after[name], name)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

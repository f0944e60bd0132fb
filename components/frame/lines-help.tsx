import Link from "next/link";
import type { LineRow } from "#/server/boards/queries.ts";
import css from "./page-help.module.css";

/** The lines that there are, as ways out of a page that there is not. */
export const LinesHelp = ({ lines }: { lines: readonly LineRow[] }) => (
  <ul className={css.lines}>
    {lines.map((line) => (
      <li key={line.lineId}>
        <Link href={`/board/${line.siteKey}/${line.areaKey}/${line.lineKey}`}>{line.lineName}</Link>
        <span>{` ${line.siteName}, ${line.areaName}`}</span>
      </li>
    ))}
  </ul>
);

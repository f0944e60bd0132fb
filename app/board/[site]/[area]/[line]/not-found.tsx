import Link from "next/link";
import { getTranslations } from "next-intl/server";
import { Awake } from "#/components/frame/awake.tsx";
import { LinesHelp } from "#/components/frame/lines-help.tsx";
import { MissingLine } from "#/components/frame/missing-line.tsx";
import css from "#/components/frame/page-help.module.css";
import { HelpFrame } from "../../../../help-frame.tsx";
import { linesOrNull } from "../../../../lines.ts";

export default async function LineNotFound() {
  const t = await getTranslations("app");
  const lines = await linesOrNull();
  return (
    <HelpFrame>
      <Awake />
      <div className={css.help}>
        <MissingLine />
        <p>{lines === null ? t("noLineList") : lines.length === 0 ? t("noLines") : t("noLineWhat")}</p>
        <LinesHelp lines={lines ?? []} />
        <Link href="/">{t("toStart")}</Link>
      </div>
    </HelpFrame>
  );
}

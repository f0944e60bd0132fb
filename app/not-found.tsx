import Link from "next/link";
import { getTranslations } from "next-intl/server";
import { Awake } from "#/components/frame/awake.tsx";
import { LinesHelp } from "#/components/frame/lines-help.tsx";
import css from "#/components/frame/page-help.module.css";
import { HelpFrame } from "./help-frame.tsx";
import { linesOrNull } from "./lines.ts";

export default async function NotFound() {
  const t = await getTranslations("app");
  return (
    <HelpFrame>
      <Awake />
      <div className={css.help}>
        <h1>{t("notFoundTitle")}</h1>
        <p>{t("notFoundWhat")}</p>
        <LinesHelp lines={(await linesOrNull()) ?? []} />
        <Link href="/">{t("toStart")}</Link>
      </div>
    </HelpFrame>
  );
}

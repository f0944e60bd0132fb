import { Awake } from "#/components/frame/awake.tsx";
import { LinesHelp } from "#/components/frame/lines-help.tsx";
import { MissingPage } from "#/components/frame/missing-page.tsx";
import css from "#/components/frame/page-help.module.css";
import { HelpFrame } from "./help-frame.tsx";
import { linesOrNull } from "./lines.ts";

export default async function NotFound() {
  return (
    <HelpFrame>
      <Awake />
      <div className={css.help}>
        <MissingPage />
        <LinesHelp lines={(await linesOrNull()) ?? []} />
      </div>
    </HelpFrame>
  );
}

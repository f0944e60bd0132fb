import { Awake } from "#/components/frame/awake.tsx";
import { MissingPage } from "#/components/frame/missing-page.tsx";
import css from "#/components/frame/page-help.module.css";

/** In the frame that is there already. */
export default function NotFoundInside() {
  return (
    <div className={css.help}>
      <MissingPage />
      <Awake />
    </div>
  );
}

import { Code } from "@mantine/core";
import { useTranslations } from "next-intl";
import css from "./door.module.css";

/** Nobody can administer Takt yet: where the link for that is. */
export function FirstRun() {
  const t = useTranslations("identity.firstRun");
  return (
    <section className={css.card} style={{ marginBottom: 20 }}>
      <h1>{t("title")}</h1>
      <p className={css.lead}>{t("what")}</p>
      <p style={{ margin: "0 0 8px" }}>{t("again")}</p>
      <Code block>npm run people -- invite-administrator</Code>
    </section>
  );
}

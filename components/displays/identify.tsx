import { useTranslations } from "next-intl";
import css from "./identify.module.css";

/** Name and number of the display, large enough to find it across the hall. */
export function Identify({ name, number }: { name: string; number: number }) {
  const t = useTranslations("display");
  return (
    <div className={css.identify} role="alert" data-identify>
      <p className={css.label}>{t("thisIs")}</p>
      <p className={css.number}>{number}</p>
      <p className={css.name} style={{ "--letters": Math.max(8, name.length) } as React.CSSProperties}>
        {name}
      </p>
    </div>
  );
}

"use client";
import { useTranslations } from "next-intl";
import { dateAndTime, offsetOf } from "#/components/ui/clock.ts";
import css from "./signatures.module.css";

export type StampData = {
  signerName: string;
  meaning: "authorship" | "review" | "approval" | "responsibility";
  signedAt: Date;
  comment: string | null;
  isValid: boolean;
  contentHash: string;
};

/**
 * A signature as 21 CFR 11.50 wants it shown and printed: the printed name, the date and time, the meaning; and whether it still holds for what is there now.
 * zone: of the site whose object was signed.
 */
export function SignatureStamp({ signature, zone }: { signature: StampData; zone: string }) {
  const t = useTranslations("signatures");
  const at = signature.signedAt.getTime();
  return (
    <figure className={css.stamp} data-valid={signature.isValid}>
      <p className={css.state}>
        <svg viewBox="0 0 20 20" aria-hidden="true">
          {signature.isValid ? (
            <path d="m3 10.500 4.500 4.500L17 5.500" fill="none" stroke="currentColor" strokeWidth="3" />
          ) : (
            <path d="m4 4 12 12M16 4 4 16" fill="none" stroke="currentColor" strokeWidth="3" />
          )}
        </svg>
        {signature.isValid ? t("holds") : t("holdsNoMore")}
      </p>
      <p className={css.name}>{signature.signerName}</p>
      <p>{t(`meaning.${signature.meaning}`)}</p>
      <p>
        <time dateTime={signature.signedAt.toISOString()}>{`${dateAndTime(at, zone)} ${offsetOf(at, zone)}`}</time>
      </p>
      {signature.comment !== null && <blockquote>{signature.comment}</blockquote>}
      <figcaption>
        {t("boundTo")} <code>{`${signature.contentHash.slice(0, 16)}…`}</code>
      </figcaption>
    </figure>
  );
}

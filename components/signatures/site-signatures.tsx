"use client";
import { useQuery } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { AuditTabs } from "#/components/audit/audit-tabs.tsx";
import { PageHead } from "#/components/frame/page-head.tsx";
import { useSite } from "#/components/frame/sites.tsx";
import { useTRPC } from "#/components/frame/trpc.ts";
import { QueryState } from "#/components/ui/query-state.tsx";
import { SignaturePanel } from "./signature-panel.tsx";
import css from "./signatures.module.css";

/** Each site's configuration with its signatures: whether what runs now is what somebody has approved. */
export function SiteSignatures() {
  const t = useTranslations("signatures");
  const trpc = useTRPC();
  const [site] = useSite();
  const query = useQuery(trpc.audit.sites.queryOptions());
  const sites = query.data?.filter(({ key }) => site === null || key === site) ?? [];
  return (
    <>
      <PageHead title={t("title")} what={t("what")} />
      <AuditTabs here="signatures" />
      <QueryState query={query}>
        {sites.length === 0 && <p>{t("noSite")}</p>}
        <div className={css.sites}>
          {sites.map(({ id, name, zone }) => (
            <section key={id} className={css.card} aria-labelledby={`site-${id}`}>
              <h2 id={`site-${id}`}>{`${t("kind.site_configuration")} ${name}`}</h2>
              <SignaturePanel kind="site_configuration" id={String(id)} zone={zone} maySign />
            </section>
          ))}
        </div>
      </QueryState>
    </>
  );
}

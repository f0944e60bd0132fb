"use client";
import { Button } from "@mantine/core";
import { IconDownload, IconFileImport, IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { PageHead } from "#/components/frame/page-head.tsx";
import { useMay } from "#/components/frame/permissions.tsx";
import { useSite } from "#/components/frame/sites.tsx";
import { useTRPC } from "#/components/frame/trpc.ts";
import { QueryState } from "#/components/ui/query-state.tsx";
import type { PlantTree } from "#/server/plant/edit-types.ts";
import { Below } from "./below.tsx";
import { newPathOf, pathOf } from "./forms.ts";
import css from "./plant-home.module.css";

/** The whole plant: its sites down to the machines, and what all sites share. */
export function PlantHome() {
  const t = useTranslations("plant");
  const trpc = useTRPC();
  const may = useMay();
  const [only] = useSite();
  const query = useQuery(trpc.plant.tree.queryOptions());
  const tree = query.data;
  const enterprise = tree?.enterprise ?? null;
  const mayShared = may("catalogue.change");
  const sites = tree?.sites.filter(({ key }) => only === null || key === only) ?? [];
  return (
    <>
      <PageHead
        title={enterprise?.name ?? t("title")}
        what={t("what")}
        actions={
          <>
            {may("plant.change") && (
              <Button component={Link} href="/plant/import" variant="default" leftSection={<IconFileImport size={18} />}>
                {t("import")}
              </Button>
            )}
            {mayShared && may("money.read") && (
              <Button component="a" href="/plant/export" download="plant.yaml" variant="default" leftSection={<IconDownload size={18} />}>
                {t("exportYaml")}
              </Button>
            )}
            {mayShared && enterprise && (
              <Button component={Link} href={newPathOf("site", enterprise.key)} leftSection={<IconPlus size={18} />}>
                {t("kinds.site.add")}
              </Button>
            )}
          </>
        }
      />
      <QueryState query={query} lines={8}>
        {tree && (
          <div className={css.page}>
            {enterprise === null && (
              <section className={css.begin}>
                <h2>{t("beginTitle")}</h2>
                <p>{t("beginWhat")}</p>
                {mayShared && (
                  <Button component={Link} href={newPathOf("enterprise", "")} size="md">
                    {t("beginButton")}
                  </Button>
                )}
              </section>
            )}
            {enterprise !== null && sites.length === 0 && (
              <section className={css.begin}>
                <h2>{t("noSiteTitle")}</h2>
                <p>{t("noSiteWhat")}</p>
              </section>
            )}
            {sites.map((site) => (
              <SiteCard key={site.address} site={site} />
            ))}
            {enterprise !== null && (
              <>
                <Below kind="product_line" under={enterprise.key} mayChange={mayShared} />
                {may("money.read") && <Below kind="currency_rate" under={enterprise.key} mayChange={mayShared} />}
                <p className={css.shared}>
                  <Link href={pathOf("enterprise", enterprise.key)}>{t("aboutEnterprise")}</Link>
                </p>
              </>
            )}
          </div>
        )}
      </QueryState>
    </>
  );
}

const onSite = ["shift_pattern", "calendar_entry", "reason", "team", "source", "device"] as const;

function SiteCard({ site }: { site: PlantTree["sites"][number] }) {
  const t = useTranslations("plant");
  return (
    <section className={css.site} aria-labelledby={`site-${site.key}`}>
      <header>
        <div>
          <h2 id={`site-${site.key}`}>
            <Link href={pathOf("site", site.address)}>{site.name}</Link>
          </h2>
          <p>{[site.zone.replaceAll("_", " "), site.currency].filter(Boolean).join(" · ")}</p>
        </div>
        {site.mayChange && (
          <Button component={Link} href={newPathOf("area", site.address)} size="sm" variant="light" leftSection={<IconPlus size={16} />}>
            {t("kinds.area.add")}
          </Button>
        )}
      </header>
      <div className={css.tree}>
        {site.areas.length === 0 && <p className={css.empty}>{t("kinds.area.none")}</p>}
        {site.areas.map((area) => (
          <div key={area.address} className={css.area}>
            <h3>
              <Link href={pathOf("area", area.address)}>{area.name}</Link>
              {site.mayChange && (
                <Button component={Link} href={newPathOf("line", area.address)} size="compact-sm" variant="subtle" leftSection={<IconPlus size={14} />}>
                  {t("kinds.line.add")}
                </Button>
              )}
            </h3>
            {area.lines.length === 0 && <p className={css.empty}>{t("kinds.line.none")}</p>}
            <ul className={css.lines}>
              {area.lines.map((line) => (
                <li key={line.address}>
                  <p>
                    <Link href={pathOf("line", line.address)}>{line.name}</Link> <span>{t(`choice.topology.${line.topology}`)}</span>
                  </p>
                  <ul className={css.machines}>
                    {line.machines.map((machine) => (
                      <li key={machine.address}>
                        <Link href={pathOf("machine", machine.address)}>
                          {machine.name} <small>{t("signals", { n: machine.signals })}</small>
                        </Link>
                      </li>
                    ))}
                    {site.mayChange && (
                      <li>
                        <Link href={newPathOf("machine", line.address)} className={css.add} aria-label={t("addMachineTo", { line: line.name })}>
                          <IconPlus size={14} aria-hidden="true" /> {t("kinds.machine.add")}
                        </Link>
                      </li>
                    )}
                  </ul>
                </li>
              ))}
            </ul>
          </div>
        ))}
      </div>
      <ul className={css.counts}>
        {onSite.map((kind) => (
          <li key={kind}>
            <Link href={`${pathOf("site", site.address)}#below-${kind}`}>
              <b>{site.counts[kind] ?? 0}</b> {t(`kinds.${kind}.many`)}
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}

"use client";
import { Button, Menu, UnstyledButton } from "@mantine/core";
import { IconChevronRight, IconDownload } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useSearchParams } from "next/navigation";
import { useTranslations } from "next-intl";
import { Fragment, useState } from "react";
import { PageHead } from "#/components/frame/page-head.tsx";
import { useTRPC } from "#/components/frame/trpc.ts";
import { dateAndTime, offsetOf } from "#/components/ui/clock.ts";
import { QueryState } from "#/components/ui/query-state.tsx";
import { useUrlState } from "#/components/ui/use-url-state.ts";
import css from "./audit.module.css";
import { AuditTabs } from "./audit-tabs.tsx";
import { type EntryData, instantOf, type SiteData, zoneOf } from "./entry.ts";
import { EntryFacts } from "./entry-facts.tsx";
import { filterOf, onwards, type TrailFilter } from "./trail-filter.ts";
import { TrailFilters } from "./trail-filters.tsx";
import { useAuditWords } from "./words.ts";

/** Who did what, when, from where and why. */
export function AuditTrail() {
  const t = useTranslations("audit");
  const trpc = useTRPC();
  const parameters = useSearchParams();
  const sites = useQuery(trpc.audit.sites.queryOptions());
  const filter = filterOf((name) => parameters.get(name), sites.data ?? []);
  const { zone } = filter;
  const query = useInfiniteQuery(trpc.audit.entries.infiniteQueryOptions(filter, onwards));
  const entries = query.data?.pages.flatMap((page) => page.entries) ?? [];
  const names = Object.assign({}, ...(query.data?.pages.map((page) => page.names) ?? [])) as Names;
  const lookedBackTo = query.data?.pages.at(-1)?.lookedBackTo ?? null;
  return (
    <>
      <PageHead title={t("title")} what={t("what")} actions={<ExportMenu filter={filter} />} />
      <AuditTabs here="trail" />
      <section className={css.card}>
        <TrailFilters zone={zone} />
        <QueryState query={query} lines={8}>
          {entries.length === 0 ? (
            <p className={css.none}>{lookedBackTo === null ? t("nothing") : t("nothingYet")}</p>
          ) : (
            <Entries entries={entries} sites={sites.data ?? []} names={names} zone={zone} />
          )}
          <div className={css.foot} role="status">
            {lookedBackTo !== null && (
              <p>{t("lookedBackTo", { at: `${dateAndTime(Date.parse(lookedBackTo), zone)} ${offsetOf(Date.parse(lookedBackTo), zone)}` })}</p>
            )}
            {query.hasNextPage ? (
              <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                {lookedBackTo === null ? t("older") : t("lookOn")}
              </Button>
            ) : (
              entries.length > 0 && <p>{t("allShown", { n: entries.length })}</p>
            )}
          </div>
        </QueryState>
      </section>
    </>
  );
}

function ExportMenu({ filter }: { filter: TrailFilter }) {
  const t = useTranslations("audit");
  const address = (format: string) => {
    const parameters = new URLSearchParams({ format });
    for (const [name, value] of Object.entries(filter)) if (value !== null && value !== "") parameters.set(name, value);
    return `/audit/export?${parameters}`;
  };
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="default" leftSection={<IconDownload size={16} />}>
          {t("export")}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t("exportWhat")}</Menu.Label>
        <Menu.Item component="a" href={address("csv")} download>
          {t("csv")}
        </Menu.Item>
        <Menu.Item component="a" href={address("xlsx")} download>
          {t("xlsx")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

type Names = Readonly<Record<string, string>>;

function Entries({ entries, zone, ...known }: { entries: readonly EntryData[]; sites: readonly SiteData[]; names: Names; zone: string }) {
  const t = useTranslations("audit");
  return (
    <div className={css.scroll}>
      <table className={css.table} aria-label={t("title")}>
        <thead>
          <tr>
            <th scope="col">{t("when")}</th>
            <th scope="col">{t("who")}</th>
            <th scope="col">{t("did")}</th>
            <th scope="col">{t("object")}</th>
            <th scope="col">{t("site")}</th>
            <th scope="col">{t("why")}</th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <EntryRow key={`${entry.chain} ${entry.seq}`} entry={entry} listZone={zone} {...known} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** listZone: of all its rows, so that their times can be compared. */
function EntryRow({ entry, sites, names, listZone }: { entry: EntryData; sites: readonly SiteData[]; names: Names; listZone: string }) {
  const t = useTranslations("audit");
  const words = useAuditWords();
  const [isOpen, setOpen] = useState(false);
  const [, setKind] = useUrlState("kind");
  const [, setId] = useUrlState("id");
  const [, setWho] = useUrlState("who");
  const zone = zoneOf(entry, sites);
  const at = instantOf(entry);
  const time = `${dateAndTime(at, listZone)} ${offsetOf(at, listZone)}`;
  const rowId = `entry-${entry.chain}-${entry.seq}`;
  return (
    <Fragment>
      <tr data-open={isOpen || undefined}>
        <td data-label={t("when")}>
          <UnstyledButton className={css.toggle} aria-expanded={isOpen} aria-controls={rowId} onClick={() => setOpen(!isOpen)}>
            <IconChevronRight size={16} aria-hidden="true" />
            <time dateTime={entry.at}>{time}</time>
          </UnstyledButton>
        </td>
        <td data-label={t("who")}>
          <UnstyledButton className={css.link} title={t("onlyBy", { name: entry.actorName })} onClick={() => setWho(entry.actorName)}>
            {entry.actorName}
          </UnstyledButton>
          {entry.actorKind !== "person" && <span className={css.sub}>{words.actor(entry.actorKind)}</span>}
        </td>
        <td data-label={t("did")}>{words.action(entry.action)}</td>
        <td data-label={t("object")}>
          <UnstyledButton
            className={css.link}
            title={t("onlyOf")}
            onClick={() => {
              setKind(entry.subjectKind);
              setId(entry.subjectId);
            }}
          >
            {entry.subjectName === null ? `${words.kind(entry.subjectKind)} ${entry.subjectId}` : words.subject(entry.subjectKind, entry.subjectName)}
          </UnstyledButton>
          {entry.subjectName !== null && <span className={css.sub}>{words.kind(entry.subjectKind)}</span>}
        </td>
        <td data-label={t("site")}>
          {entry.chain === 0 ? t("allSites") : (sites.find(({ id }) => id === entry.chain)?.name ?? t("goneSite", { id: String(entry.chain) }))}
        </td>
        <td data-label={t("why")} className={css.whyCell}>
          {entry.why}
        </td>
      </tr>
      {isOpen && (
        <tr className={css.detail} id={rowId}>
          <td colSpan={6}>
            <EntryFacts entry={entry} zone={zone} names={names} />
          </td>
        </tr>
      )}
    </Fragment>
  );
}

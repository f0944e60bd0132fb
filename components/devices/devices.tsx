"use client";
import { Button, Menu, Select } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { inferRouterOutputs } from "@trpc/server";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { PageHead } from "#/components/frame/page-head.tsx";
import { useMay } from "#/components/frame/permissions.tsx";
import { useSite } from "#/components/frame/sites.tsx";
import { useTRPC } from "#/components/frame/trpc.ts";
import { newPathOf, pathOf } from "#/components/plant/forms.ts";
import { type Column, DataTable } from "#/components/ui/data-table.tsx";
import { QueryState } from "#/components/ui/query-state.tsx";
import { useNow } from "#/components/ui/use-now.ts";
import { useUrlState } from "#/components/ui/use-url-state.ts";
import type { AppRouter } from "#/server/router.ts";
import { CertificateMark, certificateOrder, needsLook } from "./certificate-state.tsx";
import css from "./devices.module.css";
import { useDeviceWords } from "./use-device-words.ts";

export type DeviceShown = inferRouterOutputs<AppRouter>["devices"]["list"]["devices"][number];

/** What a device sends counts within the minute. */
export const againEveryMs = 15_000;

/** Who connects to the broker, at all of one's sites: when each was last heard, and how its certificate stands. */
export function Devices() {
  const t = useTranslations("devices");
  const trpc = useTRPC();
  const may = useMay();
  const [only] = useSite();
  const [asked, setAsked] = useUrlState("certificate");
  const list = useQuery(trpc.devices.list.queryOptions(undefined, { refetchInterval: againEveryMs }));
  const tree = useQuery(trpc.plant.tree.queryOptions());
  const now = useNow(list.data?.at ?? 0);
  const words = useDeviceWords(now);
  const state = certificateOrder.find((one) => one === asked) ?? null;
  const ofSites = (list.data?.devices ?? []).filter(({ siteKey }) => only === null || siteKey === only);
  const rows = ofSites.filter(({ certificate }) => state === null || certificate === state);
  const sites = (tree.data?.sites ?? []).filter(({ id, key }) => may("device.change", id) && (only === null || key === only));
  const columns: Column<DeviceShown>[] = [
    {
      key: "name",
      header: t("name"),
      value: (row) => `${row.name} ${row.siteName}`,
      cell: (row) => (
        <div>
          <Link href={pathOf("device", row.address)}>
            <bdi>{row.name}</bdi>
          </Link>
          <span className={css.sub}>{row.siteName}</span>
        </div>
      ),
    },
    { key: "identity", header: t("identity"), value: (row) => row.identity, cell: (row) => <code className={css.code}>{row.identity}</code>, isWide: true },
    {
      key: "seen",
      header: t("seen"),
      value: (row) => row.lastSeenAt,
      cell: (row) => <span suppressHydrationWarning>{words.seen(row)}</span>,
    },
    {
      key: "certificate",
      header: t("certificateHead"),
      isWide: true,
      value: (row) => t(`certificate.${row.certificate}`),
      cell: (row) => (
        <div>
          <CertificateMark state={row.certificate} />
          {row.expiresAt !== null && <span className={css.sub}>{words.ends(row)}</span>}
        </div>
      ),
    },
    {
      key: "fingerprint",
      header: t("fingerprint"),
      isWide: true,
      value: (row) => row.fingerprint,
      cell: (row) => (row.fingerprint === null ? "–" : <code title={row.fingerprint}>{`${row.fingerprint.slice(0, 8)}…${row.fingerprint.slice(-4)}`}</code>),
    },
    { key: "firmware", header: t("firmware"), value: (row) => row.firmware || null },
  ];
  return (
    <>
      <PageHead title={t("title")} what={t("what")} actions={<AddDevice sites={sites} label={t("add")} />} />
      <section className={css.card}>
        <QueryState query={list}>
          <DataTable
            name="devices"
            label={t("title")}
            rows={rows}
            columns={columns}
            rowKey={(row) => row.id}
            empty={state === null ? t("none") : t("noneOfState")}
            isAlert={(row) => needsLook(row.certificate)}
            filters={
              ofSites.length > 0 && (
                <Select
                  size="sm"
                  aria-label={t("certificateHead")}
                  placeholder={t("anyCertificate")}
                  clearable
                  clearButtonProps={{ "aria-label": t("anyCertificate") }}
                  value={state}
                  onChange={setAsked}
                  data={certificateOrder.map((value) => ({ value, label: t(`certificate.${value}`) }))}
                />
              )
            }
          />
        </QueryState>
      </section>
    </>
  );
}

/** A device belongs to a site: where there are several, which is asked first. */
function AddDevice({ sites, label }: { sites: readonly { key: string; name: string }[]; label: string }) {
  const [first, second] = sites;
  const icon = <IconPlus size={18} />;
  if (!first) return null;
  if (!second)
    return (
      <Button component={Link} href={newPathOf("device", first.key)} leftSection={icon}>
        {label}
      </Button>
    );
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button leftSection={icon}>{label}</Button>
      </Menu.Target>
      <Menu.Dropdown>
        {sites.map(({ key, name }) => (
          <Menu.Item key={key} component={Link} href={newPathOf("device", key)}>
            {name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

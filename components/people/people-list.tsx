"use client";
import { Button, NativeSelect } from "@mantine/core";
import { IconUserPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { PageHead } from "#/components/frame/page-head.tsx";
import { useMay } from "#/components/frame/permissions.tsx";
import { useSite } from "#/components/frame/sites.tsx";
import { useTRPC } from "#/components/frame/trpc.ts";
import { type Column, DataTable } from "#/components/ui/data-table.tsx";
import { QueryState } from "#/components/ui/query-state.tsx";
import { useAge } from "#/components/ui/use-age.ts";
import { useNow } from "#/components/ui/use-now.ts";
import { useUrlState } from "#/components/ui/use-url-state.ts";
import { roles } from "#/server/domain/permission.ts";
import type { ListedPerson } from "#/server/people/administration.ts";
import css from "./people.module.css";
import { Roles, State, useMembershipWords } from "./person-words.tsx";

const againEveryMs = 60_000;

/** Who works here, what they may, and whether they get in. */
export function PeopleList() {
  const t = useTranslations("people");
  const roleName = useTranslations("roles");
  const age = useAge();
  const may = useMay();
  const trpc = useTRPC();
  const [site] = useSite();
  const [chosen, setRole] = useUrlState("role");
  const role = roles.find((known) => known === chosen) ?? null;
  const query = useQuery(trpc.people.list.queryOptions({ site, role }, { refetchInterval: againEveryMs, placeholderData: (before) => before }));
  const sites = query.data?.sites ?? [];
  const words = useMembershipWords(sites);
  const now = useNow(query.data?.at ?? 0);

  const columns: Column<ListedPerson>[] = [
    {
      key: "name",
      header: t("name"),
      value: (person) => `${person.name} ${person.email ?? ""} ${person.username ?? ""}`,
      cell: (person) => (
        <div>
          <Link href={`/people/${person.id}`} className={css.name}>
            {person.name}
          </Link>
          <span className={css.sub}>{person.email ?? person.username}</span>
        </div>
      ),
    },
    {
      key: "roles",
      header: t("roles"),
      isWide: true,
      value: (person) => person.memberships.map(words).join("; "),
      cell: (person) => <Roles person={person} sites={sites} />,
    },
    { key: "state", header: t("stateLabel"), value: (person) => t(`state.${person.state}`), cell: (person) => <State state={person.state} /> },
    { key: "factor", header: t("secondFactor"), value: (person) => t(person.secondFactor ? "on" : "off") },
    {
      key: "seen",
      header: t("seen"),
      value: (person) => person.seenAt,
      isNumber: true,
      cell: (person) => (person.seenAt === null ? t("notSignedIn") : t("ago", { age: age(now - person.seenAt) })),
    },
  ];
  const rows = query.data?.people ?? [];
  const total = query.data?.total ?? 0;
  return (
    <>
      <PageHead
        title={t("title")}
        what={t("what")}
        actions={
          may("person.change") && (
            <Button component={Link} href="/people/new" leftSection={<IconUserPlus size={20} />}>
              {t("new")}
            </Button>
          )
        }
      />
      <QueryState query={query} lines={8}>
        {total > rows.length && <p className={css.dim}>{t("onlyFirst", { n: rows.length, of: total })}</p>}
        <DataTable
          name="people"
          label={t("title")}
          rows={rows}
          columns={columns}
          rowKey={(person) => person.id}
          filters={
            <NativeSelect
              size="sm"
              aria-label={t("onlyRole")}
              value={role ?? ""}
              onChange={(event) => setRole(event.currentTarget.value || null)}
              data={[{ value: "", label: t("anyRole") }, ...roles.map((known) => ({ value: known, label: roleName(known) }))]}
            />
          }
          empty={role === null && site === null ? t("none") : t("noneSuch")}
        />
      </QueryState>
    </>
  );
}

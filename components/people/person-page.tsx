"use client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { inferRouterOutputs } from "@trpc/server";
import { useTranslations } from "next-intl";
import { ObjectHistory } from "#/components/audit/object-history.tsx";
import { PageHead } from "#/components/frame/page-head.tsx";
import { useMay } from "#/components/frame/permissions.tsx";
import { useTRPC } from "#/components/frame/trpc.ts";
import { Held } from "#/components/ui/held.tsx";
import { QueryState } from "#/components/ui/query-state.tsx";
import type { AppRouter } from "#/server/router.ts";
import css from "./people.module.css";
import { PersonAccess } from "./person-access.tsx";
import { PersonForm } from "./person-form.tsx";
import { PersonSessions } from "./person-sessions.tsx";
import { Roles, State, useMembershipWords } from "./person-words.tsx";

export type Person = inferRouterOutputs<AppRouter>["people"]["show"];

/** One person: what they may, how they get in, and where they are signed in. */
export function PersonPage({ id }: { id: string }) {
  const t = useTranslations("people");
  const may = useMay();
  const trpc = useTRPC();
  const query = useQuery(trpc.people.show.queryOptions({ id }));
  const person = query.data;
  return (
    <>
      <PageHead crumbs={[{ name: t("title"), path: "/people" }]} title={person?.name ?? t("person")} what={person && <State state={person.state} />} />
      <QueryState query={query} lines={6}>
        {person && (
          <div className={css.columns}>
            <div className={css.stack}>
              <section className={css.card}>
                <h2>{t("whoAndWhat")}</h2>
                {person.mine === "nothing" ? (
                  <Facts person={person} />
                ) : (
                  <Held of={person} version={person.version}>
                    {(held) => <Editor person={held} />}
                  </Held>
                )}
              </section>
              {may("history.read") && (
                <section className={css.card}>
                  <h2>{t("history")}</h2>
                  <ObjectHistory kind="person" id={person.id} />
                </section>
              )}
            </div>
            <div className={css.stack}>
              <PersonAccess person={person} />
              {person.mine === "all" && <PersonSessions person={person} />}
            </div>
          </div>
        )}
      </QueryState>
    </>
  );
}

/** For who may look and not change. */
function Facts({ person }: { person: Person }) {
  const t = useTranslations("people");
  return (
    <dl className={css.facts}>
      <dt>{t("email")}</dt>
      <dd>{person.email ?? "–"}</dd>
      <dt>{t("username")}</dt>
      <dd>{person.username ?? "–"}</dd>
      <dt>{t("roles")}</dt>
      <dd>
        <Roles person={person} sites={person.sites} />
      </dd>
    </dl>
  );
}

function Editor({ person }: { person: Person }) {
  const t = useTranslations("people");
  const trpc = useTRPC();
  const queries = useQueryClient();
  const places = useQuery(trpc.people.places.queryOptions());
  const change = useMutation(trpc.people.change.mutationOptions());
  const words = useMembershipWords(person.sites);
  const ours = places.data;
  const isOurs = ({ siteId, fromProvider }: Person["memberships"][number]) =>
    !fromProvider && (ours?.everywhere === true || (siteId !== null && ours?.places.some((place) => place.siteId === siteId) === true));
  const others = person.memberships.filter((membership) => !isOurs(membership));
  return (
    <QueryState query={places} lines={5}>
      {ours && (
        <>
          <PersonForm
            initial={{
              name: person.name,
              email: person.email ?? "",
              username: person.username ?? "",
              memberships: person.memberships.filter(isOurs).map(({ role, siteId, lineIds }) => ({ role, siteId, lineIds })),
            }}
            version={person.version}
            places={ours}
            onlyRoles={person.whyNotAll}
            save={(values, version) => change.mutateAsync({ id: person.id, version: version ?? person.version, values })}
            onSaved={() => queries.invalidateQueries({ queryKey: trpc.people.pathKey() })}
          />
          {(others.length > 0 || person.isElsewhere) && (
            <p className={css.dim} style={{ marginTop: 16 }}>
              {t("alsoHolds")}{" "}
              {[
                ...others.map((one) => (one.fromProvider ? t("fromProvider", { role: words(one) }) : words(one))),
                ...(person.isElsewhere ? [t("elsewhere")] : []),
              ].join("; ")}
            </p>
          )}
        </>
      )}
    </QueryState>
  );
}

"use client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { PageHead } from "#/components/frame/page-head.tsx";
import { useTRPC } from "#/components/frame/trpc.ts";
import { QueryState } from "#/components/ui/query-state.tsx";
import css from "./people.module.css";
import { PersonForm } from "./person-form.tsx";

/** Somebody new: who they are and what they may; how they get in comes after. */
export function NewPerson() {
  const t = useTranslations("people");
  const trpc = useTRPC();
  const router = useRouter();
  const queries = useQueryClient();
  const places = useQuery(trpc.people.places.queryOptions());
  const create = useMutation(trpc.people.create.mutationOptions());
  return (
    <>
      <PageHead crumbs={[{ name: t("title"), path: "/people" }]} title={t("new")} what={t("newWhat")} />
      <section className={css.card} style={{ maxWidth: 860 }}>
        <QueryState query={places} lines={5}>
          {places.data && (
            <PersonForm
              initial={{ name: "", email: "", username: "", memberships: [] }}
              version={null}
              places={places.data}
              onlyRoles={null}
              save={(values) => create.mutateAsync({ values })}
              onSaved={({ id }) => {
                void queries.invalidateQueries({ queryKey: trpc.people.pathKey() });
                router.push(`/people/${id}`);
              }}
              onCancel={() => router.push("/people")}
              saveLabel={t("create")}
            />
          )}
        </QueryState>
      </section>
    </>
  );
}

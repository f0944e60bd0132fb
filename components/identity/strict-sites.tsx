"use client";
import { Switch } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { useTRPC } from "#/components/frame/trpc.ts";
import { QueryState } from "#/components/ui/query-state.tsx";
import css from "./account.module.css";

/** Which sites ask their administrators for a second factor, for who decides that. */
export function StrictSites() {
  const t = useTranslations("identity.strict");
  const trpc = useTRPC();
  const queries = useQueryClient();
  const sites = useQuery(trpc.signInRules.strictSites.queryOptions());
  const set = useMutation(
    trpc.signInRules.setStrict.mutationOptions({
      onError: (error) => notifications.show({ color: "red", message: error.message }),
      onSettled: () => void queries.invalidateQueries({ queryKey: trpc.signInRules.strictSites.queryKey() }),
    }),
  );
  return (
    <section className={css.section} style={{ maxWidth: 720, marginTop: 28 }}>
      <h2>{t("title")}</h2>
      <p>{t("what")}</p>
      <QueryState query={sites} lines={2}>
        <ul className={css.sessions} style={{ margin: 0 }}>
          {sites.data?.map((site) => (
            <li key={site.id}>
              <Switch
                size="md"
                label={<bdi>{site.name}</bdi>}
                checked={set.isPending && set.variables?.siteId === site.id ? set.variables.isStrict : site.isStrict}
                disabled={set.isPending}
                onChange={(event) => set.mutate({ siteId: site.id, isStrict: event.currentTarget.checked })}
              />
              <small>{t("without", { n: site.without, of: site.administrators })}</small>
            </li>
          ))}
        </ul>
      </QueryState>
    </section>
  );
}

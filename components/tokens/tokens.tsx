"use client";
import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconPlus } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import type { TRPCClientErrorLike } from "@trpc/client";
import type { inferRouterOutputs } from "@trpc/server";
import { useLocale, useTranslations } from "next-intl";
import { useState } from "react";
import { ObjectHistory } from "#/components/audit/object-history.tsx";
import { PageHead } from "#/components/frame/page-head.tsx";
import { useMay } from "#/components/frame/permissions.tsx";
import { useTRPC, useTRPCClient } from "#/components/frame/trpc.ts";
import { confirm } from "#/components/ui/confirm.tsx";
import { type Column, DataTable } from "#/components/ui/data-table.tsx";
import { errorSentence, QueryState } from "#/components/ui/query-state.tsx";
import { useAge } from "#/components/ui/use-age.ts";
import { useNow } from "#/components/ui/use-now.ts";
import { useUrlState } from "#/components/ui/use-url-state.ts";
import type { AppRouter } from "#/server/router.ts";
import { TokenDialog } from "./token-dialog.tsx";
import { type MadeToken, TokenForm } from "./token-form.tsx";
import css from "./tokens.module.css";
import { useActionName } from "./use-action-name.ts";

type TokenRow = inferRouterOutputs<AppRouter>["tokens"]["list"]["tokens"][number];
type Status = "good" | "ending" | "expired" | "revoked" | "resting";

const againEveryMs = 30_000;
/** A token that ends within two weeks wants a successor. */
const endingWithinMs = 14 * 86_400_000;
const faces: Record<Status, string> = { good: "run", ending: "starved", expired: "planned_stop", revoked: "planned_stop", resting: "down" };

function statusOf(row: TokenRow, now: number): Status {
  if (row.revokedAt !== null) return "revoked";
  if (row.expiresAt <= now) return "expired";
  if (row.isOwnerDisabled) return "resting";
  return row.expiresAt - now < endingWithinMs ? "ending" : "good";
}

/** Which other programs may ask, for what, where, until when, and whether they do. */
export function Tokens() {
  const t = useTranslations("tokens");
  const app = useTranslations("app");
  const form = useTranslations("form");
  const age = useAge();
  const locale = useLocale();
  const may = useMay();
  const trpc = useTRPC();
  const { tokens } = useTRPCClient();
  const queries = useQueryClient();
  const actionName = useActionName();
  const [open, setOpen] = useUrlState("token");
  const [isMaking, setMaking] = useState(false);
  const [made, setMade] = useState<MadeToken | null>(null);
  const list = useQuery(trpc.tokens.list.queryOptions(undefined, { refetchInterval: againEveryMs }));
  const now = useNow(list.data?.at ?? 0);
  const day = (at: number) => new Intl.DateTimeFormat(locale, { dateStyle: "medium" }).format(at);
  const placesOf = (row: TokenRow) => (row.allSites ? t("allSites") : [...row.sites, ...(row.others > 0 ? [t("others", { n: row.others })] : [])].join(", "));

  const revoke = (row: TokenRow) =>
    confirm({
      title: t("revokeTitle", { name: row.name }),
      what: t("revokeWhat"),
      yes: t("revoke"),
      no: form("cancel"),
      isDangerous: true,
      onYes: () => {
        tokens.revoke
          .mutate({ id: row.id })
          .then(() => notifications.show({ message: t("revoked", { name: row.name }), color: "green" }))
          .catch((error: TRPCClientErrorLike<AppRouter>) =>
            notifications.show({ message: errorSentence(error, app("unreachable")), color: "red", autoClose: false }),
          )
          .finally(() => void queries.invalidateQueries({ queryKey: trpc.tokens.list.queryKey() }));
      },
    });

  const columns: Column<TokenRow>[] = [
    {
      key: "name",
      header: t("name"),
      value: (row) => `${row.name} ${row.ownerName}`,
      cell: (row) => (
        <div>
          {may("history.read") ? (
            <button type="button" className={css.link} aria-expanded={open === `${row.id}`} onClick={() => setOpen(open === `${row.id}` ? null : `${row.id}`)}>
              {row.name}
            </button>
          ) : (
            <strong>{row.name}</strong>
          )}
          <span className={css.sub}>{t("madeBy", { who: row.ownerName, at: day(row.createdAt) })}</span>
        </div>
      ),
    },
    {
      key: "status",
      header: t("statusHead"),
      value: (row) => t(`status.${statusOf(row, now)}`),
      cell: (row) => (
        <div>
          <span className={css.status} data-state={faces[statusOf(row, now)]}>
            {t(`status.${statusOf(row, now)}`)}
          </span>
          {row.revokedAt === null && row.isNarrowed && !row.isOwnerDisabled && <span className={css.sub}>{t("narrowed", { who: row.ownerName })}</span>}
        </div>
      ),
    },
    { key: "sites", header: t("sites"), value: placesOf },
    {
      key: "actions",
      header: t("actions"),
      isWide: true,
      value: (row) => row.actions.map(actionName).join(", "),
      cell: (row) => (
        <ul className={css.actions}>
          {row.actions.map((action) => (
            <li key={action} title={action}>
              {actionName(action)}
            </li>
          ))}
        </ul>
      ),
    },
    {
      key: "used",
      header: t("used"),
      value: (row) => row.usedAt,
      cell: (row) =>
        row.usedAt === null ? (
          t("neverUsed")
        ) : (
          <div>
            <span suppressHydrationWarning>{t("ago", { age: age(now - row.usedAt) })}</span>
            <span className={css.sub}>{row.usedFrom}</span>
          </div>
        ),
    },
    {
      key: "expires",
      header: t("expires"),
      value: (row) => row.expiresAt,
      cell: (row) => (
        <div>
          {day(row.expiresAt)}
          {row.revokedAt === null && row.expiresAt > now && (
            <span className={css.sub} suppressHydrationWarning>
              {t("in", { age: age(row.expiresAt - now) })}
            </span>
          )}
        </div>
      ),
    },
    {
      key: "buttons",
      header: t("buttons"),
      value: () => null,
      isAction: true,
      cell: (row) =>
        row.mayRevoke &&
        row.revokedAt === null &&
        row.expiresAt > now && (
          <Button variant="default" size="sm" aria-label={t("revokeNamed", { name: row.name })} onClick={() => revoke(row)}>
            {t("revoke")}
          </Button>
        ),
    },
  ];

  return (
    <>
      <PageHead
        title={t("title")}
        what={t("what")}
        actions={
          may("token.change") && (
            <Button leftSection={<IconPlus size={18} />} onClick={() => setMaking(true)}>
              {t("new")}
            </Button>
          )
        }
      />
      <section className={css.card}>
        <QueryState query={list}>
          <DataTable
            name="tokens"
            label={t("title")}
            rows={list.data?.tokens ?? []}
            columns={columns}
            rowKey={(row) => row.id}
            empty={t("empty")}
            isAlert={(row) => statusOf(row, now) === "resting"}
            detail={(row) =>
              open === `${row.id}` && (
                <div className={css.detail}>
                  <h3>{t("history")}</h3>
                  <ObjectHistory kind="api_token" id={`${row.id}`} />
                </div>
              )
            }
          />
        </QueryState>
      </section>
      <p className={css.help}>
        {t("how")} <a href="/api/v1/openapi.json">/api/v1/openapi.json</a>
      </p>
      {isMaking && (
        <TokenForm
          onClose={() => setMaking(false)}
          onMade={(token) => {
            setMaking(false);
            setMade(token);
          }}
        />
      )}
      {made && <TokenDialog made={made} onClose={() => setMade(null)} />}
    </>
  );
}

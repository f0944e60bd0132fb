"use client";
import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { useTRPC } from "#/components/frame/trpc.ts";
import { confirm } from "#/components/ui/confirm.tsx";
import { QueryState } from "#/components/ui/query-state.tsx";
import { useAge } from "#/components/ui/use-age.ts";
import { useNow } from "#/components/ui/use-now.ts";
import css from "./account.module.css";
import { deviceName } from "./device-name.ts";

/** Where one is signed in, and the way to end it there. */
export function SessionsSection() {
  const t = useTranslations("identity.sessions");
  const age = useAge();
  const trpc = useTRPC();
  const queries = useQueryClient();
  const sessions = useQuery(trpc.account.sessions.queryOptions());
  const now = useNow(sessions.dataUpdatedAt);
  const again = () => void queries.invalidateQueries({ queryKey: trpc.account.sessions.queryKey() });
  const onError = (error: { message: string }) => {
    notifications.show({ color: "red", message: error.message });
    again();
  };
  const end = useMutation(trpc.account.endSession.mutationOptions({ onSuccess: again, onError }));
  const endOthers = useMutation(
    trpc.account.endOtherSessions.mutationOptions({
      onSuccess: (n) => {
        notifications.show({ color: "teal", message: t("endedAll", { n }) });
        again();
      },
      onError,
    }),
  );
  const others = sessions.data?.filter((session) => !session.isThis).length ?? 0;
  return (
    <section className={css.section}>
      <h2>{t("title")}</h2>
      <p>{t("what")}</p>
      <QueryState query={sessions}>
        <ul className={css.sessions}>
          {sessions.data?.map((session) => (
            <li key={session.id}>
              <div>
                <b>{session.terminal ?? deviceName(session.userAgent) ?? t("unknown")}</b>
                {session.isThis && <span className={css.here}>{t("here")}</span>}
                <small>
                  {[
                    t("seen", { ago: age(now - session.seenAt.getTime()) }),
                    session.address ?? t("noAddress"),
                    t(`method.${session.method}`),
                    session.hasSecondFactor ? t("secondFactor") : null,
                  ]
                    .filter((part) => part !== null)
                    .join(" · ")}
                </small>
              </div>
              {!session.isThis && (
                <Button
                  variant="default"
                  size="sm"
                  className={css.touch}
                  loading={end.isPending && end.variables?.id === session.id}
                  aria-label={t("endOf", { device: session.terminal ?? deviceName(session.userAgent) ?? t("unknown") })}
                  onClick={() => end.mutate({ id: session.id })}
                >
                  {t("end")}
                </Button>
              )}
            </li>
          ))}
        </ul>
      </QueryState>
      <div className={css.buttons}>
        <Button
          variant="default"
          loading={endOthers.isPending}
          disabled={others === 0}
          onClick={() => confirm({ title: t("askAll"), what: t("askAllWhat"), yes: t("endAll"), no: t("cancel"), onYes: () => endOthers.mutate() })}
        >
          {t("endAll")}
        </Button>
        <Button component="a" href="/sign-out" variant="default">
          {t("signOut")}
        </Button>
      </div>
    </section>
  );
}

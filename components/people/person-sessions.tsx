"use client";
import { Alert, Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { useTRPC } from "#/components/frame/trpc.ts";
import { errorSentence } from "#/components/ui/query-state.tsx";
import css from "./people.module.css";
import type { Person } from "./person-page.tsx";
import { useMoment } from "./person-words.tsx";

/** Where the person is signed in. */
export function PersonSessions({ person }: { person: Person }) {
  const t = useTranslations("people");
  const app = useTranslations("app");
  const trpc = useTRPC();
  const queries = useQueryClient();
  const moment = useMoment();
  const end = useMutation(trpc.people.endSessions.mutationOptions({ onSettled: () => queries.invalidateQueries({ queryKey: trpc.people.pathKey() }) }));
  return (
    <section className={css.card}>
      <h2>{t("sessions")}</h2>
      {person.sessions.length === 0 ? (
        <p className={css.dim}>{t("noSessions")}</p>
      ) : (
        <>
          <ul className={css.sessions} suppressHydrationWarning>
            {person.sessions.map((session) => (
              <li key={session.id}>
                <div>
                  {browserOf(session.userAgent) ?? t("unknownBrowser")}
                  {session.terminal !== null && ` · ${t("terminal", { name: session.terminal })}`}
                  <span className={css.sub}>
                    {session.address ? t("seenFrom", { at: moment(session.seenAt), address: session.address }) : t("seenAt", { at: moment(session.seenAt) })}
                  </span>
                </div>
                <Button
                  variant="default"
                  size="xs"
                  aria-label={t("endSessionOf", { browser: browserOf(session.userAgent) ?? t("unknownBrowser"), at: moment(session.seenAt) })}
                  onClick={() => end.mutate({ id: person.id, sessionId: session.id })}
                >
                  {t("endSession")}
                </Button>
              </li>
            ))}
          </ul>
          <Button variant="default" loading={end.isPending} onClick={() => end.mutate({ id: person.id, sessionId: null })}>
            {t(person.isSelf ? "endOthers" : "endAll")}
          </Button>
        </>
      )}
      {end.error && (
        <Alert mt="md" variant="light" color="red" role="alert">
          {errorSentence(end.error, app("unreachable"))}
        </Alert>
      )}
    </section>
  );
}

/** What people call their browser and system; null where it does not say. */
function browserOf(userAgent: string | null): string | null {
  if (userAgent === null || userAgent === "") return null;
  const browser = [
    [/Edg\//, "Edge"],
    [/OPR\//, "Opera"],
    [/Firefox\//, "Firefox"],
    [/Chrome\//, "Chrome"],
    [/Safari\//, "Safari"],
  ].find(([sign]) => (sign as RegExp).test(userAgent))?.[1];
  const system = [
    [/Android/, "Android"],
    [/iPhone|iPad/, "iOS"],
    [/Windows/, "Windows"],
    [/Mac OS X/, "macOS"],
    [/Linux/, "Linux"],
  ].find(([sign]) => (sign as RegExp).test(userAgent))?.[1];
  return [browser, system].filter(Boolean).join(", ") || null;
}

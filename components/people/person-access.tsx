"use client";
import { Alert, Button, Checkbox, CopyButton } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { useState } from "react";
import { useTRPC } from "#/components/frame/trpc.ts";
import { confirm } from "#/components/ui/confirm.tsx";
import { errorSentence } from "#/components/ui/query-state.tsx";
import css from "./people.module.css";
import type { Person } from "./person-page.tsx";
import { useMoment } from "./person-words.tsx";

/** How the person gets in, and what helps when they do not. */
export function PersonAccess({ person }: { person: Person }) {
  const t = useTranslations("people");
  const moment = useMoment();
  const ways = [...(person.hasPassword ? [t("byPassword")] : []), ...person.providers.map(() => t("byProvider")), ...(person.hasPin ? [t("byPin")] : [])];
  return (
    <section className={css.card}>
      <h2>{t("access")}</h2>
      <dl className={css.facts} suppressHydrationWarning>
        <dt>{t("signsInBy")}</dt>
        <dd>{ways.length > 0 ? ways.join(", ") : t("noWayYet")}</dd>
        <dt>{t("secondFactor")}</dt>
        <dd>{t(person.secondFactor ? "on" : "off")}</dd>
        {person.linkUntilAt !== null && person.linkPurpose !== null && (
          <>
            <dt>{t(`link.${person.linkPurpose}`)}</dt>
            <dd>{t("goodUntil", { at: moment(person.linkUntilAt) })}</dd>
          </>
        )}
        {person.lockedUntilAt !== null && (
          <>
            <dt>{t("locked")}</dt>
            <dd>{t("until", { at: moment(person.lockedUntilAt) })}</dd>
          </>
        )}
      </dl>
      {person.mine === "all" && <Help person={person} />}
    </section>
  );
}

function Help({ person }: { person: Person }) {
  const t = useTranslations("people");
  const form = useTranslations("form");
  const app = useTranslations("app");
  const trpc = useTRPC();
  const queries = useQueryClient();
  const [said, setSaid] = useState<{ ok: boolean; sentence: string } | null>(null);
  const options = {
    onMutate: () => setSaid(null),
    onError: (error: Parameters<typeof errorSentence>[0]) => setSaid({ ok: false, sentence: errorSentence(error, app("unreachable")) }),
    onSettled: () => queries.invalidateQueries({ queryKey: trpc.people.pathKey() }),
  };
  const done = (sentence: string) => ({ ...options, onSuccess: () => setSaid({ ok: true, sentence }) });
  const disable = useMutation(trpc.people.disable.mutationOptions(done(t("disabled", { name: person.name }))));
  const enable = useMutation(trpc.people.enable.mutationOptions(done(t("enabled", { name: person.name }))));
  const takeFactor = useMutation(trpc.people.takeSecondFactor.mutationOptions(done(t("factorTaken", { name: person.name }))));
  const unlock = useMutation(trpc.people.unlock.mutationOptions(done(t("unlocked", { name: person.name }))));
  const { id, name } = person;

  const ask = (key: "disable" | "takeFactor", onYes: () => void) =>
    confirm({ title: t(`ask.${key}.title`, { name }), what: t(`ask.${key}.what`, { name }), yes: t(key), no: form("cancel"), isDangerous: true, onYes });

  return (
    <>
      {person.state !== "disabled" && <GiveLink person={person} />}
      <div className={css.buttons}>
        {person.state === "active" && (
          <Button variant="default" loading={unlock.isPending} onClick={() => unlock.mutate({ id })}>
            {t("unlock")}
          </Button>
        )}
        {person.secondFactor && (
          <Button variant="default" loading={takeFactor.isPending} onClick={() => ask("takeFactor", () => takeFactor.mutate({ id }))}>
            {t("takeFactor")}
          </Button>
        )}
        {person.state === "disabled" ? (
          <Button variant="default" loading={enable.isPending} onClick={() => enable.mutate({ id })}>
            {t("enable")}
          </Button>
        ) : (
          !person.isSelf && (
            <Button variant="light" color="red" loading={disable.isPending} onClick={() => ask("disable", () => disable.mutate({ id }))}>
              {t("disable")}
            </Button>
          )
        )}
      </div>
      {said && (
        <Alert mt="md" variant="light" color={said.ok ? "teal" : "red"} role={said.ok ? "status" : "alert"}>
          {said.sentence}
        </Alert>
      )}
    </>
  );
}

/** A link that opens once: shown here, to be handed on; sent by mail where that is wanted and possible. */
function GiveLink({ person }: { person: Person }) {
  const t = useTranslations("people");
  const app = useTranslations("app");
  const trpc = useTRPC();
  const queries = useQueryClient();
  const moment = useMoment();
  const mayMail = person.canMail && person.email !== null;
  const [byMail, setByMail] = useState(mayMail);
  const give = useMutation(trpc.people.giveLink.mutationOptions({ onSettled: () => queries.invalidateQueries({ queryKey: trpc.people.pathKey() }) }));
  const link = give.data;
  return (
    <div className={css.link}>
      <p className={css.dim}>{t(person.hasPassword ? "resetWhat" : "inviteWhat", { name: person.name })}</p>
      {mayMail && (
        <Checkbox label={t("byMail", { address: person.email ?? "" })} checked={byMail} onChange={(event) => setByMail(event.currentTarget.checked)} />
      )}
      <div className={css.buttons}>
        <Button loading={give.isPending} onClick={() => give.mutate({ id: person.id, byMail: mayMail && byMail })}>
          {t(person.hasPassword ? "resetPassword" : "invite")}
        </Button>
      </div>
      {give.error && (
        <Alert variant="light" color="red" role="alert">
          {errorSentence(give.error, app("unreachable"))}
        </Alert>
      )}
      {link && (
        <Alert variant="light" color={link.mail?.isSent === false ? "yellow" : "teal"} role="status">
          <p>
            {link.mail === null ? t("handOn") : t(link.mail.isSent ? "mailed" : "notMailed", { address: link.mail.to })}{" "}
            {t("goodUntil", { at: moment(link.expiresAt) })}
          </p>
          <code className={css.url}>{link.url}</code>
          <CopyButton value={link.url}>
            {({ copied, copy }) => (
              <Button mt="sm" variant="default" onClick={copy}>
                {t(copied ? "copied" : "copy")}
              </Button>
            )}
          </CopyButton>
        </Alert>
      )}
    </div>
  );
}

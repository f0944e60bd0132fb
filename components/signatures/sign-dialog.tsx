"use client";
import { Alert, Button, Group, PasswordInput, Radio, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { type FormEvent, useState } from "react";
import { useTRPC } from "#/components/frame/trpc.ts";
import { FormDialog } from "#/components/ui/form-dialog.tsx";
import { errorSentence, QueryState } from "#/components/ui/query-state.tsx";
import { useAskToLeave, useUnsavedWarning } from "#/components/ui/use-unsaved-warning.ts";
import css from "./signatures.module.css";

/** What is signed. kind, id: of server/signatures; contentHash: of what the person has in front of them. */
export type SignSubject = { kind: "site_configuration"; id: string; name: string; contentHash: string };

const meanings = ["review", "approval", "authorship", "responsibility"] as const;

/** Asks for the meaning and for the signer's own password, and signs. For every page whose object can be signed. */
export function SignDialog({ subject, onClose }: { subject: SignSubject | null; onClose: () => void }) {
  const t = useTranslations("signatures");
  return (
    <FormDialog opened={subject !== null} onClose={onClose} title={t("signTitle")} size="lg" centered closeButtonProps={{ "aria-label": t("cancel") }}>
      {subject && <SignForm key={subject.contentHash} subject={subject} onClose={onClose} />}
    </FormDialog>
  );
}

function SignForm({ subject, onClose }: { subject: SignSubject; onClose: () => void }) {
  const t = useTranslations("signatures");
  const app = useTranslations("app");
  const trpc = useTRPC();
  const queries = useQueryClient();
  const ask = useQuery(trpc.signatures.ask.queryOptions(undefined, { gcTime: 0 }));
  const [meaning, setMeaning] = useState<(typeof meanings)[number] | "">("");
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const [comment, setComment] = useState("");
  const [empty, setEmpty] = useState<Partial<Record<string, string>>>({});
  const sign = useMutation(
    trpc.signatures.sign.mutationOptions({
      onSuccess: () => {
        void queries.invalidateQueries({ queryKey: trpc.signatures.pathKey() });
        onClose();
      },
      onError: (error) => {
        setPassword(""); // never sent twice by accident
        if (error.data?.kind === "CONFLICT") void queries.invalidateQueries({ queryKey: trpc.signatures.pathKey() });
      },
    }),
  );
  const isUnsaved = !sign.isPending && !sign.isSuccess && [meaning, login, password, comment].some((typed) => typed !== "");
  const askToLeave = useAskToLeave();
  useUnsavedWarning(isUnsaved);
  const needsLogin = ask.data?.needsLogin === true;
  const fields = sign.error?.data?.fields ?? [];
  const faultOf = (path: string) => empty[path] ?? fields.find((field) => field.path === path)?.sentence;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const missing = {
      ...(meaning === "" ? { meaning: t("meaningMissing") } : {}),
      ...(needsLogin && login.trim() === "" ? { login: t("loginMissing") } : {}),
      ...(password === "" ? { password: t("passwordMissing") } : {}),
    };
    setEmpty(missing);
    if (meaning === "" || Object.keys(missing).length > 0) return;
    const { kind, id, contentHash } = subject;
    sign.mutate({ kind, id, contentHash, meaning, password, comment, login: needsLogin ? login : null });
  };
  if (ask.data?.hasPassword === false)
    return (
      <Alert color="yellow" variant="light">
        {t("noPassword")}
      </Alert>
    );
  return (
    <QueryState query={ask} lines={4}>
      <form onSubmit={submit} noValidate className={css.form}>
        <Stack gap="md">
          <Text>{t("signWhat", { name: ask.data?.name ?? "", what: `${t(`kind.${subject.kind}`)} ${subject.name}` })}</Text>
          <p className={css.bound}>
            {t("boundTo")} <code>{subject.contentHash}</code>
          </p>
          <Radio.Group
            label={t("meaningAsk")}
            withAsterisk
            value={meaning}
            onChange={(value) => setMeaning(value as typeof meaning)}
            error={faultOf("meaning")}
          >
            <Stack gap={8} mt={6}>
              {meanings.map((one) => (
                <Radio key={one} value={one} label={t(`meaning.${one}`)} description={t(`meaningWhat.${one}`)} />
              ))}
            </Stack>
          </Radio.Group>
          <Textarea
            label={t("comment")}
            value={comment}
            maxLength={1_000}
            autosize
            minRows={2}
            onChange={(event) => setComment(event.currentTarget.value)}
            error={faultOf("comment")}
          />
          {needsLogin && (
            <TextInput
              label={t("login")}
              description={t("loginWhy")}
              withAsterisk
              autoComplete="username"
              value={login}
              onChange={(event) => setLogin(event.currentTarget.value)}
              error={faultOf("login")}
            />
          )}
          <PasswordInput
            label={t("password")}
            description={t("passwordWhy")}
            withAsterisk
            autoComplete="current-password"
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
            error={faultOf("password")}
            visibilityToggleButtonProps={{ "aria-label": t("showPassword") }}
          />
          {sign.error && fields.length === 0 && (
            <Alert role="alert" color="red" variant="light" title={t("notSigned")}>
              {errorSentence(sign.error, app("unreachable"))}
            </Alert>
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={() => (isUnsaved ? askToLeave(onClose) : onClose())} disabled={sign.isPending}>
              {t("cancel")}
            </Button>
            <Button type="submit" loading={sign.isPending}>
              {t("sign")}
            </Button>
          </Group>
        </Stack>
      </form>
    </QueryState>
  );
}

"use client";
import { PasswordInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { useTRPC, useTRPCClient } from "#/components/frame/trpc.ts";
import { EditForm } from "#/components/ui/edit-form.tsx";
import { useEditForm } from "#/components/ui/use-edit-form.ts";
import type { OwnAccount } from "#/server/identity/service.ts";
import css from "./account.module.css";
import { NewPassword } from "./new-password.tsx";

export function PasswordSection({ account }: { account: OwnAccount }) {
  const t = useTranslations("identity.password");
  const client = useTRPCClient();
  const trpc = useTRPC();
  const queries = useQueryClient();
  const state = useEditForm({
    initial: { present: "", password: "" },
    version: null,
    save: (values) => client.account.changePassword.mutate(values),
    onSaved: ({ ended }) => {
      state.form.setValues({ present: "", password: "" });
      state.form.resetDirty({ present: "", password: "" });
      notifications.show({ color: "teal", message: t("done", { n: ended }) });
      void queries.invalidateQueries({ queryKey: trpc.account.sessions.queryKey() });
    },
  });
  const password = state.form.getInputProps("password");
  return (
    <section className={css.section}>
      <h2>{t("title")}</h2>
      <p>{t("what")}</p>
      <div className={css.narrow}>
        <EditForm state={state} labels={{}} save={t("submit")}>
          <input type="text" name="username" autoComplete="username" value={account.email ?? account.username ?? ""} readOnly hidden />
          <PasswordInput
            label={t("present")}
            size="md"
            autoComplete="current-password"
            visibilityToggleButtonProps={{ "aria-label": t("show"), tabIndex: 0 }}
            {...state.form.getInputProps("present")}
          />
          <NewPassword label={t("chosen")} value={password.value} error={password.error} onChange={(value) => state.form.setFieldValue("password", value)} />
        </EditForm>
      </div>
    </section>
  );
}

"use client";
import { Button, PasswordInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { useTRPC, useTRPCClient } from "#/components/frame/trpc.ts";
import { EditForm } from "#/components/ui/edit-form.tsx";
import { useEditForm } from "#/components/ui/use-edit-form.ts";
import type { OwnAccount } from "#/server/identity/service.ts";
import css from "./account.module.css";

export function PinSection({ account }: { account: OwnAccount }) {
  const t = useTranslations("identity.pin");
  const client = useTRPCClient();
  const trpc = useTRPC();
  const queries = useQueryClient();
  const again = () => void queries.invalidateQueries({ queryKey: trpc.account.own.queryKey() });
  const state = useEditForm({
    initial: { present: "", pin: "" },
    version: null,
    save: (values) => client.account.choosePin.mutate(values),
    onSaved: () => {
      state.form.setValues({ present: "", pin: "" });
      state.form.resetDirty({ present: "", pin: "" });
      notifications.show({ color: "teal", message: t("done") });
      again();
    },
  });
  const remove = useMutation(
    trpc.account.removePin.mutationOptions({
      onSuccess: () => {
        notifications.show({ color: "teal", message: t("removed") });
        again();
      },
      onError: (error) => notifications.show({ color: "red", message: error.message }),
    }),
  );
  return (
    <section className={css.section}>
      <h2>{t("title")}</h2>
      <p>{account.mustChangePin ? t("mustChange") : account.hasPin ? t("has") : t("what")}</p>
      <div className={css.narrow}>
        <EditForm
          state={state}
          labels={{}}
          save={account.hasPin ? t("change") : t("choose")}
          others={
            account.hasPin && (
              <Button variant="subtle" color="red" loading={remove.isPending} onClick={() => remove.mutate()}>
                {t("remove")}
              </Button>
            )
          }
        >
          <PasswordInput
            label={t("present")}
            size="md"
            autoComplete="current-password"
            visibilityToggleButtonProps={{ "aria-label": t("show"), tabIndex: 0 }}
            {...state.form.getInputProps("present")}
          />
          <PasswordInput
            label={t("pin")}
            description={t("pinWhat")}
            size="md"
            inputMode="numeric"
            autoComplete="off"
            visibilityToggleButtonProps={{ "aria-label": t("showPin"), tabIndex: 0 }}
            {...state.form.getInputProps("pin")}
          />
        </EditForm>
      </div>
    </section>
  );
}

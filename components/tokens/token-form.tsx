"use client";
import { Checkbox, NumberInput, Switch, TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import type { inferRouterOutputs } from "@trpc/server";
import { useTranslations } from "next-intl";
import { useTRPC, useTRPCClient } from "#/components/frame/trpc.ts";
import { EditForm } from "#/components/ui/edit-form.tsx";
import { FormDialog } from "#/components/ui/form-dialog.tsx";
import { QueryState } from "#/components/ui/query-state.tsx";
import { useEditForm } from "#/components/ui/use-edit-form.ts";
import type { Action } from "#/server/domain/permission.ts";
import { longestTokenDays, usualTokenDays } from "#/server/domain/token.ts";
import type { AppRouter } from "#/server/router.ts";
import css from "./tokens.module.css";
import { useActionName } from "./use-action-name.ts";

export type MadeToken = { name: string; token: string };
type Choices = inferRouterOutputs<AppRouter>["tokens"]["choices"];
type Values = { name: string; everywhere: boolean; sites: number[]; actions: Action[]; days: number };
type Props = { onClose: () => void; onMade: (made: MadeToken) => void };

/** A new token: for which program, where, for what, and how long. */
export function TokenForm({ onClose, onMade }: Props) {
  const t = useTranslations("tokens");
  const app = useTranslations("app");
  const trpc = useTRPC();
  const choices = useQuery(trpc.tokens.choices.queryOptions());
  return (
    <FormDialog opened onClose={onClose} title={t("newTitle")} size="lg" closeButtonProps={{ "aria-label": app("close") }}>
      <QueryState query={choices} lines={6}>
        {choices.data && <Fields choices={choices.data} onClose={onClose} onMade={onMade} />}
      </QueryState>
    </FormDialog>
  );
}

function Fields({ choices, onClose, onMade }: Props & { choices: Choices }) {
  const t = useTranslations("tokens");
  const trpc = useTRPC();
  const { tokens } = useTRPCClient();
  const queries = useQueryClient();
  const actionName = useActionName();
  const [only] = choices.sites;
  const state = useEditForm<Values, MadeToken>({
    initial: { name: "", everywhere: false, sites: choices.sites.length === 1 && only ? [only.id] : [], actions: ["board.read"], days: usualTokenDays },
    version: null,
    save: async ({ everywhere, ...values }) => {
      const { token } = await tokens.create.mutate({ ...values, sites: everywhere ? "all" : values.sites });
      return { name: values.name, token };
    },
    onSaved: (made) => {
      void queries.invalidateQueries({ queryKey: trpc.tokens.list.queryKey() });
      onMade(made);
    },
  });
  const { form } = state;
  const values = form.getValues();
  const chosen = choices.sites.filter(({ id }) => values.sites.includes(id));
  // What can be given at all of the chosen sites; before any is chosen, what can be given anywhere.
  const among = chosen.length > 0 ? chosen : choices.sites;
  const offered = values.everywhere ? choices.everywhere : (among[0]?.actions ?? []).filter((action) => among.every((site) => site.actions.includes(action)));
  const setActions = (actions: Action[]) => form.setFieldValue("actions", actions);
  const isReading = (action: Action) => action.endsWith(".read");
  const group = (title: string, actions: Action[]) =>
    actions.length > 0 && (
      <>
        <h3>{title}</h3>
        {actions.map((action) => (
          <Checkbox
            key={action}
            label={actionName(action)}
            description={action}
            checked={values.actions.includes(action)}
            onChange={(event) => setActions(event.currentTarget.checked ? [...values.actions, action] : values.actions.filter((other) => other !== action))}
          />
        ))}
      </>
    );
  // A site that is added or taken away may take actions with it: what is no longer offered is not sent unseen.
  const setPlaces = (everywhere: boolean, sites: number[]) => {
    form.setFieldValue("everywhere", everywhere);
    form.setFieldValue("sites", sites);
    const next = choices.sites.filter(({ id }) => sites.includes(id));
    const still = (action: Action) => (everywhere ? choices.everywhere.includes(action) : next.every((site) => site.actions.includes(action)));
    setActions(values.actions.filter(still));
  };

  return (
    <EditForm state={state} labels={{}} onCancel={onClose} save={t("make")}>
      <div className={css.fields}>
        <TextInput label={t("name")} description={t("nameWhat")} maxLength={80} required data-autofocus {...form.getInputProps("name")} />
        <fieldset className={css.group}>
          <legend>{t("sites")}</legend>
          {choices.everywhere.length > 0 && (
            <Switch label={t("everywhere")} checked={values.everywhere} onChange={(event) => setPlaces(event.currentTarget.checked, [])} />
          )}
          {!values.everywhere && (
            <div className={css.choices}>
              {choices.sites.map((site) => (
                <Checkbox
                  key={site.id}
                  label={site.name}
                  checked={values.sites.includes(site.id)}
                  onChange={(event) => setPlaces(false, event.currentTarget.checked ? [...values.sites, site.id] : values.sites.filter((id) => id !== site.id))}
                />
              ))}
            </div>
          )}
          {form.errors.sites && (
            <p className={css.fault} role="alert">
              {form.errors.sites}
            </p>
          )}
        </fieldset>
        <fieldset className={css.group}>
          <legend>{t("actions")}</legend>
          <div className={css.choices}>
            {group(t("reads"), offered.filter(isReading))}
            {group(
              t("changes"),
              offered.filter((action) => !isReading(action)),
            )}
          </div>
          {form.errors.actions && (
            <p className={css.fault} role="alert">
              {form.errors.actions}
            </p>
          )}
        </fieldset>
        <NumberInput
          label={t("days")}
          description={t("daysWhat", { most: longestTokenDays })}
          min={1}
          max={longestTokenDays}
          allowDecimal={false}
          value={values.days}
          onChange={(days) => form.setFieldValue("days", Number(days))}
          error={form.errors.days}
          required
        />
      </div>
    </EditForm>
  );
}

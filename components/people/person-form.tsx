"use client";
import { TextInput } from "@mantine/core";
import { useTranslations } from "next-intl";
import { EditForm } from "#/components/ui/edit-form.tsx";
import { useEditForm } from "#/components/ui/use-edit-form.ts";
import type { WantedMembership } from "#/server/people/rules.ts";
import css from "./people.module.css";
import { useMembershipWords } from "./person-words.tsx";
import { type Places, RolesEditor } from "./roles-editor.tsx";

export type PersonFormValues = { name: string; email: string; username: string; memberships: WantedMembership[] };
type Sent = { name: string; email: string | null; username: string | null; memberships: WantedMembership[] };

type Props<Saved> = {
  initial: PersonFormValues;
  version: number | null;
  places: Places;
  /** Only the roles are the viewer's to change, and why. */
  onlyRoles: string | null;
  save: (values: Sent, version: number | null) => Promise<Saved>;
  onSaved: (saved: Saved) => void;
  onCancel?: () => void;
  saveLabel?: string;
};

/** A person's name, how they sign in, and their roles. */
export function PersonForm<Saved>({ initial, version, places, onlyRoles, save, onSaved, onCancel, saveLabel }: Props<Saved>) {
  const t = useTranslations("people");
  const state = useEditForm<PersonFormValues, Saved>({
    initial,
    version,
    save: (values, on) => save({ ...values, email: values.email.trim() || null, username: values.username.trim() || null }, on === null ? null : Number(on)),
    onSaved,
  });
  const { form } = state;
  const words = useMembershipWords(places.places.map(({ siteId, siteName }) => ({ id: siteId, name: siteName })));
  const isLocked = onlyRoles !== null;
  return (
    <EditForm
      state={state}
      labels={{ name: t("name"), email: t("email"), username: t("username"), memberships: t("roles") }}
      show={(value) => (Array.isArray(value) ? (value as WantedMembership[]).map(words).join("; ") || "–" : String(value ?? "") || "–")}
      save={saveLabel}
      onCancel={onCancel}
    >
      {isLocked && (
        <div>
          <p className={css.dim}>{onlyRoles}</p>
          <dl className={css.facts}>
            <dt>{t("email")}</dt>
            <dd>{initial.email || "–"}</dd>
            <dt>{t("username")}</dt>
            <dd>{initial.username || "–"}</dd>
          </dl>
        </div>
      )}
      {!isLocked && (
        <>
          <TextInput label={t("name")} autoComplete="off" {...form.getInputProps("name")} />
          <div className={css.pair}>
            <TextInput label={t("email")} description={t("emailWhat")} type="email" inputMode="email" autoComplete="off" {...form.getInputProps("email")} />
            <TextInput
              label={t("username")}
              description={t("usernameWhat")}
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              {...form.getInputProps("username")}
            />
          </div>
        </>
      )}
      <RolesEditor
        value={form.getValues().memberships}
        onChange={(memberships) => form.setFieldValue("memberships", memberships)}
        places={places}
        errors={form.errors}
      />
    </EditForm>
  );
}

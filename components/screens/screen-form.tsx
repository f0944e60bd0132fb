"use client";
import { Checkbox, NumberInput, Select, Switch, TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { useTRPC, useTRPCClient } from "#/components/frame/trpc.ts";
import { EditForm } from "#/components/ui/edit-form.tsx";
import { FormDialog } from "#/components/ui/form-dialog.tsx";
import { QueryState } from "#/components/ui/query-state.tsx";
import { useEditForm } from "#/components/ui/use-edit-form.ts";
import type { LineChoice } from "#/server/displays/queries.ts";
import { BoardsField, type ChosenBoard } from "./boards-field.tsx";
import { Expiry } from "./expiry.tsx";
import type { MadeLink } from "./link-dialog.tsx";
import css from "./screens.module.css";
import type { ScreenRow } from "./screens.tsx";

type Values = {
  name: string;
  theme: "dark" | "light";
  locale: string | null;
  raiseAfterS: number | null;
  raiseForS: number | null;
  boards: ChosenBoard[];
  /** Of a new one. */
  siteId: number | null;
  expiresInDays: number | null;
};

type Props = { row: ScreenRow | null; onClose: () => void; onMade: (made: MadeLink) => void };

/** A new display, or what a display shows. */
export function ScreenForm({ row, onClose, onMade }: Props) {
  const t = useTranslations("screens");
  const app = useTranslations("app");
  const trpc = useTRPC();
  const lines = useQuery(trpc.displays.lines.queryOptions());
  return (
    <FormDialog
      opened
      onClose={onClose}
      title={row ? t("editTitle", { name: row.name }) : t("newTitle")}
      size="lg"
      closeButtonProps={{ "aria-label": app("close") }}
    >
      <QueryState query={lines} lines={6}>
        {lines.data && <Fields row={row} lines={lines.data} onClose={onClose} onMade={onMade} />}
      </QueryState>
    </FormDialog>
  );
}

const raiseAfterUsualS = 60;
const raiseForUsualS = 120;

function Fields({ row, lines, onClose, onMade }: Props & { lines: readonly LineChoice[] }) {
  const t = useTranslations("screens");
  const trpc = useTRPC();
  const { displays } = useTRPCClient();
  const queries = useQueryClient();
  const sites = [...new Map(lines.map(({ siteId, siteName }) => [siteId, siteName]))];
  const state = useEditForm<Values, MadeLink | null>({
    initial: {
      name: row?.name ?? "",
      theme: row?.theme ?? "dark",
      locale: row?.locale ?? null,
      raiseAfterS: row ? row.raiseAfterS : raiseAfterUsualS,
      raiseForS: row ? row.raiseForS : raiseForUsualS,
      boards: row?.boards.map(({ lineId, shownS }) => ({ lineId, shownS })) ?? [],
      siteId: row?.siteId ?? (sites.length === 1 ? (sites[0]?.[0] ?? null) : null),
      expiresInDays: null,
    },
    version: row?.version ?? null,
    save: async ({ siteId, expiresInDays, ...settings }, version) => {
      if (row) {
        await displays.change.mutate({ id: row.id, version: Number(version), ...settings });
        return null;
      }
      // NaN is no site: the server's sentence says so at the field.
      const made = await displays.create.mutate({ ...settings, siteId: siteId ?? Number.NaN, expiresInDays });
      return { ...made, name: settings.name };
    },
    onSaved: (made) => {
      void queries.invalidateQueries({ queryKey: trpc.displays.list.queryKey() });
      if (made) onMade(made);
      else onClose();
    },
  });
  const { form } = state;
  const values = form.getValues();
  const choices = lines.filter(({ siteId }) => siteId === values.siteId);
  const labels = {
    name: t("name"),
    boards: t("boardsHead"),
    theme: t("theme"),
    locale: t("language"),
    raiseAfterS: t("raiseAfter"),
    raiseForS: t("raiseFor"),
  };
  const show = (value: unknown, path: string) => {
    if (path === "boards")
      return (value as ChosenBoard[]).map(({ lineId, shownS }) => `${lines.find((line) => line.lineId === lineId)?.name ?? lineId} ${shownS} s`).join(", ");
    if (path === "theme") return t(value === "light" ? "themeLight" : "themeDark");
    return value === null ? "–" : String(value);
  };

  return (
    <EditForm state={state} labels={labels} show={show} onCancel={onClose} save={row ? undefined : t("make")}>
      <div className={css.fields}>
        {!row && (
          <Select
            label={t("site")}
            data={sites.map(([id, name]) => ({ value: `${id}`, label: name }))}
            value={values.siteId === null ? null : `${values.siteId}`}
            onChange={(id) => {
              form.setFieldValue("siteId", id === null ? null : Number(id));
              form.setFieldValue("boards", []);
            }}
            error={form.errors.siteId}
            allowDeselect={false}
            required
          />
        )}
        <TextInput label={t("name")} description={t("nameWhat")} maxLength={80} required data-autofocus {...form.getInputProps("name")} />
        <BoardsField
          value={values.boards}
          choices={values.siteId === null ? null : choices}
          onChange={(boards) => form.setFieldValue("boards", boards)}
          errorAt={(path) => form.errors[path]}
        />
        <fieldset className={css.group}>
          <legend>{t("raiseHead")}</legend>
          <Switch
            label={t("raises")}
            checked={values.raiseAfterS !== null}
            onChange={(event) => form.setFieldValue("raiseAfterS", event.currentTarget.checked ? raiseAfterUsualS : null)}
          />
          {values.raiseAfterS !== null && (
            <div className={css.pair}>
              <NumberInput
                label={t("raiseAfter")}
                suffix=" s"
                min={0}
                max={86_400}
                allowDecimal={false}
                value={values.raiseAfterS}
                onChange={(s) => form.setFieldValue("raiseAfterS", Number(s))}
                error={form.errors.raiseAfterS}
              />
              <NumberInput
                label={t("raiseFor")}
                suffix=" s"
                min={10}
                max={3_600}
                allowDecimal={false}
                value={values.raiseForS ?? ""}
                placeholder={t("raiseWhile")}
                disabled={values.raiseForS === null}
                onChange={(s) => form.setFieldValue("raiseForS", Number(s))}
                error={form.errors.raiseForS}
              />
              <Checkbox
                className={css.wide}
                label={t("raiseWhile")}
                checked={values.raiseForS === null}
                onChange={(event) => form.setFieldValue("raiseForS", event.currentTarget.checked ? null : raiseForUsualS)}
              />
            </div>
          )}
        </fieldset>
        <div className={css.pair}>
          <Select
            label={t("theme")}
            data={[
              { value: "dark", label: t("themeDark") },
              { value: "light", label: t("themeLight") },
            ]}
            allowDeselect={false}
            {...form.getInputProps("theme")}
          />
          <Select
            label={t("language")}
            data={[
              { value: "", label: t("languageOfBrowser") },
              { value: "en", label: "English" },
              { value: "de", label: "Deutsch" },
            ]}
            value={values.locale ?? ""}
            onChange={(locale) => form.setFieldValue("locale", locale || null)}
            allowDeselect={false}
            error={form.errors.locale}
          />
        </div>
        {!row && <Expiry value={values.expiresInDays} onChange={(days) => form.setFieldValue("expiresInDays", days)} error={form.errors.expiresInDays} />}
      </div>
    </EditForm>
  );
}

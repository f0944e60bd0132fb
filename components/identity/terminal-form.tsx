"use client";
import { Alert, MultiSelect, Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { useTRPC, useTRPCClient } from "#/components/frame/trpc.ts";
import { EditForm } from "#/components/ui/edit-form.tsx";
import { QueryState } from "#/components/ui/query-state.tsx";
import { useEditForm } from "#/components/ui/use-edit-form.ts";
import type { TerminalSite } from "#/server/terminals/queries.ts";
import type { ListedTerminal } from "#/server/terminals/service.ts";
import { ask } from "./ask.ts";

/** Seconds without touch; the first is for a tool that is put down, the last for an office. */
const locks = [30, 60, 120, 300, 600, 1800] as const;

/** A time to the lock in words. */
export function useLockTime(): (seconds: number) => string {
  const t = useTranslations("identity.terminals");
  return (seconds) => (seconds % 60 === 0 ? t("minutes", { n: seconds / 60 }) : t("seconds", { n: seconds }));
}

type Props = { terminal: ListedTerminal | null; onCancel: () => void; onSaved: () => void };

/** terminal null: this browser becomes one, and whoever fills this in is signed out of it. */
export function TerminalForm(props: Props) {
  const trpc = useTRPC();
  const sites = useQuery(trpc.terminals.sites.queryOptions());
  return <QueryState query={sites}>{sites.data && <Fields {...props} sites={sites.data} />}</QueryState>;
}

/** What the endpoint refused, as a procedure's refusal: the form shows both alike. */
class Refused extends Error {
  readonly data: unknown;
  constructor(sentence: string) {
    super(sentence);
    this.data = { kind: "INVALID", errorId: null, fields: [], present: null };
  }
}

function Fields({ terminal, sites, onCancel, onSaved }: Props & { sites: readonly TerminalSite[] }) {
  const t = useTranslations("identity.terminals");
  const lockTime = useLockTime();
  const client = useTRPCClient();
  const state = useEditForm({
    initial: {
      siteId: String(terminal?.siteId ?? (sites.length === 1 ? sites[0]?.id : "") ?? ""),
      name: terminal?.name ?? "",
      lineIds: terminal?.lines.map(({ id }) => id) ?? [],
      autoLockS: terminal?.autoLockS ?? 120,
    },
    version: terminal?.version ?? null,
    save: async ({ name, lineIds, autoLockS, ...values }, version) => {
      const common = { name, lineIds, autoLockS };
      if (terminal) return client.terminals.change.mutate({ id: terminal.id, version: String(version), ...common });
      const answer = await ask("/terminal/register", { siteId: Number(values.siteId), ...common });
      if (answer.fault) throw new Refused(typeof answer.fault.more.sentence === "string" ? answer.fault.more.sentence : t("notRegistered"));
    },
    onSaved: () => (terminal ? onSaved() : location.assign("/terminal")),
  });
  const values = state.form.getValues();
  const site = sites.find(({ id }) => String(id) === values.siteId);
  const offered = [...new Set([...locks, values.autoLockS])].sort((a, b) => a - b);
  const show = (value: unknown) => {
    if (typeof value === "number") return lockTime(value);
    if (!Array.isArray(value)) return String(value);
    return value.length === 0 ? t("allLines") : (site?.lines.filter(({ id }) => value.includes(id)).map(({ name }) => name) ?? []).join(", ");
  };
  const labels = { name: t("name"), lineIds: t("lines"), autoLockS: t("autoLock") };
  return (
    <EditForm state={state} labels={labels} show={show} save={terminal ? undefined : t("registerThis")} onCancel={onCancel}>
      {!terminal && (
        <Alert variant="light" color="blue">
          {t("registerWhat")}
        </Alert>
      )}
      <TextInput label={t("name")} description={t("nameWhat")} size="md" data-autofocus {...state.form.getInputProps("name")} />
      {!terminal && sites.length > 1 && (
        <Select
          label={t("site")}
          size="md"
          searchable
          data={sites.map(({ id, name }) => ({ value: String(id), label: name }))}
          value={values.siteId || null}
          error={state.form.errors.siteId}
          onChange={(chosen) => state.form.setValues({ siteId: chosen ?? "", lineIds: [] })}
        />
      )}
      <MultiSelect
        label={t("lines")}
        description={t("linesWhat")}
        size="md"
        searchable
        clearable
        disabled={!site}
        placeholder={values.lineIds.length === 0 ? t("allLines") : undefined}
        data={site?.lines.map(({ id, name }) => ({ value: String(id), label: name })) ?? []}
        value={values.lineIds.map(String)}
        error={state.form.errors.lineIds}
        onChange={(chosen) => state.form.setValues({ lineIds: chosen.map(Number) })}
      />
      <Select
        label={t("autoLock")}
        description={t("autoLockWhat")}
        size="md"
        allowDeselect={false}
        data={offered.map((seconds) => ({ value: String(seconds), label: lockTime(seconds) }))}
        value={String(values.autoLockS)}
        error={state.form.errors.autoLockS}
        onChange={(chosen) => state.form.setValues({ autoLockS: Number(chosen) })}
      />
    </EditForm>
  );
}

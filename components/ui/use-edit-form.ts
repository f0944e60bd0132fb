"use client";
import { useForm } from "@mantine/form";
import type { TRPCClientErrorLike } from "@trpc/client";
import { useTranslations } from "next-intl";
import { useState } from "react";
import type { AppRouter } from "#/server/router.ts";
import { errorSentence } from "./query-state.tsx";
import { merged, threeWay } from "./three-way.ts";
import { useUnsavedWarning } from "./use-unsaved-warning.ts";

/** What someone else stored meanwhile: the answer's `present`. */
export type Present<Values> = { version: string | number; values: Values };

type Options<Values, Saved> = {
  initial: Values;
  /** version: of what the form was filled from; after a conflict, of what is stored now. null: a new thing. */
  version: string | number | null;
  save: (values: Values, version: string | number | null) => Promise<Saved>;
  onSaved: (saved: Saved, values: Values) => void;
};

/**
 * A form of which nothing is lost: the server's sentences stand at their fields, what could not be said at a field above the buttons, and when someone else
 * saved first, `conflict` holds what they stored, and `changes` says who of the two changed what.
 */
export function useEditForm<Values extends Record<string, unknown>, Saved>({ initial, version, save, onSaved }: Options<Values, Saved>) {
  const t = useTranslations("app");
  const form = useForm<Values>({ mode: "controlled", initialValues: initial });
  const [fault, setFault] = useState<string | null>(null);
  const [conflict, setConflict] = useState<Present<Values> | null>(null);
  const [isSaving, setSaving] = useState(false);
  /** What the form was filled from: to tell who of two changed what. */
  const [base, setBase] = useState({ version, values: initial });
  const isUnsaved = form.isDirty() && !isSaving;
  useUnsavedWarning(isUnsaved);

  /** From here on the form stands on what the other stored, and holds these values. */
  const settle = (present: Present<Values>, values: Values): void => {
    const stored = { ...values, ...present.values };
    form.setValues(values);
    form.resetDirty(stored);
    form.clearErrors();
    setBase({ version: present.version, values: stored });
    setConflict(null);
  };

  const submitWith = async (values: Values, on: string | number | null): Promise<void> => {
    setSaving(true);
    setFault(null);
    try {
      const saved = await save(values, on);
      setConflict(null);
      form.resetDirty(values);
      onSaved(saved, values);
    } catch (thrown) {
      const error = thrown as TRPCClientErrorLike<AppRouter>;
      const known = error.data?.fields.flatMap(({ path, sentence }) => ownPath(values, path).map((own) => ({ path: own, sentence }))) ?? [];
      form.setErrors(Object.fromEntries(known.map(({ path, sentence }) => [path, sentence])));
      if (error.data?.kind === "CONFLICT" && error.data.present !== null) setConflict(error.data.present as Present<Values>);
      else if (known.length === 0 || known.length < (error.data?.fields.length ?? 0)) setFault(errorSentence(error, t("unreachable")));
      focusFirst(known[0]?.path);
    } finally {
      setSaving(false);
    }
  };

  return {
    form,
    fault,
    conflict,
    isSaving,
    isUnsaved,
    submit: form.onSubmit((values) => submitWith(values, base.version)),
    /** Who changed what, while there is a conflict. */
    changes: conflict === null ? null : threeWay(base.values, conflict.values, form.getValues()),
    /** Saves what was changed here, on top of what the other stored: what only they changed stays. */
    saveOnTop: async () => {
      if (!conflict) return;
      const both = merged(base.values, conflict.values, form.getValues());
      settle(conflict, both);
      await submitWith(both, conflict.version);
    },
    /** Fills the form with what the other stored. */
    takeTheirs: () => {
      if (conflict) settle(conflict, { ...form.getValues(), ...conflict.values });
    },
  };
}
export type EditFormState<Values extends Record<string, unknown>> = ReturnType<typeof useEditForm<Values, unknown>>;

/** Where the form has that field: the server's path, also where the values came to it as one part of what it was sent (`values.name`); empty: nowhere. */
const ownPath = (values: unknown, path: string): string[] => [path, path.slice(path.indexOf(".") + 1)].filter((own) => hasPath(values, own)).slice(0, 1);

function hasPath(values: unknown, path: string): boolean {
  if (path === "") return false;
  let at = values;
  for (const part of path.split(".")) {
    if (typeof at !== "object" || at === null || !(part in at)) return false;
    at = (at as Record<string, unknown>)[part];
  }
  return true;
}

/** Of the fields that Mantine marks, once it has drawn them. */
const focusFirst = (path: string | undefined): void => {
  if (path === undefined) return;
  requestAnimationFrame(() => document.querySelector<HTMLElement>("[data-path][aria-invalid=true], [aria-invalid=true]")?.focus());
};

"use client";
import { useFormatter, useTranslations } from "next-intl";
import { useCallback } from "react";
import { dateAndTime, offsetOf } from "#/components/ui/clock.ts";

/** Words for what the trail names by its columns: kinds of objects, actions, fields. One that the catalogue does not know yet is shown as it is called inside. */
export function useAuditWords() {
  const t = useTranslations("audit");
  const sheets = useTranslations("plant.importSheet");
  const kind = useCallback((name: string) => (t.has(`kind.${name}`) ? t(`kind.${name}`) : plain(name)), [t]);
  const action = useCallback(
    (name: string) => {
      if (t.has(`action.${name}`)) return t(`action.${name}`);
      const [, sheet] = /^plant\.(\w+)_imported$/.exec(name) ?? [];
      if (sheet && sheets.has(sheet)) return t("imported", { what: sheets(sheet) });
      const [noun = "", verb = ""] = name.split(".");
      return t.has(`verb.${verb}`) ? t(`verb.${verb}`, { what: kind(noun) }) : plain(name);
    },
    [t, kind, sheets],
  );
  const field = useCallback((name: string) => (t.has(`field.${name}`) ? t(`field.${name}`) : plain(name)), [t]);
  const roles = useTranslations("roles");
  /** What an object is called: a duty, and what a link is for, in the viewer's language. */
  const subject = useCallback(
    (kindName: string, name: string) => {
      if (kindName === "membership" && roles.has(name)) return roles(name);
      return kindName === "one_time_link" && t.has(`purpose.${name}`) ? t(`purpose.${name}`) : name;
    },
    [roles, t],
  );
  const actor = useCallback((name: string) => (t.has(`actor.${name}`) ? t(`actor.${name}`) : name), [t]);
  return { kind, action, field, subject, actor };
}

const plain = (name: string) => name.replaceAll(/[._]/g, " ");

/** A value of a row in words. zone: of the site whose object it is. */
export function useAuditValue(): (value: unknown, fieldName: string, zone: string) => string {
  const t = useTranslations("audit");
  const format = useFormatter();
  return useCallback(
    (value, fieldName, zone) => {
      if (value === null || value === undefined) return t("none");
      if (typeof value === "boolean") return value ? t("yes") : t("no");
      // An id is a name and not an amount: 1,234 would be misread.
      if (typeof value === "number") return /(^|_)(id|version)$/.test(fieldName) ? String(value) : format.number(value, { maximumFractionDigits: 20 });
      if (typeof value === "object") return JSON.stringify(value);
      const text = String(value);
      if (fieldName.endsWith("_at") && /^\d{4}-\d\d-\d\dT/.test(text)) {
        const at = Date.parse(text);
        return Number.isNaN(at) ? text : `${dateAndTime(at, zone)} ${offsetOf(at, zone)}`;
      }
      if (text === "set") return t("isSet");
      if (text === "changed") return t("isChanged");
      return text === "" ? t("empty") : text;
    },
    [t, format],
  );
}

"use client";
import { Chip, Group, Input } from "@mantine/core";
import { useLocale } from "next-intl";
import { type FieldProps, useFieldWords } from "./field-words.ts";

const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

/** `mon-fri`, `sat`, `mon,wed`, `daily` as the file writes them -> days. */
export function daysOf(text: string): string[] {
  if (text.trim() === "daily") return [...days];
  return text
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean)
    .flatMap((part) => {
      const [from = "", to = from] = part.split("-");
      const [first, last] = [days.indexOf(from as "mon"), days.indexOf(to as "mon")];
      return first < 0 || last < 0 ? [] : first <= last ? days.slice(first, last + 1) : [...days.slice(first), ...days.slice(0, last + 1)];
    });
}

/** `mon-sat` in the viewer's words: Mon–Sat. */
export function daysInWords(text: string, locale: string): string {
  const chosen = daysOf(text).map((day) => days.indexOf(day as "mon"));
  const runs: number[][] = [];
  for (const day of chosen) {
    const run = runs.at(-1);
    if (run?.at(-1) === day - 1) run.push(day);
    else runs.push([day]);
  }
  const name = dayName(locale);
  return runs.map((run) => (run.length < 3 ? run.map(name).join(", ") : `${name(run[0] ?? 0)}–${name(run.at(-1) ?? 0)}`)).join(", ");
}

/** Of a day counted from Monday, 0. 5 January 1970 was a Monday. */
function dayName(locale: string): (day: number) => string {
  const format = new Intl.DateTimeFormat(locale, { weekday: "short", timeZone: "UTC" });
  return (day) => format.format(Date.UTC(1970, 0, 5 + day));
}

/** Days on which a shift begins. */
export function WeekdaysField({ kind, field, form, path, isReadOnly }: FieldProps) {
  const words = useFieldWords(kind);
  const locale = useLocale();
  const given = form.getInputProps(path);
  const name = dayName(locale);
  return (
    <Input.Wrapper label={words.label(field.path)} description={words.hint(field.path) ?? undefined} error={given.error} withAsterisk={!isReadOnly}>
      <Chip.Group
        multiple
        value={daysOf(String(given.value ?? ""))}
        onChange={(chosen) => given.onChange(days.filter((day) => chosen.includes(day)).join(","))}
      >
        <Group gap={6} mt={6} role="group" aria-label={words.label(field.path)}>
          {days.map((day, index) => (
            <Chip key={day} value={day} disabled={isReadOnly} size="md">
              {name(index)}
            </Chip>
          ))}
        </Group>
      </Chip.Group>
    </Input.Wrapper>
  );
}

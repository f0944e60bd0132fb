/** Languages are the files in messages/: adding one adds a language. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cookies, headers } from "next/headers";
import type { AbstractIntlMessages } from "next-intl";
import { getRequestConfig } from "next-intl/server";

export const localeCookie = "takt-locale";
const defaultLocale = "en";

const folder = join(process.cwd(), "messages");
const read = (locale: string): AbstractIntlMessages => JSON.parse(readFileSync(join(folder, `${locale}.json`), "utf8"));

const loaded = new Map<string, AbstractIntlMessages>();
export const messagesOf = (locale: string): AbstractIntlMessages => {
  const known = loaded.get(locale) ?? read(locale);
  loaded.set(locale, known);
  return known;
};

export const locales = (): string[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .map((file) => file.slice(0, -".json".length))
    .sort();

/** The person's choice, else the first language of the browser that there is, else English. */
export function chooseLocale(available: readonly string[], chosen: string | undefined, acceptLanguage: string | null): string {
  if (chosen && available.includes(chosen)) return chosen;
  const wanted = (acceptLanguage ?? "").split(",").map((part) => part.split(";")[0]?.trim().slice(0, 2).toLowerCase() ?? "");
  return wanted.find((language) => available.includes(language)) ?? defaultLocale;
}

export default getRequestConfig(async () => {
  const chosen = (await cookies()).get(localeCookie)?.value;
  const locale = chooseLocale(locales(), chosen, (await headers()).get("accept-language"));
  return { locale, messages: messagesOf(locale), timeZone: "UTC" };
});

/** The texts of the screens, in the language of who asks. Which languages there are: server/locale.ts. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cookies, headers } from "next/headers";
import type { AbstractIntlMessages } from "next-intl";
import { getRequestConfig } from "next-intl/server";
import { chooseLocale, localeCookie, locales, messagesFolder } from "#/server/locale.ts";

const read = (locale: string): AbstractIntlMessages => JSON.parse(readFileSync(join(messagesFolder, `${locale}.json`), "utf8"));

const loaded = new Map<string, AbstractIntlMessages>();
export const messagesOf = (locale: string): AbstractIntlMessages => {
  const known = loaded.get(locale) ?? read(locale);
  loaded.set(locale, known);
  return known;
};

export default getRequestConfig(async () => {
  const chosen = (await cookies()).get(localeCookie)?.value;
  const locale = chooseLocale(locales(), chosen, (await headers()).get("accept-language"));
  return { locale, messages: messagesOf(locale), timeZone: "UTC" };
});

/** The language of who asks. Languages are the files in messages/: `de.json` for the screens and `sentences.de.json` for what the server says in them. */
import { readdirSync } from "node:fs";
import { join } from "node:path";

export const localeCookie = "takt-locale";
export const defaultLocale = "en";
export const messagesFolder = join(process.cwd(), "messages");

let found: readonly string[] | null = null;

/** Read once: a language comes with a version of Takt. */
export function locales(): readonly string[] {
  found ??= readdirSync(messagesFolder)
    .flatMap((file) => /^([a-z]{2})\.json$/.exec(file)?.[1] ?? [])
    .sort();
  return found;
}

/** The person's choice, else the first language of the browser that there is, else English. */
export function chooseLocale(available: readonly string[], chosen: string | undefined, acceptLanguage: string | null): string {
  if (chosen && available.includes(chosen)) return chosen;
  const wanted = (acceptLanguage ?? "").split(",").map((part) => part.split(";")[0]?.trim().slice(0, 2).toLowerCase() ?? "");
  return wanted.find((language) => available.includes(language)) ?? defaultLocale;
}

/** Of a request, by its cookie and what its browser accepts. */
export function localeOf(headers: Headers): string {
  const cookies = (headers.get("cookie") ?? "").split(";").map((pair) => pair.trim());
  const chosen = cookies.find((pair) => pair.startsWith(`${localeCookie}=`))?.slice(localeCookie.length + 1);
  return chooseLocale(locales(), chosen, headers.get("accept-language"));
}

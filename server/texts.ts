/** The catalogues of messages/, for what the server says outside of a request: mails, reports. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export type Messages = { readonly [key: string]: string | Messages };
const catalogues = new Map<string, Messages>();

/** The texts of a language; English where Takt has none in it. */
export function textsOf(locale: string | null): { locale: string; messages: Messages } {
  const wanted = /^[a-z]{2}$/.test(locale ?? "") ? (locale ?? "en") : "en";
  const known = catalogues.get(wanted);
  if (known) return { locale: wanted, messages: known };
  try {
    const messages: Messages = JSON.parse(readFileSync(join(process.cwd(), "messages", `${wanted}.json`), "utf8"));
    catalogues.set(wanted, messages);
    return { locale: wanted, messages };
  } catch (error) {
    if (wanted === "en") throw error;
    return textsOf("en");
  }
}

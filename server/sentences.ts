/** What the server says, in the language of who asks: translated once, where the answer leaves. The log, the command line and /api/v1 stay English. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Catalogue, compiled, type Sentences, translated } from "#/server/domain/sentence.ts";
import { localeOf, locales, messagesFolder } from "./locale.ts";

/** A sentence, or several with a space between them, as the code has it -> in a language. */
export type Say = (sentence: string) => string;

const known = new Map<string, Say>();
const asItIs: Say = (sentence) => sentence;

/** English, and a language that has no sentences here: as they are. */
export function sayIn(locale: string | null | undefined): Say {
  if (!locale || !locales().includes(locale)) return asItIs;
  const say = known.get(locale) ?? sayBy(sentencesOf(locale));
  known.set(locale, say);
  return say;
}

export const sayTo = (headers: Headers): Say => sayIn(localeOf(headers));

const sayBy = (sentences: Sentences | null): Say => (sentences === null ? asItIs : (sentence) => translated(sentence, sentences));

function sentencesOf(locale: string): Sentences | null {
  const file = join(messagesFolder, `sentences.${locale}.json`);
  return existsSync(file) ? compiled(JSON.parse(readFileSync(file, "utf8")) as Catalogue) : null;
}

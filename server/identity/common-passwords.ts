/**
 * The passwords that everybody tries: 49,000 of the most used ones in published leaks, as @zxcvbn-ts/language-common (MIT) ships them. Part of the
 * installation, asked without any network.
 */
import { dictionary } from "@zxcvbn-ts/language-common";
import { germanWords } from "./german-words.ts";

let known: ReadonlySet<string> | undefined;

/** In lower case. Made on first use: it takes some milliseconds and 4 MB. */
export const commonPasswords = (): ReadonlySet<string> => {
  known ??= new Set(dictionary["passwords-common"]);
  return known;
};

let words: ReadonlySet<string> | undefined;

/** Umlauts as they are typed where there are none: ä is ae. */
export const plainGerman = (text: string): string => text.replace(/[äöüß]/g, (letter) => ({ ä: "ae", ö: "oe", ü: "ue", ß: "ss" })[letter] ?? letter);

/** Words of which passwords are put together, of letters alone: those of the list, and German ones. plainGerman. */
export const commonWords = (): ReadonlySet<string> => {
  words ??= new Set([...dictionary["passwords-common"].filter((word) => /^\p{L}+$/u.test(word)), ...germanWords].map(plainGerman));
  return words;
};

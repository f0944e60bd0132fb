/**
 * The passwords that everybody tries: 49,000 of the most used ones in published leaks, as @zxcvbn-ts/language-common (MIT) ships them. Part of the
 * installation, asked without any network.
 */
import { dictionary } from "@zxcvbn-ts/language-common";

let known: ReadonlySet<string> | undefined;

/** In lower case. Made on first use: it takes some milliseconds and 4 MB. */
export const commonPasswords = (): ReadonlySet<string> => {
  known ??= new Set(dictionary["passwords-common"]);
  return known;
};

/** What a password must be, after NIST SP 800-63B 5.1.1.2: long, not one that everybody tries, nothing about mixing kinds of characters. And how it is kept. */
import { hashPassword, verifyPassword } from "better-auth/crypto";
import { commonPasswords, commonWords, plainGerman } from "./common-passwords.ts";

export const leastPasswordLength = 12;
/** Enough for a sentence; more would only make hashing slow. */
export const longestPassword = 128;

/** Keys of the sentences in the catalogue `identity.passwordFault`. */
export type PasswordFault = "tooShort" | "tooLong" | "common" | "aboutYou" | "tooSimple";

/** As it is hashed: what looks the same is the same, whichever keyboard it was typed on. */
export const normalPassword = (password: string): string => password.normalize("NFKC");

const leet: Record<string, string> = { "0": "o", "1": "l", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "@": "a", $: "s", "!": "i", "|": "l" };
const unleet = (text: string): string => [...text].map((sign) => leet[sign] ?? sign).join("");
/** Fewer different characters than this is a pattern, however long. */
const leastDifferent = 5;
/** Parts of a name or address shorter than this may be anywhere. */
const leastPartLength = 3;

/** One word has to be longer than this to be no word of a list. Of scripts that write words apart. */
const leastWordLength = 16;
/** Words that everybody knows: so many are found by trying all of them, with all that is put around. */
const mostKnownWords = 2;
/** Shorter ones are anywhere. */
const leastKnownWord = 3;

/** Why this is no password for a person whose names, and whose plant's, are `about`; null: it is one. */
export function whyNotPassword(password: string, about: readonly (string | null)[]): PasswordFault | null {
  const text = normalPassword(password);
  const length = [...text].length;
  if (length < leastPasswordLength) return "tooShort";
  if (length > longestPassword) return "tooLong";
  const lower = text.toLowerCase();
  if (new Set(lower).size < leastDifferent || isRun(lower)) return "tooSimple";
  if (isCommon(lower) || isCommon(unleet(lower))) return "common";
  if (isAbout(lower, about) || isAbout(unleet(lower), about)) return "aboutYou";
  if (isOneWord(lower)) return "tooSimple";
  if (isWordWithDigits(lower) || isOfKnownWords(lower, about)) return "common";
  if (isWalk(lower)) return "tooSimple";
  return null;
}

/** abcdefghijkl, 987654321098, and the same word again and again. */
function isRun(text: string): boolean {
  const codes = [...text].map((sign) => sign.codePointAt(0) ?? 0);
  const steps = codes.slice(1).map((code, n) => code - (codes[n] ?? 0));
  if (steps.filter((step) => Math.abs(step) === 1).length >= steps.length - 2) return true;
  for (let size = 1; size <= text.length / 3; size++)
    if (
      text ===
      text
        .slice(0, size)
        .repeat(Math.ceil(text.length / size))
        .slice(0, text.length)
    )
      return true;
  return false;
}

/** Itself, twice itself, or itself with digits and signs around it. */
function isCommon(lower: string): boolean {
  const half = lower.slice(0, lower.length / 2);
  const core = lower.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, "");
  const start = lower.replace(/[^\p{L}\p{N}]+$/u, "");
  return [lower, core, start].some((text) => commonPasswords().has(text)) || (half + half === lower && commonPasswords().has(half));
}

/** Without the digits and signs at its ends; those within stand for letters. */
const coreOf = (lower: string): string => unleet(lower.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, ""));

/**
 * One word with nothing but digits and signs before and behind it: Maschine12345, P4lette!!2026. Programs that guess go through the words of every language like
 * this, so no list of words is asked, and a word that is long enough by itself may have them.
 */
function isWordWithDigits(lower: string): boolean {
  const core = coreOf(lower);
  const least = /^[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{M}]*$/u.test(core) ? leastWordLength : leastPasswordLength;
  return /^[\p{L}\p{M}]*$/u.test(core) && [...core].length < least;
}

const wordsOf = (lower: string): string[] => lower.split(/[^\p{L}\p{M}]+/u).filter((word) => word !== "");

/** The same word again: Hund Hund Hund, hund-hund-12. */
function isOneWord(lower: string): boolean {
  const words = wordsOf(lower);
  return words.length > 1 && new Set(words).size === 1;
}

/** One or two words of which everybody knows what they are, with anything around and between: SchichtleiterBerlin1, ichliebedich1. */
function isOfKnownWords(lower: string, about: readonly (string | null)[]): boolean {
  const own = new Set(partsOf(about).map(plainGerman));
  const isKnown = (word: string): boolean => own.has(word) || commonWords().has(word);
  const words = wordsOf(plainGerman(coreOf(lower)));
  if (new Set(words).size <= mostKnownWords && words.every(isKnown)) return true;
  return leastWordsIn(words.join(""), isKnown) <= mostKnownWords;
}

/** The fewest known words that make up all of the text; infinite: none do. */
function leastWordsIn(text: string, isKnown: (word: string) => boolean): number {
  const least = [0];
  for (let end = 1; end <= text.length; end++) {
    let best = Number.POSITIVE_INFINITY;
    for (let start = 0; start <= end - leastKnownWord; start++)
      if ((least[start] ?? 0) < mostKnownWords && isKnown(text.slice(start, end))) best = Math.min(best, (least[start] ?? 0) + 1);
    least.push(best);
  }
  return least.at(-1) ?? 0;
}

/** Rows, and the slanting columns, of keyboards with QWERTY, QWERTZ and AZERTY. */
const walks = [
  "1234567890",
  "qwertyuiop",
  "qwertzuiopü",
  "azertyuiop",
  "asdfghjkl",
  "asdfghjklöä",
  "qsdfghjklm",
  "zxcvbnm",
  "yxcvbnm",
  "wxcvbn",
  ...["1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "7ujm", "1qay", "3edc", "6zhn", "1aqw", "2zsx"],
];
/** As few keys beside each other as are no accident. */
const leastWalk = 4;
const steps = new Set(
  walks.flatMap((row) => [row, [...row].reverse().join("")]).flatMap((row) => [...row].slice(leastWalk - 1).map((_, n) => row.slice(n, n + leastWalk))),
);

/** Keys beside each other, and little else: qwertzuiop12, 1qay2wsx3edc, asdfghjklqwert. */
function isWalk(lower: string): boolean {
  const walked = new Array<boolean>(lower.length).fill(false);
  for (let at = 0; at + leastWalk <= lower.length; at++) if (steps.has(lower.slice(at, at + leastWalk))) walked.fill(true, at, at + leastWalk);
  return walked.includes(true) && walked.filter((isOn) => !isOn).length < leastPasswordLength / 2;
}

const partsOf = (about: readonly (string | null)[]): string[] =>
  about.flatMap((text) => (text ?? "").toLowerCase().split(/[\s@._-]+/)).filter((part) => part.length >= leastPartLength);

/** Little more than the person's own name, address, plant or this program's. */
function isAbout(lower: string, about: readonly (string | null)[]): boolean {
  let rest = lower;
  for (const part of [...partsOf(about), "takt"].sort((a, b) => b.length - a.length)) rest = rest.replaceAll(part, "");
  return rest !== lower && [...rest].length < leastPasswordLength / 2;
}

/** scrypt with a salt of its own, as the identity library keeps passwords. */
export const hashOfPassword = (password: string): Promise<string> => hashPassword(normalPassword(password));

let nobodysHash: Promise<string> | undefined;

/** Whether it is the password. Without a hash (no such person, none set) it takes as long and is false. */
export async function isPassword(hash: string | null, password: string): Promise<boolean> {
  nobodysHash ??= hashPassword(crypto.randomUUID());
  const text = normalPassword(password);
  const isTooLong = text.length > longestPassword * 2; // in UTF-16 units: no password that was ever set
  const isRight = await verifyPassword({ hash: hash ?? (await nobodysHash), password: isTooLong ? "" : text });
  return isRight && hash !== null && !isTooLong;
}

/** Names that people give: to people, terminals, displays, tokens, and everything in the plant. One rule, so that what one list refuses no other takes. */
import { z } from "zod";

/**
 * Control characters, line and paragraph separators, what turns the direction of the text beside it (embeddings, overrides, isolates), what has no width, what no
 * standard gives a look. The joiners of emoji and of Persian and Indian scripts (U+200C, U+200D) and the marks of right-to-left words (U+200E, U+200F, U+061C) are
 * part of writing and stay.
 */
const unseen = /[\p{Cc}\p{Cs}\p{Cn}\p{Zl}\p{Zp}\u00ad\u180e\u200b\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}]|\u034f/u;
/** All that leaves nothing to see where a name has nothing else. U+2800: the empty pattern of Braille. */
const blank = /[\p{White_Space}\p{Default_Ignorable_Code_Point}\p{C}\p{M}\u2800]/gu;

/** As names are kept: composed (NFC), no space around them. */
export const plainName = (typed: string): string => typed.normalize("NFC").trim();

/** What is wrong with a name as `plainName` gives it; null: nothing. blank: there is nothing to see in it. */
export function whyNoName(name: string): "blank" | "unseen" | null {
  if (name.replace(blank, "") === "") return "blank";
  return unseen.test(name) ? "unseen" : null;
}

export const unseenSentence = "The name holds characters that cannot be seen or that turn the text beside them. Type it anew.";

/** A form's field for a name of at most so many characters; spaces in a row become one. blank: what it says where there is nothing to see. */
export const nameField = (most: number, blankSentence: string) =>
  z
    .string()
    .transform((typed) => plainName(typed.replace(/\s+/g, " ")))
    .superRefine((name, ctx) => {
      const why = whyNoName(name);
      const message =
        why === "blank" ? blankSentence : name.length > most ? `The name is at most ${most} characters long.` : why === "unseen" ? unseenSentence : null;
      if (message !== null) ctx.addIssue({ code: "custom", message });
    });

/**
 * Letters of other scripts that read as Latin ones in the fonts of screens: those of Cyrillic, Greek and Armenian that Unicode's table of confusables (UTS 39) maps
 * to a single Latin letter. That whole table is larger than all the rest of this program and folds l, 1 and I, which in a plant tell lines apart.
 */
const alike: Record<string, string> = Object.fromEntries(
  (
    [
      // Cyrillic
      ["АВЕЅІЈКМНОРСТУХЗԌԚԜҮӀЬ", "ABESIJKMHOPCTYX3GQWYIb"],
      ["аеѕіјорсухһԁԛԝүӏк", "aesijopcyxhdqwylk"],
      // Greek
      ["ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX"],
      ["αγικνορυχε", "ayikvopuxe"],
      // Armenian, and Latin's own doubles
      ["օսհոցզՕՍ", "ouhngqOU"],
      ["ıɑɡſ", "iagf"],
    ] as const
  ).flatMap(([from, to]) => [...from].map((letter, i) => [letter, to[i] ?? letter])),
);

/** The name as an eye takes it: two names with the same reading cannot be told apart on a screen. Capitals and accents stay, they are seen. */
export const readingOf = (name: string): string =>
  [...name.normalize("NFKD").replace(/[\p{Default_Ignorable_Code_Point}\p{Cf}]/gu, "")]
    .map((letter) => alike[letter] ?? letter)
    .join("")
    .normalize("NFC")
    .replace(/[\p{White_Space}\u2800]+/gu, " ")
    .trim();

/** Whether two names that are written differently read the same. The same name twice is no deceit: two people may be called Ann Smith. */
export const isLookAlike = (name: string, other: string): boolean => plainName(name) !== plainName(other) && readingOf(name) === readingOf(other);

export const lookAlikeSentence = "This name reads as another one in use and is written with other letters. Type it anew, with one alphabet.";

const otherScripts = /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}]/u;

/** Whether a text, or a word of it, reads as Latin and is written with letters of another alphabet. A text in that alphabet is none in disguise. */
export function isDisguised(text: string): boolean {
  const others = [...text].filter((letter) => otherScripts.test(letter));
  const isPosing = (letter: string) => otherScripts.test(letter) && letter in alike;
  if (!others.some(isPosing)) return false;
  if (others.every(isPosing)) return true;
  return text.split(/[^\p{L}\p{M}]+/u).some((word) => /\p{Script=Latin}/u.test(word) && [...word].some(isPosing));
}

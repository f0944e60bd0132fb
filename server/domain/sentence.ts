/**
 * Sentences of the server in another language. The English sentence is the source and the key, as in gettext: a template with places ("There is no machine {0}.")
 * finds the sentences that were made from it, and says what they are in the other language, with the values put in. Pure.
 */

/**
 * English template -> the other language's. sentences: said by themselves or within others. parts: within others alone, so that nothing else is taken for them.
 * words: single values that are words of Takt's own. In the other language a place says what stands in it: {0} a value as it is (a name, a number);
 * {0, word} always something that has an entry here, or a bare number, else the sentence is not from this template; {0, words} several of these, ", " between them;
 * {0, maybe} an entry or a value; {0, list} several of these.
 */
export type Catalogue = { sentences: Readonly<Record<string, string>>; parts: Readonly<Record<string, string>>; words: Readonly<Record<string, string>> };

type How = "value" | "word" | "words" | "maybe" | "list";
/** literals: what stands before, between and after the places. said: the other language's text, with the places' numbers. */
type Template = { literals: string[]; hows: How[]; isStrict: boolean; said: (string | number)[] };
type Index = { exact: Map<string, string>; byWord: Map<string, Template[]>; others: Template[] };
export type Sentences = { whole: Index; inside: Index };

const place = /\{(\d+)(?:, (words?|maybe|list))?\}/g;

/** Numbers of the places of a template, in its order. */
export const placesIn = (template: string): number[] => [...template.matchAll(place)].map(([, n]) => Number(n));

export function compiled({ sentences, parts, words }: Catalogue): Sentences {
  const whole = Object.entries(sentences);
  const inside = Object.entries({ ...parts, ...sentences });
  return { whole: indexOf(whole), inside: indexOf(inside, words) };
}

function indexOf(entries: readonly (readonly [string, string])[], words: Readonly<Record<string, string>> = {}): Index {
  const exact = new Map(Object.entries(words));
  const own = new Map<string, Template[]>();
  const others: Template[] = [];
  for (const [english, other] of entries) {
    const template = templateOf(english, other);
    if (template.hows.length === 0) {
      exact.set(english, other);
      continue;
    }
    const [head = ""] = template.literals;
    const word = head.includes(" ") ? firstWord(head) : null;
    if (word === null) others.push(template);
    else own.set(word, [...(own.get(word) ?? []), template]);
  }
  // The longest first: what is said more exactly is nearer.
  const sorted = (templates: Template[]) => templates.sort((a, b) => lengthOf(b) - lengthOf(a));
  return { exact, byWord: new Map([...own].map(([word, templates]) => [word, sorted([...templates, ...others])])), others: sorted(others) };
}

const lengthOf = ({ literals }: Template): number => literals.reduce((sum, { length }) => sum + length, 0);
const firstWord = (text: string): string => text.slice(0, text.indexOf(" ") + 1 || text.length);

function templateOf(english: string, other: string): Template {
  const literals = english.split(/\{\d+\}/);
  const hows: How[] = literals.slice(1).map(() => "value");
  const said: (string | number)[] = [];
  let end = 0;
  for (const { 0: whole, 1: number, 2: how, index } of other.matchAll(place)) {
    said.push(other.slice(end, index), Number(number));
    if (how) hows[Number(number)] = how as How;
    end = index + whole.length;
  }
  said.push(other.slice(end));
  return { literals, hows, said, isStrict: hows.includes("word") || hows.includes("words") };
}

/** Longer texts are nobody's sentences; and so many templates are tried for one text, whoever wrote what stands in its values. */
const longest = 10_000;
const mostLooks = 5_000;

/** One text's translation at work. known: what was found out of values already, by depth. */
type Work = { to: Sentences; looksLeft: number; known: Map<string, string | null> };

/** A text of one sentence or several with a space between them. What is not known stays as it is. */
export function translated(text: string, to: Sentences): string {
  if (text.length > longest) return text;
  const work: Work = { to, looksLeft: mostLooks, known: new Map() };
  return inSentences(text, (sentence) => saidWhole(sentence, work, to.whole, 0)).text;
}

/** So many sentences one template may have, with those in its values. */
const mostInOne = 6;
const sentenceEnd = /[.!?][)"]?\s+/g;

/** Divides a text so that as little of it as can be stays untranslated; of two ways into more sentences. */
function inSentences(text: string, say: (sentence: string) => string | null): { text: string; unknown: number } {
  const starts = [0, ...[...text.matchAll(sentenceEnd)].map(({ 0: end, index }) => index + end.length)];
  let ways = [{ text: "", unknown: 0 }]; // of what follows the sentence at hand: after it, after the next one ...
  for (const [at, from] of [...starts.entries()].toReversed()) {
    let best: { text: string; unknown: number } | null = null;
    for (const [n, rest] of ways.entries()) {
      const sentence = text.slice(from, starts[at + n + 1] ?? text.length).trimEnd();
      const known = say(sentence);
      const unknown = rest.unknown + (known === null ? sentence.length : 0);
      if (best === null || unknown < best.unknown) best = { text: [known ?? sentence, rest.text].filter((one) => one !== "").join(" "), unknown };
    }
    if (best !== null) ways = [best, ...ways].slice(0, mostInOne);
  }
  return ways[0] ?? { text, unknown: text.length };
}

/** So deep may values that are sentences stand in each other. */
const mostDeep = 5;

/** One sentence; null: none that is known. Where a sentence was made of a part of one, it begins with a capital and ends with a full stop. */
function saidWhole(sentence: string, work: Work, index: Index, depth: number): string | null {
  const known = said(sentence, work, index, depth);
  // Else the full stop was taken for the end of a value.
  if (known !== null && (/[.!?)]$/.test(known) || !sentence.endsWith("."))) return known;
  const small = sentence.charAt(0).toLowerCase() + sentence.slice(1);
  for (const begun of new Set([sentence, small])) {
    for (const ended of new Set([begun.replace(/\.$/, ""), begun])) {
      const found = ended === sentence ? null : said(ended, work, index, depth);
      if (found === null) continue;
      const stop = ended !== begun && !/[.!?]$/.test(found) ? "." : "";
      return (begun === sentence ? found : found.charAt(0).toUpperCase() + found.slice(1)) + stop;
    }
  }
  return known;
}

function said(text: string, work: Work, { exact, byWord, others }: Index, depth: number): string | null {
  const known = exact.get(text);
  if (known !== undefined) return known;
  if (--work.looksLeft < 0) return null;
  for (const template of byWord.get(firstWord(text)) ?? others) {
    const values = valuesIn(text, template, (value) => within(value, work, depth + 1) !== null);
    if (values === null) continue;
    const put = (n: number) => {
      const [value = "", how] = [values[n], template.hows[n]];
      if (how === "value") return value;
      const parts = how === "list" || how === "words" ? value.split(", ") : [value];
      return parts.map((one) => within(one, work, depth + 1) ?? one).join(", ");
    };
    return template.said.map((part) => (typeof part === "number" ? put(part) : part)).join("");
  }
  return null;
}

/** What stands in a place; null: nothing that is known. */
function within(value: string, work: Work, depth: number): string | null {
  if (value === "" || /^[-\d.]+$/.test(value)) return value;
  if (depth > mostDeep) return null;
  const key = `${depth} ${value}`;
  const before = work.known.get(key);
  if (before !== undefined) return before;
  const found = said(value, work, work.to.inside, depth) ?? saidInside(value, work, depth);
  work.known.set(key, found);
  return found;
}

/** Several sentences as a value. */
function saidInside(value: string, work: Work, depth: number): string | null {
  if (!/[.!?]/.test(value)) return null;
  const { text, unknown } = inSentences(value, (sentence) => saidWhole(sentence, work, work.to.inside, depth));
  return unknown === 0 ? text : null;
}

/** A template that asks for words tries so many ways to divide a text. */
const mostTries = 40;

/** The values at a template's places; null: the text was not made from it. Each value is the shortest that there can be. */
function valuesIn(text: string, { literals, hows, isStrict }: Template, isKnown: (value: string) => boolean): string[] | null {
  const [head = ""] = literals;
  const tail = literals.at(-1) ?? "";
  const end = text.length - tail.length;
  if (end < head.length || !text.startsWith(head) || !text.endsWith(tail)) return null;
  let tries = 0;
  const fits = (n: number, value: string) => {
    if (hows[n] === "word") return value !== "" && isKnown(value);
    return hows[n] !== "words" || value.split(", ").every((one) => one !== "" && isKnown(one));
  };
  const from = (n: number, start: number): string[] | null => {
    if (n === hows.length - 1) {
      const value = text.slice(start, end);
      return start <= end && fits(n, value) ? [value] : null;
    }
    const next = literals[n + 1] ?? "";
    for (let at = text.indexOf(next, start); at >= 0 && at + next.length <= end; at = text.indexOf(next, at + 1)) {
      const value = text.slice(start, at);
      const rest = fits(n, value) ? from(n + 1, at + next.length) : null;
      if (rest !== null) return [value, ...rest];
      if (!isStrict || ++tries > mostTries) return null; // without words the first way to divide it is as good as any
    }
    return null;
  };
  return from(0, head.length);
}

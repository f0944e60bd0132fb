// What the server says is there in every language: the sources are searched for sentences, and each language's file for entries that nothing says any more.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Catalogue, placesIn } from "#/server/domain/sentence.ts";
import { messagesFolder } from "./locale.ts";
import { word } from "./plant/compare.ts";
import { plural } from "./plant/file-sentences.ts";
import { kinds } from "./plant/items.ts";
import { timelineKinds } from "./plant/timeline-kinds.ts";
import { sayIn, sayTo } from "./sentences.ts";
import { type Found, textsInSources } from "./testing-sentences.ts";

/** For the command line, the log, settings, /api/v1, the broker and the database: English. */
const notForScreens = [
  /test|(^|\/)(cli|env)\.ts$/,
  /queries\.ts$/,
  /^server\/(api|jobs|permissions)\//,
  /^server\/audit\/(bytes|chain-check|change|export|heads|names|present|publications|publish|sheet|verify|xlsx)\.ts$/,
  /^server\/(db|health|log|prisma|scope)\.ts$/,
  /^server\/devices\/(broker-files|last-seen)\.ts$/,
  /^server\/domain\/(doors|secret-file)\.ts$/,
  /^server\/identity\/(mail|provider|provider-memberships|provision)\.ts$/,
  /^server\/ledger\/(finalise|rebuild)\.ts$/,
  /^ingest-worker\/(health|holder|now-and-then|recount|upserts)\.ts$/,
];
const isForScreens = (file: string) => /^(server|ingest-worker)\/.*\.ts$|^app\/.*route\.ts$/.test(file) && !notForScreens.some((pattern) => pattern.test(file));

/** Texts of several words that are no sentences for people. */
const noSentences: readonly RegExp[] = [
  /charset=|<meta |filename=|max-age=|; Path=|'none'|=\(\)|<!doctype/i, // of HTTP
  /^(GET|POST) \/|^\d{3} [A-Z]/,
  /^(The request's headers are too long\.|The request came too slowly\.|This is no HTTP request\.)$/, // nobody knows the language of whom
  /^(Node Control\/Rebirth|10 minutes|takt-ingest \{0\}( side)?|(device|signal|terminal) \{0\}|online as Sparkplug host application \{0\}|display link|by mail|enterprise \{0\}|\{0\} (kB|MB)|\{0\} h \{1\} min)$/,
  /^(reader|broker|subscriptions|broker sparkplug) \{0\}$|^\{0\} sparkplug \{1\}$/, // keys
  /^(Shared terminal \{0\}, \{1\}|unknown browser)$/, // written down in the audit trail
  /^(Press shop|Line 1|Three shifts|Team A|Press 1|Housing 100|Oil temperature|Belt torn|Gateway 1)$/, // examples of names
  /^ (and|or) $/,
];
const isSentence = (text: string) => /\p{L}{2,} | \p{L}{2,}/u.test(text) && !noSentences.some((pattern) => pattern.test(text));

/** Put together of parts by a separator, or with no word of their own, so that they stand in no source as they are. */
const isJoined = (template: string) => template === "{0} or {1}" || !/\p{L}/u.test(template.replace(/\{\d+\}/g, ""));

const texts = textsInSources(isForScreens);
const ofItems = [
  ...kinds.flatMap((kind) => (kind === "enterprise" ? ["enterprise"] : [word(kind), plural(word(kind))])),
  ...Object.values(timelineKinds).map((kind) => kind.word),
];
const catalogues = readdirSync(messagesFolder).filter((file) => file.startsWith("sentences."));

it("finds sentences in the sources", () => {
  const found = (text: string): Found | undefined => texts.find((one) => one.text === text);
  expect(found("There is no machine {0}.")?.file).toBe("server/data-health/mapping.ts");
  expect(found("{0} takes values from it. Choose another source there first.")).toBeDefined(); // a choice in the midst of one
  expect(found("must be a time of day such as 06:00 or 22:30")).toBeDefined();
  expect(texts.filter(({ text }) => isSentence(text)).length).toBeGreaterThan(500);
});

describe.each(catalogues)("%s", (file) => {
  const { sentences, parts, words } = JSON.parse(readFileSync(join(messagesFolder, file), "utf8")) as Catalogue;
  const templates = { ...sentences, ...parts };

  it("has every sentence", () => {
    const isThere = (text: string) => text in templates || text in words;
    const missing = texts.filter(({ text }) => isSentence(text) && !isThere(text)).map(({ text, file: where, line }) => `${where}:${line}: ${text}`);
    expect(missing).toEqual([]);
    expect(ofItems.filter((item) => !(item in words))).toEqual([]);
  });

  it("has none that nobody says any more", () => {
    const said = new Set([...texts.map(({ text }) => text), ...ofItems]);
    expect(Object.keys(templates).filter((template) => !said.has(template) && !isJoined(template))).toEqual([]);
    expect(Object.keys(words).filter((one) => !said.has(one))).toEqual([]);
    expect(Object.keys(parts).filter((template) => template in sentences)).toEqual([]);
  });

  it("has the same places, each once", () => {
    for (const [template, other] of Object.entries(templates)) {
      expect(other.replace(/\{\d+(, (words?|maybe|list))?\}/g, ""), template).not.toMatch(/\{\d|\{\w+,/);
      expect([template, placesIn(other).sort((a, b) => a - b)]).toEqual([template, placesIn(template)]);
    }
  });
});

describe("what people get to read in German", () => {
  const say = sayIn("de");
  it.each([
    ["There is no machine berlin/l1/m9.", "Die Maschine berlin/l1/m9 gibt es nicht."],
    ["There is no calendar entry berlin/easter.", "Kalendereintrag berlin/easter gibt es nicht."],
    [
      'Machine press-1, signal good: "role" must be one of state, job, but is "jub"; did you mean "job"?',
      'Maschine press-1, Signal good: „role“ muss eines von state, job sein, ist aber "jub"; meinten Sie „job“?',
    ],
    ["Must be above 0.", "Muss über 0 liegen."],
    ['This line has no machine "m9"; did you mean "m1"?', "Diese Linie hat keine Maschine „m9“; meinten Sie „m1“?"],
    ['There is no site or line or machine with the address "x".', "Standort oder Linie oder Maschine mit der Adresse „x“ gibt es nicht."],
    [
      "The topic hall/# would go to two signals: a/b and one of another site.",
      "Dasselbe ginge an zwei Signale, a/b und eines an einem anderen Standort: das Topic hall/#.",
    ],
    ['berlin/a/l1/m1/state takes numbers, but the text "on" was sent.', "berlin/a/l1/m1/state nimmt Zahlen an, aber der Text „on“ wurde gesendet."],
    [
      "The value is from 2026-01-01T00:00:00Z, 40 days old; this signal delivers at most 7 days back (max_backfill).",
      "Der Wert ist von 2026-01-01T00:00:00Z, 40 Tage alt; dieses Signal liefert höchstens 7 Tage zurück (max_backfill).",
    ],
    ["Sequence number 5 was expected, 7 came: 2 messages lost.", "Folgenummer 5 wurde erwartet, 7 kam: 2 Nachrichten gingen verloren."],
    [
      'Standing by: the worker "main" (host, process 7) reads takt/v1/#. It takes over when that one stops.',
      "In Bereitschaft: Der Worker „main“ (host, process 7) liest takt/v1/#. Er übernimmt, wenn jener aufhört.",
    ],
    ['+ line berlin/a/l1 "Line 1" with 2 machines, 1 signal', '+ Linie berlin/a/l1 "Line 1" mit 2 Maschinen, 1 Signal'],
    [
      "~ ideal cycle of machine berlin/a/l1/m1 for product A: 4 s from 2026-04-01 -> none",
      "~ ideale Taktzeit von Maschine berlin/a/l1/m1 für Produkt A: 4 s ab 2026-04-01 -> keine",
    ],
    [
      "The file cannot be read as CSV: quotation marks are not as CSV has them. Look at line 3.",
      "Die Datei lässt sich nicht als CSV lesen: die Anführungszeichen stehen nicht so, wie CSV es verlangt. Sehen Sie sich Zeile 3 an.",
    ],
    ['One cell is wrong; nothing was imported. There is no site "x".', "Eine Zelle ist falsch; nichts wurde importiert. Den Standort „x“ gibt es nicht."],
    ["The time for which a board is shown is at most 3600 s.", "Die Zeit, für die eine Tafel gezeigt wird, ist höchstens 3600 s."],
  ])("%s", (english, german) => expect(say(english)).toBe(german));

  it("by the cookie, then by what the browser accepts", () => {
    const no = "Choose a role.";
    expect(sayTo(new Headers({ cookie: "a=b; takt-locale=de" }))(no)).toBe("Wählen Sie eine Rolle.");
    expect(sayTo(new Headers({ cookie: "takt-locale=../de", "accept-language": "fr, de-AT;q=0.9" }))(no)).toBe("Wählen Sie eine Rolle.");
    expect(sayTo(new Headers({ cookie: "takt-locale=en", "accept-language": "de" }))(no)).toBe(no);
    expect(sayTo(new Headers())(no)).toBe(no);
  });
});

import { globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createTranslator } from "next-intl";
import { describe, expect, it } from "vitest";

type Messages = { [key: string]: string | Messages };
const folder = join(import.meta.dirname, "../messages");
const read = (file: string): Messages => JSON.parse(readFileSync(join(folder, file), "utf8"));
const flat = (messages: Messages, prefix = ""): [string, string][] =>
  Object.entries(messages).flatMap(([key, value]): [string, string][] =>
    typeof value === "string" ? [[prefix + key, value]] : flat(value, `${prefix}${key}.`),
  );
const placeholders = (text: string) =>
  [...new Set([...text.matchAll(/\{(\w+)/g)].map((match) => match[1]))].filter((name) => !/^(one|other)$/.test(name ?? "")).sort();

const english = new Map(flat(read("en.json")));
const others = readdirSync(folder).filter((file) => /^[a-z]{2}\.json$/.test(file) && file !== "en.json");

describe.each(others)("%s", (file) => {
  const texts = new Map(flat(read(file)));
  it("has every text of the English one, and no other", () => expect([...texts.keys()].sort()).toEqual([...english.keys()].sort()));
  it("takes the same values", () => {
    for (const [key, text] of texts) expect([key, named(text)]).toEqual([key, named(english.get(key) ?? "")]);
  });
});

/** Names outside of plural branches. */
const named = (text: string) => placeholders(text).filter((name) => text.includes(`{${name}}`) || text.includes(`{${name},`));

describe.each(["en.json", ...others])("%s", (file) => {
  it("is understood by the formatter, for none, one and many", () => {
    const messages = read(file);
    const failures: string[] = [];
    for (const n of [0, 1, 2]) {
      const t = createTranslator({ locale: file.slice(0, 2), messages: { all: messages }, namespace: "all", onError: (error) => failures.push(error.message) });
      for (const [key, text] of flat(messages)) t(key as never, Object.fromEntries(placeholders(text).map((name) => [name, n])) as never);
    }
    expect(failures).toEqual([]);
  });
});

/** Where the rest of a key is a value alone, which the key's kind of thing has: a state, a role, why something is so. */
const chosenByValue: readonly RegExp[] = [/^(reasons|roles|actions|trouble)\./, /^plant\.(field|hint)\./, /^identity\.notice\./, /^restatement\.cause\./];

describe("texts", () => {
  it("are all used somewhere", () => {
    const root = join(import.meta.dirname, "..");
    const sources = globSync(["app/**/*.{ts,tsx}", "components/**/*.{ts,tsx}", "server/identity/mail.ts", "server/ledger/restatement.ts"], { cwd: root })
      .filter((file) => !file.includes(".test."))
      .map((file) => keysIn(readFileSync(join(root, file), "utf8")));
    const isUsed = (key: string): boolean => {
      const steps = key.split(".");
      // Asked for with its namespace, or with less of it in a file that names the namespace.
      return steps.some((_, n) => {
        const [space, rest] = [steps.slice(0, n).join("."), steps.slice(n).join(".")];
        return sources.some(
          ({ exact, patterns, spaces }) => (n === 0 || spaces.has(space)) && (exact.has(rest) || patterns.some((pattern) => pattern.test(rest))),
        );
      });
    };
    expect([...english.keys()].filter((key) => !chosenByValue.some((pattern) => pattern.test(key)) && !isUsed(key))).toEqual([]);
  });
});

/** What may be keys in a source: its texts, and its templates, in which a place stands for anything. */
function keysIn(code: string) {
  const exact = new Set([...code.matchAll(/["'`]([\w.-]+)["'`]/g)].map(([, text]) => text ?? ""));
  const templates = [...code.matchAll(/`([\w.-]*(?:\$\{[^}]*\}[\w.-]*)+)`/g)]
    .map(([, text]) => text ?? "")
    .filter((text) => /^[\w-]+\.|\.[\w-]+$|^\w/.test(text));
  const patterns = templates.map((text) => new RegExp(`^${text.replace(/\./g, "\\.").replace(/\$\{[^}]*\}/g, ".+")}$`));
  const spaces = new Set(
    [...code.matchAll(/(?:useTranslations|getTranslations|namespace:|Translator<|t: )\W*["'`]([\w.]+)["'`]/g)].map(([, text]) => text ?? ""),
  );
  return { exact, patterns, spaces };
}

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
const others = readdirSync(folder).filter((file) => file.endsWith(".json") && file !== "en.json");

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

describe("texts", () => {
  it("are all used somewhere", () => {
    const code = globSync(["app/**/*.tsx", "components/**/*.{ts,tsx}"], { cwd: join(import.meta.dirname, "..") })
      .map((file) => readFileSync(join(import.meta.dirname, "..", file), "utf8"))
      .join("\n");
    const unused = [...english.keys()].filter((key) => {
      const [space = "", ...rest] = key.split(".");
      // chosen by a value: kinds of state, parts that are away, reasons, roles, ...
      if (["reasons", "trouble", "roles"].includes(space) || rest.length > 1) return false;
      return !code.includes(`"${rest.join(".")}"`);
    });
    expect(unused).toEqual([]);
  });
});

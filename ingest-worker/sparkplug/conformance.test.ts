// Holds docs/sparkplug.md against the specification's list of rules and against the tests.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const worker = join(import.meta.dirname, "..");
const page = readFileSync(join(worker, "../docs/sparkplug.md"), "utf8");
const rules = readFileSync(join(import.meta.dirname, "tck-ids.txt"), "utf8")
  .trim()
  .split("\n")
  .map((line) => line.split(" ")[1]!);

const section = (heading: string) => page.split(/^### /m).find((part) => part.startsWith(heading)) ?? "";
const host = section("Rules for a host application");
const edge = section("Rules for edge nodes");
const nothing = section("Rules that leave nothing");
const rows = (text: string) =>
  [...text.matchAll(/^\| `([\w-]+)` \| (.+) \| (.*) \|$/gm)].map(([, id, what, shownBy]) => ({
    id: id!,
    what: what!,
    files: shownBy!.split(", ").filter(Boolean),
  }));
const idsOf = (text: string) => [...text.matchAll(/`([a-z][\w-]+)`/g)].map(([, id]) => id!).filter((id) => rules.includes(id));

/** Identifiers in the names of the tests of a file. */
function shownIn(file: string): Set<string> {
  const text = readFileSync(join(worker, file), "utf8");
  return new Set([...text.matchAll(/^\s*it\("((?:[^"\\]|\\.)*)"/gm)].flatMap(([, name]) => [...name!.matchAll(/\[tck-id-([\w-]+)\]/g)].map(([, id]) => id!)));
}
const testFiles = [...readdirSync(worker), ...readdirSync(join(worker, "sparkplug")).map((name) => `sparkplug/${name}`)].filter((name) =>
  /^sparkplug.*\.test\.ts$/.test(name),
);

/** What the specification puts on a host application, a primary host, or a sender of commands, by the make of the identifiers. */
const bindsHost = (id: string) =>
  /^host-topic-phid-|^message-flow-(phid|hid)-|^operational-behavior-host-|-host-action-|^payloads-state-|^(topics|payloads)-[nd]cmd-|^operational-behavior-data-commands-([nd]cmd)-|^topic-structure(-namespace-a)?$/.test(
    id,
  ) ||
  [
    "operational-behavior-primary-application-state-with-multiple-servers-state",
    "operational-behavior-primary-application-state-with-multiple-servers-state-subs",
    "payloads-alias-data-cmd-requirement",
    "payloads-name-cmd-requirement",
  ].includes(id);

describe("docs/sparkplug.md", () => {
  it("knows the 268 rules of the specification, each in one place", () => {
    expect(rules).toHaveLength(268);
    const places = [...rows(host), ...rows(edge)].map(({ id }) => id).concat(idsOf(nothing));
    expect([...new Set(places)]).toHaveLength(places.length);
    expect(rules.filter((id) => !places.includes(id))).toEqual([]);
  });

  it("names every rule that binds a host among those of the host, with what Takt does", () => {
    const named = rows(host).map(({ id }) => id);
    expect(rules.filter(bindsHost).length).toBeGreaterThan(70);
    expect(rules.filter((id) => bindsHost(id) && !named.includes(id))).toEqual([]);
    for (const { what } of [...rows(host), ...rows(edge)]) expect(what.length).toBeGreaterThan(4);
  });

  it("names for every rule the files whose tests carry it in their names, all of them", () => {
    const shown = new Map(testFiles.map((file) => [file, shownIn(file)]));
    for (const { id, files } of [...rows(host), ...rows(edge)]) {
      const really = testFiles.filter((file) => shown.get(file)!.has(id));
      expect(really, id).not.toEqual([]);
      expect([...files].sort(), id).toEqual([...really].sort());
    }
  });

  it("leaves out no rule that a test claims", () => {
    const named = new Set([...rows(host), ...rows(edge)].map(({ id }) => id));
    for (const file of testFiles)
      expect(
        [...shownIn(file)].filter((id) => !named.has(id)),
        file,
      ).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import { isDisguised } from "./naming.ts";
import { whyNoDescriptor, whyNoFilter, whyNoIdentity, whyNotToMap, whyNotToPublish } from "./topic-rules.ts";

describe("whyNoFilter", () => {
  it.each(["one/topic", "/factory/press", "scales/7/#", "+/+/weight", "takt/v1/chicago/../berlin/x", "a b/c d", "цех/пресс-1", "fırın/ısı", "m²/µm/Ω", "%u/x"])(
    "%j is one, as it is written",
    (filter) => expect(whyNoFilter(filter)).toBeNull(),
  );

  it.each([
    [" takt/v1/berlin/#", "begins or ends with a space"],
    ["takt/v1/berlin ", "begins or ends with a space"],
    ["\u00a0takt/v1/berlin/#", "cannot be seen"],
    ["\ttakt/v1/berlin/#", "cannot be seen"],
    ["takt/v1/chicago/#\ntopic write #", "last level"],
    ["takt/v1/chicago\ntopic write x", "cannot be seen"],
    ["one/topic\u200b", "cannot be seen"],
    ["one/to\u200dpic", "cannot be seen"],
    ["one/\ufefftopic", "cannot be seen"],
    ["one/to\u00adpic", "cannot be seen"],
    ["one/\u202etopic", "cannot be seen"],
    ["one/\u2028topic", "cannot be seen"],
    ["one/\u3164", "cannot be seen"],
    ["оne/topic", "others than they look like"],
    ["асе/topic", "others than they look like"],
    ["one/cafe\u0301", "others than they look like"],
    ["takt//v1/x", "empty level"],
    ["one/topic/", "empty level"],
    ["$share/g/takt/v1/berlin/#", "belong to the broker"],
    ["a/b#", "last level"],
    ["a/b+", "alone in its level"],
  ])("%j is none", (filter, why) => expect(whyNoFilter(filter)).toContain(why));
});

describe("topics of Takt's own", () => {
  it.each(["takt/audit/heads", "takt/v1", "takt", "takt/#", "takt/+/chicago/#", "takt/v2/x/y"])("%s is nobody's to write or to read", (topic) => {
    expect(whyNotToPublish(topic)).toContain("below takt/ there is takt/v1/<site>");
    expect(whyNotToMap(topic)).toContain("below takt/ there is takt/v1/<site>");
  });
  it.each(["STATE/takt", "STATE/#", "STATE", "spBv1.0/STATE/takt", "spBv1.0/STATE/#"])("so is %s", (topic) => {
    expect(whyNotToPublish(topic)).toContain("there Takt says to Sparkplug nodes");
    expect(whyNotToMap(topic)).toContain("there Takt says to Sparkplug nodes");
  });
  it.each(["spBv1.0/#", "spBv1.0/+/#", "spBv1.0/+/+"])("%s reaches them", (topic) => expect(whyNotToPublish(topic)).toContain("name the group"));
  it.each(["spBv1.0/G/+/N/#", "spBv1.0/G/#", "spBv1.0/+/+/N/#", "takt/v1/berlin/#", "takt/v1/#", "STATES/x", "taktile/x"])("%s does not", (topic) =>
    expect(whyNotToPublish(topic)).toBeNull(),
  );
  it("where the heads are published is for who sets that up to say", () => {
    expect(whyNotToPublish("audit/#", ["audit/heads"])).toBe("Takt itself publishes there");
    expect(whyNotToPublish("audits/#", ["audit/heads"])).toBeNull();
  });
  it("Sparkplug's are read as metrics", () => expect(whyNotToMap("spBv1.0/G/NDATA/N")).toContain("metric"));
});

it.each([
  ["G/N", null],
  ["G/N/press 1", null],
  [" G/N", "begins or ends with a space"],
  ["G/N\u200b", "cannot be seen"],
  ["STATE/takt", "no group is called STATE"],
  ["G", "is no Sparkplug address"],
])("%j as a Sparkplug address: %s", (address, why) =>
  why === null ? expect(whyNoDescriptor(address)).toBeNull() : expect(whyNoDescriptor(address)).toContain(why),
);

it.each([
  ["berlin-gw", null],
  ["taktgeber", null],
  ["takt-ingest", "Takt's own programs"],
  ["TAKT-jobs", "Takt's own programs"],
  ["takt", "Takt's own programs"],
  ["gw-bеrlin", "others than they look like"],
])("%s as an identity: %s", (identity, why) => (why === null ? expect(whyNoIdentity(identity)).toBeNull() : expect(whyNoIdentity(identity)).toContain(why)));

it("a text in another alphabet is none in disguise, one that reads as Latin is", () => {
  expect(["Сборка", "цех 1A", "Ψυγείο", "Größe", "ΔT"].filter(isDisguised)).toEqual([]);
  expect(["рас", "Веrlin", "Hall Вerlin", "ΑΒΕ"].filter((text) => !isDisguised(text))).toEqual([]);
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { filtersOverlap } from "#/server/domain/topic-filter.ts";
import { accessList, brokerConfiguration } from "./broker-files.ts";
import { type HeardSource, lastSeenBy, topicsOf } from "./last-seen.ts";
import { certificateState } from "./service.ts";

const sources: HeardSource[] = [
  { address: "berlin/hall/l1/press", form: "json", patterns: [], at: 1 },
  { address: "Berlin/Edge1", form: "sparkplug", patterns: [], at: 2 },
  { address: "Berlin/Edge1/Packer", form: "sparkplug", patterns: [], at: 3 },
  { address: "gateway", form: "mapped", patterns: ["hall/oven/+", "hall/meter"], at: 4 },
];

describe("lastSeenBy", () => {
  it.each<[string[], number | null]>([
    [["takt/v1/berlin/hall/l1/press/#"], 1],
    [["takt/v1/berlin/#"], 1],
    [["takt/v1/berlin/hall/l1/press/state"], 1],
    [["takt/v1/berlin/hall/l1/other/#"], null],
    [["spBv1.0/Berlin/+/Edge1"], 2],
    [["spBv1.0/Berlin/+/Edge1/#"], 3],
    [["hall/oven/1"], 4],
    [["+/meter"], 4],
    [["nowhere", "takt/v1/berlin/#"], 1],
    [[], null],
  ])("%j", (topics, at) => {
    expect(lastSeenBy(sources)(topics)).toBe(at);
  });

  it("is what comparing every topic with every filter gives", () => {
    const levels = fc.array(fc.constantFrom("a", "b", "+"), { minLength: 1, maxLength: 4 });
    const filter = fc.tuple(levels, fc.boolean()).map(([steps, rest]) => [...steps, ...(rest ? ["#"] : [])].join("/"));
    const source = fc.record({ address: fc.constant("x"), form: fc.constant("mapped" as const), patterns: fc.array(filter, { maxLength: 3 }), at: fc.nat() });
    fc.assert(
      fc.property(fc.array(source, { maxLength: 6 }), fc.array(filter, { maxLength: 3 }), (heard, topics) => {
        const all = heard.filter((one) => topicsOf(one).some((topic) => topics.some((own) => filtersOverlap(own, topic)))).map(({ at }) => at);
        expect(lastSeenBy(heard)(topics)).toBe(all.length === 0 ? null : Math.max(...all));
      }),
    );
  });
});

describe("what the broker is told", () => {
  it("names every device with its topics, and programs with all", () => {
    const devices = [
      { address: "berlin/press", identity: "berlin press", topics: ["takt/v1/berlin/#", "hall/+/x"] },
      { address: "berlin/edge", identity: "edge-1", topics: ["spBv1.0/Berlin/+/Edge1/#"] },
    ];
    expect(accessList(devices, ["takt"])).toMatchInlineSnapshot(`
      "# Written by \`npm run broker -- write\`; changes by hand are lost at the next time.
      # Who is not named here may do nothing.

      # program
      user takt
      topic readwrite #
      topic read $SYS/broker/uptime

      # device berlin/edge
      user edge-1
      topic write spBv1.0/Berlin/+/Edge1/#
      topic read spBv1.0/Berlin/NCMD/Edge1/#
      topic read spBv1.0/Berlin/DCMD/Edge1/#
      topic read spBv1.0/STATE/#

      # device berlin/press
      user berlin press
      topic write takt/v1/berlin/#
      topic write hall/+/x
      "
    `);
  });
  it("has a listener that asks for certificates", () => {
    const paths = { accessFile: "/a", port: 8883, caFile: "/ca", certFile: "/c", keyFile: "/k", crlFile: null };
    expect(brokerConfiguration(paths)).toContain("require_certificate true\n");
    expect(brokerConfiguration(paths)).toContain("# No revocation list");
    expect(brokerConfiguration({ ...paths, crlFile: "/crl" })).toContain("\ncrlfile /crl\n");
  });
});

it("a certificate is valid, ends soon, has expired, or is not known", () => {
  const now = new Date("2026-05-20T10:00:00Z");
  const inDays = (days: number) => now.getTime() + days * 86_400_000;
  expect([null, inDays(31), inDays(30), inDays(0)].map((expiresAt) => certificateState({ identity: "gw", certificateName: "gw", expiresAt }, now))).toEqual([
    "none",
    "valid",
    "ends_soon",
    "expired",
  ]);
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { filterCovers, filtersOverlap, topicMatches } from "./topic-filter.ts";

describe("topic filters", () => {
  // MQTT 5, 4.7.1, its own examples and corner cases.
  it.each([
    ["sport/tennis/player1/#", "sport/tennis/player1", true],
    ["sport/tennis/player1/#", "sport/tennis/player1/ranking", true],
    ["sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true],
    ["sport/#", "sport", true],
    ["#", "sport/tennis", true],
    ["sport/tennis/+", "sport/tennis/player1", true],
    ["sport/tennis/+", "sport/tennis/player1/ranking", false],
    ["sport/+", "sport", false],
    ["sport/+", "sport/", true],
    ["+/+", "/finance", true],
    ["/+", "/finance", true],
    ["+", "/finance", false],
    ["#", "$SYS/broker", false],
    ["+/monitor/Clients", "$SYS/monitor/Clients", false],
    ["$SYS/#", "$SYS/", true],
    ["$SYS/monitor/+", "$SYS/monitor/Clients", true],
    ["takt/v1", "TAKT/v1", false],
  ])("%s and %s: %s", (filter, topic, matches) => {
    expect(topicMatches(filter, topic)).toBe(matches);
  });

  const level = fc.constantFrom("a", "b", "", "+");
  const filter = fc.tuple(fc.array(level, { minLength: 1, maxLength: 4 }), fc.boolean()).map(([levels, rest]) => [...levels, ...(rest ? ["#"] : [])].join("/"));
  const topic = fc.array(fc.constantFrom("a", "b", ""), { minLength: 1, maxLength: 5 }).map((levels) => levels.join("/"));
  // Every topic of up to five levels over three names: enough to tell any two filters of up to four levels and "#" apart.
  const allTopics = (function grow(depth: number): string[][] {
    return depth === 0 ? [[]] : grow(depth - 1).flatMap((t) => (t.length === depth - 1 ? [t, ...["a", "b", ""].map((l) => [...t, l])] : [t]));
  })(5)
    .filter((t) => t.length > 0)
    .map((t) => t.join("/"));

  // The same said with a regular expression.
  const oracle = (f: string, t: string): boolean => {
    const source = f
      .split("/")
      .map((l) => (l === "+" ? "[^/]*" : l === "#" ? ".*" : l))
      .join("/");
    return new RegExp(`^${f === "#" ? ".*" : source.replace(/\/\.\*$/, "(/.*)?")}$`).test(t);
  };

  it("match as a regular expression would", () => {
    fc.assert(
      fc.property(filter, topic, (f, t) => {
        expect(topicMatches(f, t)).toBe(oracle(f, t));
      }),
      { numRuns: 2_000 },
    );
  });

  it("overlap exactly where some topic matches both", () => {
    fc.assert(
      fc.property(filter, filter, (a, b) => {
        expect(filtersOverlap(a, b)).toBe(allTopics.some((t) => topicMatches(a, t) && topicMatches(b, t)));
      }),
      { numRuns: 500 },
    );
  });

  it("one covers another if each topic of that is one of its own", () => {
    fc.assert(
      fc.property(filter, filter, (a, b) => {
        expect(filterCovers(a, b)).toBe(allTopics.every((t) => !topicMatches(b, t) || topicMatches(a, t)));
      }),
    );
  });
});

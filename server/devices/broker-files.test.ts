// The list of rights as Mosquitto reads it: what a device may write is what it was given, whatever was stored.
import fc from "fast-check";
import { expect, it } from "vitest";
import { topicMatches } from "#/server/domain/topic-filter.ts";
import { whyNoFilter, whyNoIdentity, whyNotToPublish } from "#/server/domain/topic-rules.ts";
import { accessList, admitted } from "./broker-files.ts";

type Right = { access: string; topic: string };

/** As aclfile__parse of Mosquitto 2: white space at a line's end goes, comments begin with #, spaces before a name or a topic are overlooked. */
function asMosquittoReads(list: string): Map<string, Right[]> {
  const rights = new Map<string, Right[]>();
  let user = "";
  for (const raw of list.split("\n")) {
    const line = raw.replace(/[ \t\n\v\f\r]+$/, "");
    if (line === "" || line.startsWith("#")) continue;
    const [, word = "", rest = ""] = /^ *([^ ]+) ?(.*)$/s.exec(line) ?? [];
    if (word === "user") {
      user = rest.replace(/^ +/, "");
      rights.set(user, rights.get(user) ?? []);
      continue;
    }
    const [, access = "", topic = ""] = /^ *([^ ]+) *(.*)$/s.exec(rest) ?? [];
    expect([word, ["read", "write", "readwrite"].includes(access)], line).toEqual(["topic", true]);
    rights.get(user)?.push({ access, topic });
  }
  return rights;
}

const mayWrite = (rights: readonly Right[], topic: string) => rights.some((right) => right.access.includes("write") && topicMatches(right.topic, topic));
const device = (identity: string, ...topics: string[]) => ({ address: `chicago/${identity}`, identity, topics });

it("leaves out what Mosquitto would take for something else, and says so", () => {
  const devices = [
    device("spaced", " takt/v1/berlin/#", "takt/v1/chicago/#", "\ttakt/v1/berlin/x", "takt/v1/berlin/y ", "x\ntopic write #"),
    device("takt-ingest", "takt/v1/chicago/#"),
    device("reserved", "takt/audit/heads", "STATE/takt", "spBv1.0/#", "audit/heads", "scales/1"),
    device(" edge", "scales/2"),
  ];
  const { devices: found, leftOut } = admitted(devices, ["takt-ingest"], ["audit/heads"]);
  const rights = asMosquittoReads(accessList(found, ["takt-ingest"]));
  expect([...rights.keys()]).toEqual(["takt-ingest", "reserved", "spaced"]);
  expect(rights.get("takt-ingest")?.map(({ topic }) => topic)).toEqual(["#", "$SYS/broker/uptime"]);
  expect(rights.get("spaced")).toEqual([{ access: "write", topic: "takt/v1/chicago/#" }]);
  expect(rights.get("reserved")).toEqual([{ access: "write", topic: "scales/1" }]);
  expect(leftOut).toHaveLength(10);
  expect(leftOut).toContain(
    'The device chicago/takt-ingest is left out, because of its identity "takt-ingest": --program names it: the device could then read and write everything.',
  );
  expect(leftOut[0]).toBe(
    'A topic of the device chicago/spaced is left out, " takt/v1/berlin/#": it begins or ends with a space, or has control characters in it; type it anew.',
  );
});

it("gives, of all that may be typed, what was typed and nothing else", () => {
  const piece = fc.constantFrom(
    "takt",
    "v1",
    "berlin",
    "chicago",
    "..",
    "+",
    "#",
    "",
    " ",
    "read",
    "write",
    "topic",
    "user",
    "x y",
    "\u00a0",
    "é",
    "%u",
    "$SYS",
    "\n",
    "a#",
  );
  const topic = fc.array(piece, { minLength: 1, maxLength: 5 }).map((levels) => levels.join("/"));
  const anything = fc.oneof(
    topic,
    fc.tuple(fc.constantFrom(" ", "\t", "", "# "), topic).map((parts) => parts.join("")),
    fc.string({ unit: "binary", maxLength: 12 }),
  );
  fc.assert(
    fc.property(fc.array(anything, { maxLength: 4 }), anything, (topics, identity) => {
      const typed = topics.filter((one) => whyNoFilter(one) === null && whyNotToPublish(one) === null && one !== "");
      if (whyNoIdentity(identity) !== null || identity.trim() === "") return;
      const rights = asMosquittoReads(accessList(admitted([device(identity, ...typed)], [], []).devices, []));
      const written = rights.get(identity)?.filter(({ access }) => access === "write");
      expect(written?.map((right) => right.topic)).toEqual(typed);
    }),
  );
});

it("a path upwards is a level like others", () => {
  const rights = asMosquittoReads(accessList([device("gw", "takt/v1/chicago/../berlin/#")], [])).get("gw") ?? [];
  expect(mayWrite(rights, "takt/v1/chicago/../berlin/x")).toBe(true);
  expect(mayWrite(rights, "takt/v1/berlin/x")).toBe(false);
});

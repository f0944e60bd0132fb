import { describe, expect, it } from "vitest";
import { offlinePayload, onlinePayload, stateTopic } from "../sparkplug.ts";
import { OwnState, parseState } from "./state.ts";
import { double, encode, TestEdge, t0, Watched } from "./testing.ts";
import { parseTopic, type StateTopic } from "./topic.ts";

describe("topics", () => {
  it("[tck-id-topic-structure] [tck-id-topic-structure-namespace-a] [tck-id-topics-ndata-topic] [tck-id-topics-ddata-topic] understands spBv1.0/<group>/<type>/<node>[/<device>], and refuses all else with a sentence", () => {
    expect(parseTopic("spBv1.0/Werk Ä/DDATA/Edge 1/Presse·2")).toEqual({
      type: "DDATA",
      nodeAddress: "Werk Ä/Edge 1",
      group: "Werk Ä",
      node: "Edge 1",
      device: "Presse·2",
      address: "Werk Ä/Edge 1/Presse·2",
    });
    expect(parseTopic("spBv1.0/g/NDATA/n")).toMatchObject({ device: null, address: "g/n" });
    for (const [topic, sentence] of [
      ["spAv1.0/g/NDATA/n", /does not begin with spBv1.0/],
      ["spbv1.0/g/NDATA/n", /does not begin with spBv1.0/],
      ["spBv1.0/g/NDATA", /shorter than/],
      ["spBv1.0", /shorter than/],
      ["spBv1.0/g/ndata/n", /is no Sparkplug message type/],
      ["spBv1.0/g/XDATA/n", /is no Sparkplug message type/],
      ["", /empty level/],
      ["spBv1.0/STATE", /spBv1.0\/STATE\/<host>/],
      ["STATE/a/b", /STATE\/<host>/],
    ] as const)
      expect(parseTopic(topic)).toMatch(sentence);
  });

  it("[tck-id-topic-structure-namespace-valid-group-id] [tck-id-topic-structure-namespace-valid-edge-node-id] [tck-id-topic-structure-namespace-valid-device-id] refuses names with + or #, empty ones, control characters, and what is not UTF-8", () => {
    for (const topic of [
      "spBv1.0/g+/NDATA/n",
      "spBv1.0/g/NDATA/n#",
      "spBv1.0/g/DDATA/n/d+",
      "spBv1.0//NDATA/n",
      "spBv1.0/g/NDATA/",
      "spBv1.0/g/DDATA/n/",
      "spBv1.0/g/NDATA/n\u0007",
      "spBv1.0/g/NDATA/n\uFFFD",
    ]) {
      const watched = new Watched();
      watched.send({ topic, payload: encode({ timestamp: t0, seq: 0, metrics: [double("a", 1)] }) });
      expect(watched.out).toMatchObject({ values: [], refused: [{ topic, form: "message", code: "sparkplug_malformed", valueCount: 1 }] });
    }
  });

  it("[tck-id-topic-structure-namespace-device-id-associated-message-types] [tck-id-topic-structure-namespace-device-id-non-associated-message-types] refuses device messages without a device, and node messages with one", () => {
    for (const type of ["DBIRTH", "DDEATH", "DDATA", "DCMD"]) expect(parseTopic(`spBv1.0/g/${type}/n`)).toMatch(/is of a device/);
    for (const type of ["NBIRTH", "NDEATH", "NDATA", "NCMD"]) expect(parseTopic(`spBv1.0/g/${type}/n/d`)).toMatch(/is of an edge node/);
    expect(parseTopic("spBv1.0/STATE/host/d")).toMatch(/A STATE topic/);
  });

  it("[tck-id-topics-nbirth-mqtt] [tck-id-topics-dbirth-mqtt] [tck-id-topics-ndata-mqtt] [tck-id-topics-ddata-mqtt] [tck-id-topics-ddeath-mqtt] [tck-id-payloads-nbirth-retain] [tck-id-payloads-dbirth-retain] [tck-id-payloads-ndata-retain] [tck-id-payloads-ddata-retain] [tck-id-payloads-ndeath-will-message-retain] [tck-id-message-flow-edge-node-birth-publish-nbirth-retained] [tck-id-message-flow-device-birth-publish-dbirth-retained] [tck-id-message-flow-edge-node-birth-publish-will-message-will-retained] refuses what the broker had kept (retained): its age is not known", () => {
    const edge = new TestEdge();
    for (const sent of [
      edge.nbirth([double("a", 1)]),
      edge.dbirth("d", [double("a", 1)]),
      edge.ndata([double("a", 1)]),
      edge.ddata("d", [double("a", 1)]),
      edge.ddeath("d"),
      edge.ndeath(),
    ]) {
      const watched = new Watched();
      watched.send(sent, t0, { retained: true });
      expect(watched.out).toMatchObject({ values: [], links: [], commands: [], refused: [{ code: "sparkplug_malformed" }] });
      expect(watched.out.refused[0]!.reason).toMatch(/switch "retain" off/);
    }
  });

  it("[tck-id-message-flow-edge-node-birth-publish-nbirth-payload] [tck-id-message-flow-device-birth-publish-dbirth-payload] [tck-id-message-flow-edge-node-birth-publish-will-message-payload] refuses what is not protobuf, and a cut message, whole", () => {
    for (const type of ["NBIRTH", "NDEATH", "NDATA"])
      for (const payload of [Buffer.from('{"timestamp":1}'), encode({ timestamp: t0, metrics: [double("a", 1)] }).subarray(0, 12)]) {
        const watched = new Watched();
        const topic = `spBv1.0/g/${type}/n`;
        watched.send({ topic, payload });
        expect(watched.out.refused).toEqual([
          {
            topic,
            metric: null,
            payload,
            form: "message",
            code: "sparkplug_malformed",
            reason: "The message is cut off, or is not a Sparkplug B payload (protobuf).",
            valueCount: 1,
          },
        ]);
        expect(watched.host.stats().nodes).toBe(0);
      }
  });

  it("takes no message without content for a birth or a death, as it is sent to clear a retained one", () => {
    const watched = new Watched();
    for (const type of ["NBIRTH", "NDEATH", "NDATA"]) watched.send({ topic: `spBv1.0/g/${type}/n`, payload: Buffer.alloc(0) });
    expect(watched.out).toMatchObject({ links: [], refused: Array(3).fill({ code: "sparkplug_malformed", reason: "The message has no content." }) });
  });

  it("passes over commands, its own and those of other hosts", () => {
    const watched = new Watched();
    for (const topic of ["spBv1.0/g/NCMD/n", "spBv1.0/g/DCMD/n/d"]) watched.send({ topic, payload: encode({ timestamp: t0, metrics: [double("a", 1)] }) });
    expect(watched.out).toMatchObject({ values: [], refused: [], commands: [], links: [] });
  });
});

describe("STATE", () => {
  const topic = (text: string) => parseTopic(text) as StateTopic;

  it("[tck-id-host-topic-phid-birth-topic] [tck-id-host-topic-phid-death-topic] [tck-id-host-topic-phid-birth-payload] [tck-id-host-topic-phid-death-payload] [tck-id-payloads-state-birth-payload] [tck-id-payloads-state-will-message-payload] is spBv1.0/STATE/<host>, in JSON with online and timestamp", () => {
    expect(stateTopic("takt")).toBe("spBv1.0/STATE/takt");
    expect(JSON.parse(onlinePayload(t0).toString())).toEqual({ online: true, timestamp: t0 });
    expect(JSON.parse(offlinePayload(t0).toString())).toEqual({ online: false, timestamp: t0 });
  });

  it("[tck-id-host-topic-phid-birth-payload-timestamp] [tck-id-host-topic-phid-death-payload-timestamp-connect] has in the birth the time of the will, which is that of the CONNECT", () => {
    const own = new OwnState("takt");
    expect(own.will(t0)).toEqual({ topic: "spBv1.0/STATE/takt", payload: offlinePayload(t0), qos: 1, retain: true });
    expect(own.birth()).toEqual({ topic: "spBv1.0/STATE/takt", payload: onlinePayload(t0), qos: 1, retain: true });
    expect(own.death(t0 + 50)).toEqual({ topic: "spBv1.0/STATE/takt", payload: offlinePayload(t0 + 50), qos: 1, retain: true });
    expect(own.will(t0 + 20).payload).toEqual(offlinePayload(t0 + 50)); // a clock that went back: never older than what was said
    expect(() => new OwnState("takt").birth()).toThrow(/only after it has connected/);
  });

  it("[tck-id-operational-behavior-host-application-multi-server-timestamp] keeps a time for each broker", () => {
    const [one, two] = [new OwnState("takt"), new OwnState("takt")];
    one.will(t0);
    two.will(t0 + 1_000);
    expect([one.birth().payload, two.birth().payload]).toEqual([onlinePayload(t0), onlinePayload(t0 + 1_000)]);
  });

  it("[tck-id-message-flow-hid-sparkplug-state-message-delivered] contradicts what is not its birth with its birth, at the time of its will", () => {
    const own = new OwnState("takt");
    const mine = topic("spBv1.0/STATE/takt");
    own.will(t0);
    expect(own.contradict(mine, offlinePayload(t0 - 5))).toBeNull(); // not yet said that it is online
    own.birth();
    expect(own.contradict(mine, offlinePayload(t0 - 5))).toEqual({ topic: "spBv1.0/STATE/takt", payload: onlinePayload(t0), qos: 1, retain: true });
    expect(own.contradict(topic("STATE/takt"), Buffer.from("OFFLINE"))).toEqual(own.birth()); // in the older form
    expect(own.contradict(topic("STATE/takt"), Buffer.from("ONLINE"))).toBeNull();
    expect(own.contradict(mine, onlinePayload(t0))).toBeNull();
    for (const other of ["rubbish", "", "ONLINE", onlinePayload(t0 + 1).toString(), `${onlinePayload(t0)} `])
      expect(own.contradict(mine, Buffer.from(other))).toEqual(own.birth());
    expect(own.contradict(topic("STATE/takt"), Buffer.from("rubbish"))).toBeNull(); // not a topic of its own any more
    expect(own.contradict(topic("spBv1.0/STATE/other"), offlinePayload(t0))).toBeNull();
    own.death(t0 + 1);
    expect(own.contradict(mine, offlinePayload(t0 + 1))).toBeNull();
  });

  it("understands other hosts, in the form of 3.0 and in the older one", () => {
    expect(parseState(onlinePayload(5))).toEqual({ online: true, timestamp: 5 });
    expect(parseState(Buffer.from("OFFLINE"))).toEqual({ online: false, timestamp: null });
    expect(parseState(Buffer.from("ONLINE"))).toEqual({ online: true, timestamp: null });
    const watched = new Watched();
    for (const sent of ["spBv1.0/STATE/scada", "STATE/scada"])
      for (const payload of [onlinePayload(5), Buffer.from("OFFLINE"), Buffer.alloc(0)]) watched.send({ topic: sent, payload });
    expect(watched.out).toMatchObject({ values: [], links: [], refused: [], commands: [] });
    for (const text of ["{", "null", "[]", '{"online":"yes","timestamp":1}', '{"online":true}', '{"online":true,"timestamp":"now"}', "x".repeat(10_001)]) {
      watched.send({ topic: "spBv1.0/STATE/scada", payload: Buffer.from(text) });
      expect(watched.out.refused.at(-1)).toMatchObject({ code: "sparkplug_malformed", topic: "spBv1.0/STATE/scada" });
    }
    expect(watched.out.refused).toHaveLength(7);
  });
});

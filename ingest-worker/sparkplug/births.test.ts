import { describe, expect, it } from "vitest";
import { DataType } from "./datatype.ts";
import { bdSeqMetric, byAlias, double, encode, rebirthMetric, TestEdge, t0, Watched } from "./testing.ts";

const a = (value: number, alias = 1) => double("a", value, { alias });
const d = (value: number, alias = 2) => double("d", value, { alias });

describe("births", () => {
  it("[tck-id-topics-nbirth-topic] [tck-id-topics-nbirth-timestamp] [tck-id-payloads-nbirth-timestamp] [tck-id-topics-nbirth-metrics] [tck-id-operational-behavior-data-publish-nbirth-values] [tck-id-topics-nbirth-bdseq-included] [tck-id-payloads-nbirth-bdseq] [tck-id-message-flow-edge-node-birth-publish-nbirth-topic] NBIRTH makes the node alive from its own time on, and gives its values", () => {
    const watched = new Watched();
    watched.send(new TestEdge("Berlin", "Edge1", 3).nbirth([a(1), double("b", 2)], t0 - 200));
    expect(watched.said).toEqual(["birth Berlin/Edge1 true -200"]);
    expect(watched.out.links[0]!.detail).toBe("NBIRTH, bdSeq 3");
    expect(watched.out.values.map((v) => [v.address, v.metric, v.value, v.at])).toEqual([
      ["Berlin/Edge1", "a", 1, t0],
      ["Berlin/Edge1", "b", 2, t0],
    ]);
    expect(watched.host.stats()).toMatchObject({ nodes: 1, nodesOnline: 1, metrics: 4 });
  });

  it("[tck-id-topics-dbirth-topic] [tck-id-topics-dbirth-timestamp] [tck-id-payloads-dbirth-timestamp] [tck-id-topics-dbirth-metrics] [tck-id-operational-behavior-data-publish-dbirth-values] [tck-id-message-flow-device-birth-publish-dbirth-topic] [tck-id-topics-dbirth-seq] [tck-id-payloads-dbirth-seq] [tck-id-payloads-dbirth-seq-inc] [tck-id-message-flow-device-birth-publish-dbirth-payload-seq] DBIRTH makes the device alive, in its turn", () => {
    const watched = new Watched();
    const edge = new TestEdge();
    watched.send(edge.nbirth());
    const [one, two] = [edge.dbirth("Press", [d(1)], t0 + 1), edge.dbirth("Saw", [d(2, 9)], t0 + 2)];
    watched.send(two, t0 + 3);
    expect(watched.said).toHaveLength(1);
    watched.send(one, t0 + 3);
    expect(watched.said.slice(1)).toEqual(["birth Berlin/Edge1/Press true 1", "birth Berlin/Edge1/Saw true 2"]);
    expect(watched.out.values.map((v) => `${v.address} ${v.value}`)).toEqual(["Berlin/Edge1/Press 1", "Berlin/Edge1/Saw 2"]);
  });

  it("believes a time of sending within 7 days back and 5 minutes ahead; else the birth counts from its receipt", () => {
    for (const [sent, at] of [
      [t0 - 3_600_000, -3_600_000],
      [t0 + 299_000, 299_000],
      [t0 + 301_000, 0],
      [0, 0],
      [t0 - 8 * 86_400_000, 0],
    ] as const) {
      const watched = new Watched();
      watched.send(new TestEdge().nbirth([], sent));
      expect(watched.said).toEqual([`birth Berlin/Edge1 true ${at}`]);
    }
  });

  it("[tck-id-topics-nbirth-seq-num] [tck-id-payloads-nbirth-seq] [tck-id-message-flow-edge-node-birth-publish-nbirth-payload-seq] NBIRTH begins the count with 0; another number is taken as the beginning, and remarked", () => {
    const watched = new Watched();
    const edge = new TestEdge();
    watched.send(edge.nbirth([a(0)]));
    watched.send(edge.ndata([byAlias(1, 1)]));
    const odd = { topic: edge.topic("NBIRTH"), payload: encode({ timestamp: t0 + 5, metrics: [bdSeqMetric(0), rebirthMetric, a(2)], seq: 17 }) };
    watched.send(odd);
    expect(watched.out.links.at(-1)!.detail).toBe("NBIRTH, bdSeq 0, its sequence number is 17 instead of 0");
    edge.seq = 18;
    watched.send(edge.ndata([byAlias(1, 3)]));
    watched.tick(t0 + 60_000);
    expect(watched.got).toEqual(["a=0", "a=1", "a=2", "a=3"]);
    expect(watched.rebirths).toBe(0);
  });

  it("a birth takes the place of the one before: aliases that it leaves out are unknown, others may mean something else", () => {
    const watched = new Watched();
    const edge = new TestEdge();
    watched.send(edge.nbirth([a(0, 1), double("b", 0, { alias: 2 })]));
    watched.send(edge.nbirth([a(1, 2)], t0 + 1));
    watched.send(edge.ndata([byAlias(2, 7), byAlias(1, 8)]));
    expect(watched.got).toEqual(["a=0", "b=0", "a=1", "a=7"]);
    expect(watched.out.refused).toMatchObject([{ code: "sparkplug_unknown_alias" }]);
    expect(watched.host.stats().metrics).toBe(3);
  });

  it("[tck-id-topics-nbirth-metric-reqs] [tck-id-topics-dbirth-metric-reqs] [tck-id-operational-behavior-data-publish-nbirth] [tck-id-operational-behavior-data-publish-dbirth] a metric that the birth left out: by name it is taken, by alias refused; a new birth is asked for, once in a session", () => {
    const watched = new Watched();
    const edge = new TestEdge();
    watched.send(edge.nbirth([a(0)]));
    watched.send(edge.dbirth("Press", [d(0)]));
    watched.send(edge.ndata([double("new", 5)]));
    expect(watched.got.at(-1)).toBe("new=5");
    expect(watched.rebirths).toBe(1);
    watched.send(edge.nbirth([a(0)], t0 + 10));
    watched.send(edge.dbirth("Press", [d(0)], t0 + 10));
    watched.send(edge.ndata([double("new", 6)]), t0 + 3_600_000);
    expect(watched.rebirths).toBe(1);
    watched.send(edge.ddata("Press", [byAlias(99, 1)]), t0 + 3_600_000);
    expect(watched.out.refused).toMatchObject([{ code: "sparkplug_unknown_alias", topic: "spBv1.0/Berlin/DDATA/Edge1/Press" }]);
    expect(watched.rebirths).toBe(2);
  });

  it("[tck-id-topic-structure-namespace-duplicate-device-id-across-edge-node] [tck-id-message-flow-device-birth-publish-dbirth-match-edge-node-topic] devices of one name under two nodes, and one alias in two devices, stay apart", () => {
    const watched = new Watched();
    const [one, two] = [new TestEdge("Berlin", "Edge1"), new TestEdge("Berlin", "Edge2")];
    for (const edge of [one, two]) watched.send(edge.nbirth());
    watched.send(one.dbirth("Press", [d(1, 5)]));
    watched.send(two.dbirth("Press", [double("other", 2, { alias: 5 })]));
    watched.send(one.dbirth("Saw", [double("third", 3, { alias: 5 })]));
    watched.out.values.length = 0;
    watched.send(two.ddata("Press", [byAlias(5, 4)]));
    watched.send(one.ddata("Press", [byAlias(5, 5)]));
    watched.send(one.ddata("Saw", [byAlias(5, 6)]));
    expect(watched.out.values.map((v) => `${v.address} ${v.metric}=${v.value}`)).toEqual([
      "Berlin/Edge2/Press other=4",
      "Berlin/Edge1/Press d=5",
      "Berlin/Edge1/Saw third=6",
    ]);
  });

  it("[tck-id-topic-structure-namespace-unique-edge-node-descriptor] [tck-id-payloads-nbirth-edge-node-descriptor] [tck-id-topic-structure-namespace-unique-device-id] two edges of one name are noticed: each birth ends the other's session, or the count breaks", () => {
    const watched = new Watched({ reorderTimeoutMs: 0 });
    const [one, two] = [new TestEdge("Berlin", "Edge1", 3), new TestEdge("Berlin", "Edge1", 9)];
    watched.send(one.nbirth([a(0)]));
    for (let i = 0; i < 5; i++) watched.send(one.ndata([byAlias(1, i)]));
    watched.send(two.nbirth([a(0)], t0 + 10));
    expect(watched.out.links.some((l) => l.detail === "The session with bdSeq 3 ended without NDEATH.")).toBe(true);
    watched.send(one.ndata([byAlias(1, 9)], t0 + 11));
    expect(watched.said.at(-2)).toMatch(/^sequence_gap Berlin\/Edge1 false/);
    expect(watched.rebirths).toBe(1);
  });

  it("[tck-id-operational-behavior-data-commands-rebirth-action-2] [tck-id-operational-behavior-data-commands-rebirth-action-3] [tck-id-topics-nbirth-bdseq-matching] [tck-id-payloads-nbirth-bdseq-repeat] [tck-id-message-flow-edge-node-birth-publish-nbirth-payload-bdSeq] a birth with the same bdSeq goes on with the session: nobody is said to have died, devices that are born again in time leave no gap", () => {
    const watched = new Watched();
    const edge = new TestEdge("Berlin", "Edge1", 4);
    for (const at of [t0, t0 + 1_000]) {
      watched.send(edge.nbirth([a(0)], at), at);
      watched.send(edge.dbirth("Press", [d(0)], at + 5), at + 5);
      watched.send(edge.dbirth("Saw", [double("s", 0)], at + 6), at + 6);
    }
    watched.tick(t0 + 60_000);
    expect(watched.said.filter((s) => !s.startsWith("birth"))).toEqual([]);
    expect(watched.rebirths).toBe(0);
  });

  it("a device that is not born again after its node is dead since the node's birth", () => {
    const watched = new Watched();
    const edge = new TestEdge();
    watched.send(edge.nbirth());
    watched.send(edge.dbirth("Press", [d(0)]));
    watched.send(edge.nbirth([], t0 + 5_000), t0 + 5_010);
    expect(watched.host.nextTickAt()).toBe(t0 + 7_010);
    watched.tick(t0 + 7_010);
    expect(watched.said.at(-1)).toBe("death Berlin/Edge1/Press false 5000");
    watched.tick(t0 + 60_000);
    expect(watched.said).toHaveLength(4);
  });

  it("[tck-id-topics-nbirth-bdseq-increment] [tck-id-message-flow-edge-node-birth-publish-will-message-payload-bdSeq] a birth with another bdSeq begins a session; where no NDEATH ended the one before, nothing vouches for the time since its last message", () => {
    const watched = new Watched();
    const edge = new TestEdge("Berlin", "Edge1", 255);
    watched.send(edge.nbirth([a(0)]));
    watched.send(edge.dbirth("Press", [d(0)]));
    watched.send(edge.ndata([byAlias(1, 1)], t0 + 700), t0 + 700);
    edge.bdSeq = 0;
    watched.send(edge.nbirth([a(0)], t0 + 9_000), t0 + 9_000);
    expect(watched.said.slice(2)).toEqual(["death Berlin/Edge1 false 700", "death Berlin/Edge1/Press false 700", "birth Berlin/Edge1 true 9000"]);
  });

  it("[tck-id-topics-nbirth-rebirth-metric] [tck-id-payloads-nbirth-rebirth-req] [tck-id-operational-behavior-data-commands-rebirth-name] [tck-id-operational-behavior-data-commands-rebirth-datatype] [tck-id-operational-behavior-data-commands-rebirth-value] [tck-id-operational-behavior-data-commands-ncmd-metric-name] asks a node that is online for a birth only if its NBIRTH offers Node Control/Rebirth, whatever type and value that has", () => {
    const without = new Watched();
    without.send({ topic: "spBv1.0/Berlin/NBIRTH/Edge1", payload: encode({ timestamp: t0, seq: 0, metrics: [bdSeqMetric(0)] }) });
    without.send({ topic: "spBv1.0/Berlin/NDATA/Edge1", payload: encode({ timestamp: t0, seq: 1, metrics: [byAlias(1, 1)] }) });
    expect(without.rebirths).toBe(0);
    const odd = new Watched();
    odd.send({
      topic: "spBv1.0/Berlin/NBIRTH/Edge1",
      payload: encode({ timestamp: t0, seq: 0, metrics: [{ name: "Node Control/Rebirth", datatype: DataType.Int32, intValue: 1 }] }),
    });
    odd.send({ topic: "spBv1.0/Berlin/NDATA/Edge1", payload: encode({ timestamp: t0, seq: 1, metrics: [byAlias(1, 1)] }) });
    expect(odd.rebirths).toBe(1);
    expect(odd.got).toEqual([]);
  });
});

describe("deaths", () => {
  const alive = (bdSeq = 7) => {
    const watched = new Watched();
    const edge = new TestEdge("Berlin", "Edge1", bdSeq);
    watched.send(edge.nbirth([a(0)]));
    watched.send(edge.dbirth("Press", [d(0)]));
    watched.send(edge.dbirth("Saw", [double("s", 0)]));
    watched.out.links.length = 0;
    return { watched, edge };
  };

  it("[tck-id-operational-behavior-edge-node-termination-host-action-ndeath-node-offline] [tck-id-operational-behavior-edge-node-termination-host-action-ndeath-node-tags-stale] [tck-id-operational-behavior-edge-node-termination-host-action-ndeath-devices-offline] [tck-id-operational-behavior-edge-node-termination-host-action-ndeath-devices-tags-stale] [tck-id-topics-ndeath-topic] [tck-id-message-flow-edge-node-birth-publish-will-message-topic] [tck-id-topics-ndeath-payload] [tck-id-topics-ndeath-seq] [tck-id-payloads-ndeath-seq] [tck-id-payloads-ndeath-bdseq] NDEATH ends node and devices at the host's own time; the order goes on without it", () => {
    const { watched, edge } = alive();
    watched.send(edge.ndeath(), t0 + 90_000);
    expect(watched.said).toEqual([
      "offline Berlin/Edge1 false 88000", // what was under way at the end of the connection may be lost
      "offline Berlin/Edge1/Press false 88000",
      "offline Berlin/Edge1/Saw false 88000",
      "death Berlin/Edge1 false 90000",
      "death Berlin/Edge1/Press false 90000",
      "death Berlin/Edge1/Saw false 90000",
    ]);
    expect(watched.host.stats().nodesOnline).toBe(0);
    expect(watched.got).toEqual(["a=0", "d=0", "s=0"]);
  });

  it("[tck-id-operational-behavior-edge-node-intentional-disconnect-ndeath] [tck-id-payloads-ndeath-will-message-publisher] an NDEATH that the edge sends itself counts once, though the broker's will follows", () => {
    const { watched, edge } = alive();
    watched.send(edge.ndeath(), t0 + 1_000);
    watched.send(edge.ndeath(), t0 + 46_000);
    expect(watched.said.filter((s) => s.startsWith("death"))).toHaveLength(3);
  });

  it("an NDEATH of an earlier session does not end the present one; one without bdSeq does", () => {
    const { watched, edge } = alive(8);
    watched.send(edge.ndeath(7), t0 + 1_000);
    expect(watched.said).toEqual([]);
    watched.send(edge.ndata([byAlias(1, 1)]));
    expect(watched.got.at(-1)).toBe("a=1");
    watched.send({ topic: edge.topic("NDEATH"), payload: encode({ timestamp: t0 }) }, t0 + 2_000);
    expect(watched.said).toContain("death Berlin/Edge1 false 2000");
  });

  it("of a node that this host does not know says so too", () => {
    const watched = new Watched();
    watched.send(new TestEdge().ndeath(), t0 + 5);
    expect(watched.said).toEqual(["death Berlin/Edge1 false 5"]);
    expect(watched.rebirths).toBe(0);
  });

  it("[tck-id-operational-behavior-edge-node-termination-host-action-ddeath-devices-offline] [tck-id-operational-behavior-edge-node-termination-host-action-ddeath-devices-tags-stale] [tck-id-topics-ddeath-topic] [tck-id-topics-ddeath-seq-num] [tck-id-payloads-ddeath-timestamp] [tck-id-payloads-ddeath-seq] [tck-id-payloads-ddeath-seq-inc] [tck-id-payloads-ddeath-seq-number] [tck-id-operational-behavior-device-ddeath] DDEATH ends its device alone, at the time that it says, in its turn", () => {
    const { watched, edge } = alive();
    const [last, death] = [edge.ddata("Press", [byAlias(2, 5)]), edge.ddeath("Press", t0 + 3_000)];
    watched.send(death, t0 + 3_400);
    expect(watched.said).toEqual([]);
    watched.send(last, t0 + 3_500);
    expect(watched.said).toEqual(["death Berlin/Edge1/Press false 3000"]);
    expect(watched.got.at(-1)).toBe("d=5");
    watched.send(edge.ddeath("Press", t0 + 4_000), t0 + 4_000);
    expect(watched.said).toHaveLength(1);
    watched.send(edge.dbirth("Press", [d(6)], t0 + 5_000), t0 + 5_000);
    expect(watched.said.at(-1)).toBe("birth Berlin/Edge1/Press true 5000");
  });

  it("a DDEATH or DBIRTH that was given up for lost does not undo the birth after it", () => {
    const { watched, edge } = alive();
    const [death, birth, again] = [
      edge.ddeath("Press", t0 + 1_000),
      edge.dbirth("Press", [d(1)], t0 + 1_100),
      edge.dbirth("Press", [double("e", 2, { alias: 2 })], t0 + 1_200),
    ];
    watched.send(again, t0 + 1_200);
    watched.tick(t0 + 10_000);
    watched.out.links.length = 0;
    watched.send(death, t0 + 11_000);
    watched.send(birth, t0 + 11_000);
    watched.send(edge.ddata("Press", [byAlias(2, 3)]));
    expect(watched.said).toEqual([]);
    expect(watched.got.slice(3)).toEqual(["e=2", "d=1", "e=3"]);
  });

  it("what was held for its order is given out before the death", () => {
    const { watched, edge } = alive();
    edge.ndata([byAlias(1, 1)]);
    watched.send(edge.ndata([byAlias(1, 2)], t0 + 10), t0 + 10);
    watched.send(edge.ndeath(), t0 + 20);
    expect(watched.got.at(-1)).toBe("a=2");
    expect(watched.said).toEqual([
      "sequence_gap Berlin/Edge1 false 1",
      "sequence_gap Berlin/Edge1/Press false 1",
      "sequence_gap Berlin/Edge1/Saw false 1",
      "death Berlin/Edge1 false 20",
    ]);
  });

  it("a clock that was set back puts no birth before the death that it ends, nor a death before its birth", () => {
    const { watched, edge } = alive();
    watched.send(edge.ndeath(), t0 + 5_000);
    edge.bdSeq++;
    watched.send(edge.nbirth([], t0 - 3_600_000), t0 + 6_000);
    expect(watched.said.at(-1)).toBe("birth Berlin/Edge1 true 5000");
    edge.bdSeq++;
    watched.send(edge.nbirth([], t0 + 250_000), t0 + 7_000);
    watched.send(edge.ndeath(), t0 + 8_000);
    expect(watched.said.filter((s) => s.includes("Edge1 ")).slice(-2)).toEqual(["birth Berlin/Edge1 true 250000", "death Berlin/Edge1 false 250001"]);
  });
});

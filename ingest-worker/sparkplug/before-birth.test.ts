import { describe, expect, it } from "vitest";
import { recalledEvents } from "./liveness.ts";
import { byAlias, decode, double, type Sent, TestEdge, t0, Watched } from "./testing.ts";

const a = (value: number, alias = 1) => double("a", value, { alias });
const d = (value: number, alias = 2) => double("d", value, { alias });

/** An edge that has been sending for a while when the host comes. */
function running() {
  const watched = new Watched();
  const edge = new TestEdge();
  edge.seq = 57;
  return { watched, edge };
}

describe("messages before their birth", () => {
  it("[tck-id-payloads-ndata-order] [tck-id-message-flow-device-birth-publish-nbirth-wait] DATA and DBIRTH before NBIRTH ask for a birth, and are kept for it", () => {
    const { watched, edge } = running();
    watched.send(edge.ndata([byAlias(1, 5)], t0 + 1), t0 + 1);
    watched.send(edge.dbirth("Press", [d(6)], t0 + 2), t0 + 2);
    watched.send(edge.ddata("Press", [byAlias(2, 7)], t0 + 3), t0 + 3);
    expect(watched.got).toEqual([]);
    expect(watched.rebirths).toBe(1);
    expect(watched.said).toEqual(["rebirth_requested Berlin/Edge1 null 1"]);
    expect(watched.host.stats().heldMessages).toBe(3);
    watched.send(edge.nbirth([a(8)], t0 + 10), t0 + 10);
    watched.send(edge.dbirth("Press", [d(9)], t0 + 11), t0 + 11);
    expect(watched.got).toEqual(["a=5", "d=6", "a=8", "d=7", "d=9"]);
    expect(watched.out.values[0]).toMatchObject({ at: t0, receivedAt: t0 + 1 });
    expect(watched.host.stats().heldMessages).toBe(0);
    watched.tick(t0 + 90_000);
    expect(watched.rebirths).toBe(1);
    expect(watched.out.refused).toEqual([]);
  });

  it("[tck-id-payloads-dbirth-order] [tck-id-payloads-ddata-order] [tck-id-topics-dbirth-topic] DDATA before DBIRTH, or after DDEATH, asks for a birth and is kept for that of its device", () => {
    const watched = new Watched();
    const edge = new TestEdge();
    watched.send(edge.nbirth([a(0)]));
    watched.send(edge.ddata("Press", [byAlias(2, 1)]));
    watched.send(edge.ndata([byAlias(1, 2)]));
    expect(watched.got).toEqual(["a=0", "a=2"]);
    expect(watched.rebirths).toBe(1);
    watched.send(edge.nbirth([a(3)], t0 + 1));
    watched.send(edge.dbirth("Press", [d(4)], t0 + 1));
    expect(watched.got.slice(2)).toEqual(["a=3", "d=1", "d=4"]);
    watched.send(edge.ddeath("Press", t0 + 2));
    watched.send(edge.ddata("Press", [byAlias(2, 5)], t0 + 3), t0 + 20_000);
    expect(watched.rebirths).toBe(2);
  });

  it("does not guess: an alias that meant something else in the birth before the gap is refused, and can be tried again", () => {
    const watched = new Watched();
    const edge = new TestEdge();
    watched.send(edge.nbirth([a(0, 1), double("b", 0, { alias: 2 })]));
    watched.host.onDisconnected(t0 + 1);
    watched.send(edge.ndata([byAlias(1, 1), byAlias(2, 2)], t0 + 2), t0 + 2);
    watched.send(edge.nbirth([double("b", 0, { alias: 2 }), double("c", 0, { alias: 1 })], t0 + 3), t0 + 3);
    expect(watched.got.slice(2)).toEqual(["b=2", "b=0", "c=0"]);
    expect(watched.out.refused).toMatchObject([{ code: "sparkplug_unknown_alias", valueCount: 1 }]);
    const again = watched.host.onRetry(watched.out.refused[0]!.topic, watched.out.refused[0]!.payload, t0 + 99);
    expect(again.values).toMatchObject([{ metric: "c", value: 1, at: t0 }]);
  });

  it("does not guess: what came before a death is not explained by the session after it, unless both births agree", () => {
    const { watched, edge } = running();
    watched.send(edge.ndata([byAlias(1, 1), double("named", 2)]));
    watched.send(edge.ndeath());
    watched.send(edge.nbirth([a(0)], t0 + 5));
    expect(watched.got).toEqual(["named=2", "a=0"]);
    expect(watched.out.refused).toMatchObject([{ code: "sparkplug_before_birth", topic: "spBv1.0/Berlin/NDATA/Edge1", valueCount: 1 }]);

    watched.send(edge.ndeath());
    watched.send(edge.ndata([byAlias(1, 3)], t0 + 6));
    watched.send(edge.nbirth([a(4)], t0 + 7));
    expect(watched.got.slice(2)).toEqual(["a=3", "a=4"]);
  });

  it("after the wait gives out what names itself, and sets the rest aside", () => {
    const { watched, edge } = running();
    watched.send(edge.ndata([byAlias(1, 1), double("named", 2), byAlias(3, 3)]));
    watched.send(edge.dbirth("Press", [d(4)]));
    watched.tick(t0 + 59_999);
    expect(watched.out.refused).toEqual([]);
    watched.tick(t0 + 60_000);
    expect(watched.got).toEqual(["named=2", "d=4"]);
    expect(watched.out.refused).toMatchObject([{ code: "sparkplug_before_birth", valueCount: 2, form: "message", topic: "spBv1.0/Berlin/NDATA/Edge1" }]);
    expect(decode(watched.out.refused[0]!.payload)).toMatchObject({ metrics: [{ alias: 1 }, { alias: 3 }] });
    expect(watched.out.refused[0]!.reason).toMatch(/aliases 1, 3 before Berlin\/Edge1 said in a birth what they stand for/);
  });

  it("keeps a bounded number of messages and bytes; the oldest make room", () => {
    const watched = new Watched({ maxHeldMessages: 10 });
    const edge = new TestEdge();
    for (let i = 0; i < 25; i++) watched.send(edge.ndata([byAlias(1, i)]));
    expect(watched.host.stats().heldMessages).toBe(10);
    expect(watched.out.refused).toHaveLength(15);
    expect(decode(watched.out.refused[0]!.payload)).toMatchObject({ metrics: [{ doubleValue: 0 }] });
    const total = new Watched({ maxHeldBytesTotal: 500 });
    for (let i = 0; i < 50; i++) total.send(new TestEdge("Berlin", `Edge${i}`).ndata([byAlias(1, i)]));
    expect(total.host.stats().heldBytes).toBeLessThanOrEqual(500);
    expect(total.out.refused.length + total.host.stats().heldMessages).toBe(50);
  });

  it("births and data that overtook their NBIRTH, as in clustered brokers, follow it in order", () => {
    const watched = new Watched();
    const edge = new TestEdge();
    const sent = [
      edge.nbirth([a(0)], t0),
      edge.dbirth("Press", [d(1)], t0),
      edge.dbirth("Saw", [double("s", 2)], t0),
      edge.ndata([byAlias(1, 3)], t0 + 1),
      edge.ddata("Press", [byAlias(2, 4)], t0 + 2),
    ];
    for (const i of [2, 4, 0, 1, 3]) watched.send(sent[i]!, t0 + 50);
    expect(watched.got).toEqual(["a=0", "d=1", "s=2", "a=3", "d=4"]);
    watched.send(edge.ndata([byAlias(1, 5)], t0 + 60), t0 + 60);
    watched.tick(t0 + 60_000);
    expect(watched.got.at(-1)).toBe("a=5");
    expect(watched.said.filter((s) => s.startsWith("sequence_gap"))).toEqual([]);
  });

  it("what was held for long is not of a birth that comes now, whatever its clock says", () => {
    const watched = new Watched();
    const edge = new TestEdge();
    edge.seq = 3;
    watched.send(edge.ndata([byAlias(1, 1)], t0 + 60_000), t0);
    watched.send(edge.nbirth([a(2)], t0 + 30_000), t0 + 30_000);
    watched.send(edge.ndata([byAlias(1, 3)], t0 + 30_001), t0 + 30_001);
    watched.tick(t0 + 50_000);
    expect(watched.got).toEqual(["a=1", "a=2", "a=3"]);
    expect(watched.said.filter((s) => s.startsWith("sequence_gap"))).toEqual([]);
  });

  it("what was sent before a birth and comes after it stands outside of the birth's count", () => {
    const watched = new Watched();
    const edge = new TestEdge();
    watched.send(edge.nbirth([a(0)]));
    const old = [edge.ndata([byAlias(1, 1), double("a", 2)], t0 + 5), edge.dbirth("Press", [d(3)], t0 + 6), edge.ddeath("Press", t0 + 7)];
    watched.send(edge.nbirth([a(4)], t0 + 10), t0 + 10);
    for (const sent of old.slice(1)) watched.send(sent, t0 + 11); // the first has the very number that comes next: it cannot be told apart
    watched.send(edge.ndata([byAlias(1, 5)], t0 + 12), t0 + 12);
    watched.tick(t0 + 60_000);
    expect(watched.got).toEqual(["a=0", "a=4", "d=3", "a=5"]);
    expect(watched.said).toEqual(["birth Berlin/Edge1 true 0", "birth Berlin/Edge1 true 10"]);
  });

  it("the same for a node that is online: what is sent after the new birth waits for it, what was sent before is a gap", () => {
    const watched = new Watched();
    const edge = new TestEdge();
    watched.send(edge.nbirth([a(0)]));
    edge.ndata([]);
    const old = edge.ndata([byAlias(1, 1)], t0 + 10);
    const [birth, device, data] = [edge.nbirth([a(2)], t0 + 100), edge.dbirth("Press", [d(3)], t0 + 101), edge.ndata([byAlias(1, 4)], t0 + 102)];
    for (const sent of [old, data, birth, device]) watched.send(sent, t0 + 110);
    watched.tick(t0 + 60_000);
    expect(watched.got).toEqual(["a=0", "a=1", "a=2", "d=3", "a=4"]);
    expect(watched.said).toEqual([
      "birth Berlin/Edge1 true 0",
      "sequence_gap Berlin/Edge1 false 1",
      "birth Berlin/Edge1 true 100",
      "birth Berlin/Edge1/Press true 101",
    ]);
    expect(watched.rebirths).toBe(0);
  });
});

describe("the host's own connection", () => {
  it("lost: no link is known to be alive since then, and all nodes must be born again", () => {
    const watched = new Watched();
    const edge = new TestEdge();
    watched.send(edge.nbirth([a(0)]));
    watched.send(edge.dbirth("Press", [d(0)]));
    watched.gather(watched.host.onDisconnected(t0 + 9_000, t0 + 4_000));
    expect(watched.said.slice(2)).toEqual(["offline Berlin/Edge1 false 2000", "offline Berlin/Edge1/Press false 2000"]);
    watched.gather(watched.host.onDisconnected(t0 + 9_500));
    expect(watched.said).toHaveLength(4);
    watched.send(edge.ndata([byAlias(1, 1)], t0 + 10_000), t0 + 10_000);
    expect(watched.rebirths).toBe(1);
    watched.send(edge.nbirth([a(2)], t0 + 10_100), t0 + 10_100);
    expect(watched.got.slice(2)).toEqual(["a=1", "a=2"]);
    expect(watched.said.at(-1)).toBe("birth Berlin/Edge1 true 10100");
  });

  it("lost: what an edge sent since its last message may be lost with it; of a silent one, what was under way", () => {
    const watched = new Watched();
    const [busy, silent, slow] = ["Busy", "Silent", "Slow"].map((node) => new TestEdge("Berlin", node)) as [TestEdge, TestEdge, TestEdge];
    watched.send(busy.nbirth([a(0)]));
    watched.send(silent.nbirth([a(0)]));
    watched.send(slow.nbirth([a(0)]), t0 + 5_000); // its clock is 5 s behind
    watched.send(busy.ndata([byAlias(1, 1)], t0 + 59_000), t0 + 59_500);
    watched.gather(watched.host.onDisconnected(t0 + 61_000, t0 + 60_000));
    expect(watched.said.slice(3)).toEqual(["offline Berlin/Busy false 59000", "offline Berlin/Silent false 58000", "offline Berlin/Slow false 53000"]);
  });

  it("given up for good: what was held for a birth is given out, as far as it speaks for itself", () => {
    const watched = new Watched();
    const edge = new TestEdge();
    edge.nbirth();
    watched.send(edge.ndata([byAlias(1, 1), double("named", 2)], t0 + 1), t0 + 1);
    watched.gather(watched.host.onDisconnected(t0 + 10));
    expect(watched.out.refused).toEqual([]);
    watched.gather(watched.host.onEnd());
    expect(watched.got).toEqual(["named=2"]);
    expect(watched.out.refused).toMatchObject([{ code: "sparkplug_before_birth", valueCount: 1 }]);
    expect(watched.host.stats().heldMessages).toBe(0);
  });

  it("says up to when all is given out: not past what waits for its order, nor past what a connection that is behind has yet to bring", () => {
    const { host, ...watched } = new Watched();
    const edge = new TestEdge();
    const send = ({ topic, payload }: Sent, at: number) => host.onMessage(topic, payload, at);
    expect([watched.out.values.length, host.settledTo(t0 + 5)]).toEqual([0, t0 + 5]);
    send(edge.nbirth([a(0)], t0), t0 + 100);
    expect(host.settledTo(t0 + 200)).toBe(t0 + 200);
    send(edge.ndata([byAlias(1, 1)], t0 + 1_000), t0 + 4_100); // read 3 s later than the birth was
    expect(host.settledTo(t0 + 4_200)).toBe(t0 + 1_200);
    expect(host.settledTo(t0 + 9_000)).toBe(t0 + 9_000);
    edge.ndata([byAlias(1, 2)]);
    send(edge.ndata([byAlias(1, 3)], t0 + 10_000), t0 + 10_100);
    expect(host.settledTo(t0 + 11_000)).toBe(t0 + 10_100);
    host.onTick(t0 + 12_100);
    expect(host.settledTo(t0 + 13_000)).toBe(t0 + 13_000);
  });

  it("back: nodes that do not report by themselves are asked to, quiet ones and those known from the plant too", () => {
    const watched = new Watched();
    const edge = new TestEdge();
    watched.send(edge.nbirth([a(0)]));
    watched.host.onDisconnected(t0 + 1_000);
    watched.host.onConnected(t0 + 2_000, ["Berlin/Quiet/Press", "Berlin/Quiet", "Chicago/Edge9", "nonsense", "a+/b"]);
    watched.send(edge.nbirth([a(0)], t0 + 2_500), t0 + 2_500);
    expect(watched.rebirths).toBe(0);
    for (let now = t0 + 2_000; now < t0 + 5_000; now += 10) watched.tick(now);
    expect(watched.out.commands.map((c) => c.topic)).toEqual(["spBv1.0/Berlin/NCMD/Quiet", "spBv1.0/Chicago/NCMD/Edge9"]);
  });
});

describe("history", () => {
  const historical = (value: number, at: number) => ({ ...byAlias(1, value, at), isHistorical: true });

  it("says of each window without link in which the edge was recording that it was, once", () => {
    const watched = new Watched();
    const edge = new TestEdge();
    watched.send(edge.nbirth([a(0)], t0), t0);
    watched.send(edge.ndeath(), t0 + 10_000);
    edge.bdSeq = 1;
    watched.send(edge.nbirth([a(0)], t0 + 20_000), t0 + 20_000);
    watched.out.links.length = 0;
    watched.send(
      edge.ndata(
        [5_000, 11_000, 12_000, 13_000, 19_000, 21_000].map((after) => historical(after, t0 + after)),
        t0 + 22_000,
      ),
      t0 + 22_000,
    );
    expect(watched.said).toEqual(["history Berlin/Edge1 null 11000"]);
    expect(watched.out.values.filter((v) => v.historical)).toHaveLength(6);
    watched.send(edge.ndata([historical(1, t0 + 14_000)], t0 + 23_000), t0 + 23_000);
    expect(watched.said).toHaveLength(1);
  });

  it("knows the windows of a host before it that it was told of: each said once, also short ones; no birth before the death that it ends", () => {
    const watched = new Watched();
    const edge = new TestEdge();
    const said = [
      [-90_000, "birth", true],
      [-80_000, "offline", false],
      [-79_000, "history", null],
      [-70_000, "birth", true],
      [-60_000, "sequence_gap", false],
      [-59_000, "death", false],
      [-50_000, "birth", true],
      [-40_000, "offline", false],
    ] as const;
    watched.host.recall([["Berlin/Edge1", said.map(([at, kind, alive]) => ({ at: t0 + at, kind, alive }))]], t0);
    watched.send(edge.nbirth([a(0)], t0 - 41_000), t0);
    expect(watched.said).toEqual(["birth Berlin/Edge1 true -40000"]);
    watched.out.links.length = 0;
    watched.send(
      edge.ndata(
        [-79_500, -75_000, -59_500, -52_000, -45_000, -30_000].map((at) => historical(at, t0 + at)),
        t0 + 1,
      ),
      t0 + 1,
    );
    expect(watched.said).toEqual(["history Berlin/Edge1 null -59500"]);
  });

  const fill = (from: number, to: number, stepMs: number) =>
    Array.from({ length: Math.abs(to - from) / stepMs }, (_, i) => historical(i, t0 + from + Math.sign(to - from) * i * stepMs));

  it("of the time before anything was said of a link, a backlog says that it was alive from its first value on: once, in however many messages", () => {
    const watched = new Watched();
    const edge = new TestEdge();
    watched.send(edge.nbirth([a(0)], t0), t0);
    for (let hour = 24; hour > 0; hour--) watched.send(edge.ndata(fill(-hour * 3_600_000, (1 - hour) * 3_600_000, 30_000), t0 + 1), t0 + 1);
    expect(watched.said.slice(1)).toEqual([`history Berlin/Edge1 true ${-24 * 3_600_000}`]);
    expect(watched.out.values.filter((v) => v.historical)).toHaveLength(24 * 120);
  });

  it("one that comes with its newest values first says so once a minute of it", () => {
    const watched = new Watched();
    const edge = new TestEdge();
    watched.send(edge.nbirth([a(0)], t0), t0);
    watched.send(edge.ndata(fill(0, -300_000, 1_000), t0 + 1), t0 + 1);
    expect(watched.said.slice(1)).toEqual([-60_000, -120_000, -180_000, -240_000].map((at) => `history Berlin/Edge1 true ${at}`));
  });

  it("where more was said before this host's start than it was told of, it does not know the windows: a remark a minute", () => {
    const watched = new Watched();
    const edge = new TestEdge();
    const said = Array.from({ length: recalledEvents }, (_, i) => ({ at: t0 - 20_000 + i, kind: i % 2 === 0 ? "birth" : "death", alive: i % 2 === 0 }));
    watched.host.recall([["Berlin/Edge1", said]], t0);
    watched.send(edge.nbirth([a(0)], t0), t0);
    watched.send(edge.ndata(fill(-300_000, 0, 1_000), t0 + 1), t0 + 1);
    expect(watched.said.filter((one) => one.startsWith("history")).slice(0, 5)).toEqual(
      [-300_000, -240_000, -180_000, -120_000, -60_000].map((at) => `history Berlin/Edge1 null ${at}`),
    );
  });
});

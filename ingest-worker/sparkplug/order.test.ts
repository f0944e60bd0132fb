import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Sequence } from "./sequence.ts";
import { byAlias, decode, double, encode, type Sent, TestEdge, t0, Watched } from "./testing.ts";

const reorderTimeoutMs = 2_000;

/** A node with metric a under alias 1 and a device Press with metric d under alias 2, both born; seq goes on with 2. */
function bornNode(options = {}) {
  const watched = new Watched({ reorderTimeoutMs, ...options });
  const edge = new TestEdge();
  watched.send(edge.nbirth([double("a", 0, { alias: 1 })]));
  watched.send(edge.dbirth("Press", [double("d", 0, { alias: 2 })]));
  watched.out.values.length = 0;
  watched.out.links.length = 0;
  const next = (value: number, at = t0 + value) => edge.ndata([byAlias(1, value, at)], at);
  return { watched, edge, next };
}

describe("order of messages", () => {
  it("[tck-id-payloads-sequence-num-always-included] [tck-id-topics-ndata-seq-num] [tck-id-topics-ddata-seq-num] [tck-id-payloads-ndata-seq] [tck-id-payloads-ndata-seq-inc] [tck-id-payloads-ddata-seq] [tck-id-payloads-ddata-seq-inc] counts 0 to 255 over node and devices alike, round and round", () => {
    const { watched, edge, next } = bornNode();
    for (let i = 1; i <= 600; i++) watched.send(i % 3 === 0 ? edge.ddata("Press", [byAlias(2, i)]) : next(i));
    expect(watched.out.values).toHaveLength(600);
    expect(watched.out.links).toEqual([]);
    expect(watched.rebirths).toBe(0);
  });

  it("[tck-id-operational-behavior-host-reordering-start] holds what comes too early, with a timer of the reorder time-out", () => {
    const { watched, next } = bornNode();
    const [, late] = [next(1), next(2)];
    expect(watched.host.nextTickAt()).toBeNull();
    watched.send(late, t0 + 100);
    expect(watched.got).toEqual([]);
    expect(watched.host.nextTickAt()).toBe(t0 + 100 + reorderTimeoutMs);
    watched.tick(t0 + 99 + reorderTimeoutMs);
    expect(watched.out.links).toEqual([]);
  });

  it("[tck-id-operational-behavior-host-reordering-success] goes on in order when the missing messages come in time", () => {
    const { watched, next } = bornNode();
    const [one, two, three, four] = [next(1), next(2), next(3), next(4)];
    for (const sent of [two, four, three, one]) watched.send(sent);
    expect(watched.got).toEqual(["a=1", "a=2", "a=3", "a=4"]);
    watched.tick(t0 + 60_000);
    expect(watched.out.links).toEqual([]);
    expect(watched.rebirths).toBe(0);
    expect(watched.host.nextTickAt()).toBeNull();
    expect(watched.host.stats()).toMatchObject({ heldMessages: 0, heldBytes: 0 });
  });

  it("[tck-id-operational-behavior-host-reordering-rebirth] [tck-id-topics-ndata-timestamp] [tck-id-payloads-ndata-timestamp] [tck-id-topics-ddata-timestamp] [tck-id-payloads-ddata-timestamp] after the time-out says the gap since the last message in order, takes what did come, and asks for a birth", () => {
    const { watched, edge, next } = bornNode();
    watched.send(next(1, t0 + 500), t0 + 510);
    next(2);
    next(3);
    watched.send(next(4, t0 + 900), t0 + 910);
    watched.send(edge.ddata("Press", [byAlias(2, 5)], t0 + 950), t0 + 960);
    watched.tick(t0 + 910 + reorderTimeoutMs);
    expect(watched.got).toEqual(["a=1", "a=4", "d=5"]);
    expect(watched.said).toEqual([
      "sequence_gap Berlin/Edge1 false 500",
      "sequence_gap Berlin/Edge1/Press false 500",
      `rebirth_requested Berlin/Edge1 null ${910 + reorderTimeoutMs}`,
    ]);
    expect(watched.out.links[0]!.detail).toBe("Sequence number 3 was expected, 5 came: 2 messages lost.");
    expect(watched.out.commands).toMatchObject([{ topic: "spBv1.0/Berlin/NCMD/Edge1", qos: 0, retain: false }]);
    // in order again, but not certain before the birth
    watched.send(next(6), t0 + 3_000);
    expect(watched.got.at(-1)).toBe("a=6");
    watched.send(edge.nbirth([double("a", 7, { alias: 1 })], t0 + 3_100), t0 + 3_100);
    watched.send(edge.dbirth("Press", [double("d", 8, { alias: 2 })], t0 + 3_101), t0 + 3_101);
    expect(watched.said.slice(3)).toEqual(["birth Berlin/Edge1 true 3100", "birth Berlin/Edge1/Press true 3101"]);
  });

  it("[tck-id-operational-behavior-host-reordering-param] waits as long as it is told to; 0 is not at all", () => {
    for (const timeout of [0, 500, 10_000]) {
      const { watched, next } = bornNode({ reorderTimeoutMs: timeout });
      next(1);
      watched.send(next(2));
      expect(watched.host.nextTickAt()).toBe(timeout === 0 ? t0 + 10_000 : t0 + timeout); // 0: only the next request is due
      if (timeout > 0) watched.tick(t0 + timeout - 1);
      expect(watched.got).toHaveLength(timeout === 0 ? 1 : 0);
      watched.tick(t0 + timeout);
      expect(watched.got).toEqual(["a=2"]);
      expect(watched.rebirths).toBe(1);
    }
  });

  it("takes a message that was given up for lost and comes after all, once", () => {
    const { watched, next } = bornNode();
    const lost = next(1);
    watched.send(next(2));
    watched.tick(t0 + reorderTimeoutMs);
    watched.send(lost, t0 + 5_000);
    watched.send(lost, t0 + 5_001);
    watched.send(next(3), t0 + 5_002);
    expect(watched.got).toEqual(["a=2", "a=1", "a=3"]);
    expect(watched.out.duplicates).toBe(1);
    expect(watched.rebirths).toBe(1);
  });

  it("a birth ends the search for what was lost before it, and does not forget what had come", () => {
    const { watched, edge, next } = bornNode();
    for (let i = 1; i <= 3; i++) next(i);
    const before = next(4, t0 + 20_000);
    watched.send(before); // 3 lost: 2, 3, 4
    watched.tick(t0 + reorderTimeoutMs);
    watched.send(edge.nbirth([double("a", 5, { alias: 1 })], t0 + 10_000), t0 + 10_000);
    const [one, two, three] = [next(6, t0 + 10_001), next(7, t0 + 10_002), next(8, t0 + 10_003)];
    for (const sent of [two, three, before, one]) watched.send(sent, t0 + 10_010);
    watched.tick(t0 + 60_000);
    expect(watched.got).toEqual(["a=4", "a=5", "a=6", "a=7", "a=8"]);
    expect(watched.out.duplicates).toBe(1);
    expect(watched.said.filter((s) => s.startsWith("sequence_gap"))).toHaveLength(2); // node and device, of the first loss
  });

  it("passes over a message that comes twice, byte for byte, and counts its metrics", () => {
    const { watched, edge, next } = bornNode();
    const one = next(1);
    const two = next(2);
    for (const sent of [one, one, two, one, two]) watched.send(sent);
    const birth = edge.nbirth([double("a", 3, { alias: 1 })], t0 + 9);
    for (const sent of [birth, next(4), birth]) watched.send(sent);
    expect(watched.got).toEqual(["a=1", "a=2", "a=3", "a=4"]);
    expect(watched.out.duplicates).toBe(3 + 3);
    watched.tick(t0 + 60_000);
    expect(watched.said.filter((s) => s.startsWith("sequence_gap"))).toEqual([]);
  });

  it("notices a node that counts anew without a birth", () => {
    const { watched, edge, next } = bornNode();
    for (let i = 1; i <= 100; i++) watched.send(next(i));
    edge.seq = 3;
    for (let i = 101; i <= 105; i++) watched.send(next(i));
    watched.tick(t0 + reorderTimeoutMs);
    expect(watched.got).toHaveLength(105);
    expect(watched.said[0]).toBe("sequence_gap Berlin/Edge1 false 100");
    expect(watched.out.links[0]!.detail).toMatch(/counted anew without a birth/);
    watched.send(next(106));
    expect(watched.got.at(-1)).toBe("a=106");
  });

  it("notices a loss also while the node's clock is behind its birth", () => {
    const { watched, next } = bornNode();
    for (const [i, value] of [1, 2, 3].entries()) watched.send(next(value, t0 - 3_600_000), t0 + 5_000 + i);
    next(4);
    watched.send(next(5, t0 - 3_600_000), t0 + 6_000);
    watched.tick(t0 + 20_000);
    expect(watched.got).toEqual(["a=1", "a=2", "a=3", "a=5"]);
    expect(watched.rebirths).toBe(1);
    expect(watched.said[0]).toMatch(/^sequence_gap/);
  });

  it("takes messages without a usable sequence number as they come, and says once that losses cannot be noticed", () => {
    const { watched } = bornNode();
    const topic = "spBv1.0/Berlin/NDATA/Edge1";
    watched.send({ topic, payload: encode({ timestamp: t0, metrics: [byAlias(1, 1)] }) });
    watched.send({ topic, payload: encode({ timestamp: t0, metrics: [byAlias(1, 2)], seq: 300 }) });
    expect(watched.got).toEqual(["a=1", "a=2"]);
    expect(watched.said).toEqual(["sequence_gap Berlin/Edge1 null 0"]);
    expect(watched.out.links[0]!.detail).toMatch(/no sequence number/);
  });

  it("without Node Control/Rebirth in the birth: no request; the link counts from the first message after the gap", () => {
    const watched = new Watched({ reorderTimeoutMs });
    const topic = (type: string) => `spBv1.0/Berlin/${type}/Edge1`;
    watched.send({ topic: topic("NBIRTH"), payload: encode({ timestamp: t0, metrics: [double("a", 0, { alias: 1 })], seq: 0 }) });
    watched.send({ topic: topic("NDATA"), payload: encode({ timestamp: t0 + 700, metrics: [byAlias(1, 1)], seq: 2 }) }, t0 + 700);
    watched.tick(t0 + 700 + reorderTimeoutMs);
    expect(watched.rebirths).toBe(0);
    expect(watched.said).toEqual(["birth Berlin/Edge1 true 0", "sequence_gap Berlin/Edge1 false 1", "birth Berlin/Edge1 true 700"]);
  });

  it("any shuffle within the reorder window comes out in order, each value once", () => {
    const shuffled = fc.integer({ min: 1, max: 60 }).chain((n) => fc.shuffledSubarray([...Array(n).keys()], { minLength: n, maxLength: n }));
    fc.assert(
      fc.property(shuffled, fc.integer({ min: 0, max: 300 }), (order, start) => {
        const { watched, next } = bornNode();
        for (let i = 0; i < start; i++) watched.send(next(i));
        const sent = order.map((_, i) => next(1000 + i));
        for (const i of order) watched.send(sent[i]!, t0);
        expect(watched.got.slice(start)).toEqual(order.map((_, i) => `a=${1000 + i}`));
        expect(watched.out.links).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it("any loss, doubling and shuffling: no value that came is missing or comes twice, and a loss before a later message is said", () => {
    const fate = fc.array(fc.record({ lost: fc.boolean(), twice: fc.boolean(), shift: fc.integer({ min: 0, max: 5 }) }), { minLength: 1, maxLength: 80 });
    fc.assert(
      fc.property(fate, (fates) => {
        const { watched, next } = bornNode();
        const line: { sent: Sent; value: number; place: number }[] = [];
        fates.forEach(({ lost, twice, shift }, i) => {
          const sent = next(i);
          if (lost) return;
          line.push({ sent, value: i, place: i + shift });
          if (twice) line.push({ sent, value: i, place: i + shift + 2 });
        });
        line.sort((a, b) => a.place - b.place);
        for (const [i, { sent }] of line.entries()) watched.send(sent, t0 + i);
        watched.tick(t0 + 60_000);
        const came = [...new Set(line.map((l) => l.value))].sort((a, b) => a - b);
        expect([...watched.out.values.map((v) => v.value as number)].sort((a, b) => a - b)).toEqual(came);
        const lostBefore = fates.some((f, i) => f.lost && i < (came.at(-1) ?? -1));
        expect(watched.said.some((s) => s.startsWith("sequence_gap Berlin/Edge1 false"))).toBe(lostBefore);
        expect(watched.host.stats()).toMatchObject({ heldMessages: 0, heldBytes: 0 });
      }),
      { numRuns: 200 },
    );
  });

  it("holds a bounded number of messages and bytes; beyond that the gap is closed at once", () => {
    const { watched, next } = bornNode({ maxHeldMessages: 5 });
    next(0);
    for (let i = 1; i <= 6; i++) watched.send(next(i));
    expect(watched.got).toHaveLength(6);
    expect(watched.said[0]).toMatch(/^sequence_gap/);
    const bytes = bornNode({ maxHeldBytes: 1_000 });
    bytes.next(0);
    for (let i = 1; i <= 40; i++) bytes.watched.send(bytes.next(i));
    expect(bytes.watched.got.length).toBeGreaterThan(20);
  });

  it("does not keep the connection's buffer: what is held is a copy", () => {
    const { watched, next } = bornNode();
    const [one, two] = [next(1), next(2)];
    watched.send(two);
    two.payload.fill(0);
    watched.send(one);
    expect(watched.got).toEqual(["a=1", "a=2"]);
  });
});

describe("rebirth request", () => {
  it("[tck-id-operational-behavior-data-commands-ncmd-rebirth-verb] [tck-id-operational-behavior-data-commands-ncmd-rebirth-name] [tck-id-operational-behavior-data-commands-ncmd-rebirth-value] [tck-id-operational-behavior-data-commands-ncmd-verb] [tck-id-operational-behavior-data-commands-ncmd-metric-value] [tck-id-operational-behavior-data-commands-rebirth-name-aliases] [tck-id-payloads-alias-data-cmd-requirement] [tck-id-topics-ncmd-topic] [tck-id-topics-ncmd-payload] [tck-id-topics-ncmd-timestamp] [tck-id-payloads-ncmd-timestamp] [tck-id-payloads-name-cmd-requirement] [tck-id-payloads-ncmd-seq] is an NCMD with Node Control/Rebirth = true by its name, with times and without a sequence number", () => {
    const watched = new Watched();
    watched.send(new TestEdge().ndata([byAlias(1, 1)]), t0 + 5);
    const [command] = watched.out.commands;
    expect(command).toMatchObject({ topic: "spBv1.0/Berlin/NCMD/Edge1", qos: 0, retain: false });
    expect(decode(command!.payload)).toEqual({
      timestamp: t0 + 5,
      metrics: [{ name: "Node Control/Rebirth", timestamp: t0 + 5, datatype: 11, booleanValue: true }],
    });
  });

  it("is not sent to one node more often than the throttle allows, ever more rarely, and not without end", () => {
    const watched = new Watched({ rebirthThrottleMs: 10_000 });
    const edge = new TestEdge();
    for (let i = 0; i < 100; i++) watched.send(edge.ndata([byAlias(1, i)]), t0 + i);
    expect(watched.rebirths).toBe(1);
    const at: number[] = [];
    for (let now = t0; watched.host.nextTickAt() !== null && now < t0 + 86_400_000; ) {
      now = watched.host.nextTickAt()!;
      if (watched.tick(now).commands.length > 0) at.push((now - t0) / 1000);
    }
    expect(at).toEqual([10, 30, 70, 150, 310, 610, 910, 1210, 1510]);
    watched.send(edge.ndata([byAlias(1, 0)]), t0 + 86_400_000);
    expect(watched.rebirths).toBe(11);
  });

  it("is spread over the nodes at the rate that the broker can carry", () => {
    const watched = new Watched({ rebirthsPerS: 10 });
    for (let i = 0; i < 30; i++) watched.send(new TestEdge("Berlin", `Edge${i}`).ndata([byAlias(1, i)]), t0);
    expect(watched.rebirths).toBe(1);
    for (let now = t0; now <= t0 + 3_000; now = watched.host.nextTickAt()!) watched.tick(now);
    expect(watched.rebirths).toBe(30);
    expect(new Set(watched.out.commands.map((c) => c.topic)).size).toBe(30);
  });
});

describe("sequence", () => {
  it("says of each number how far it is from the expected one, around the end", () => {
    const sequence = new Sequence();
    sequence.start(254, Buffer.from("x"));
    expect(sequence.expected).toBe(255);
    expect([255, 0, 1, 254].map((seq) => sequence.distance(seq))).toEqual([0, 1, 2, 255]);
    expect(sequence.take(1)).toBe(2);
    expect(sequence.place(0, Buffer.from("y"))).toBe("late");
    expect(sequence.place(254, Buffer.from("x"))).toBe("duplicate");
    expect(sequence.place(2, Buffer.from("z"))).toBe("next");
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataType } from "./sparkplug/datatype.ts";
import { byAlias, decode, double, encode, type Metric, type Sent, TestEdge, t0, Watched } from "./sparkplug/testing.ts";

const devices = ["Press", "Saw"];
const anyStep = fc.oneof(
  { weight: 1, arbitrary: fc.record({ do: fc.constant("nbirth" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("dbirth" as const, "ddeath" as const), device: fc.constantFrom(...devices) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constantFrom("ndata" as const), alias: fc.integer({ min: 1, max: 4 }), named: fc.boolean() }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constantFrom("ddata" as const), device: fc.constantFrom(...devices), alias: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("ndeath" as const, "old ndeath" as const, "reconnect" as const, "disconnect" as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(10, 1_000, 5_000, 61_000) }) },
);
type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;
type Fate = { step: Step; lost: boolean; twice: boolean; early: boolean };

/** Plays steps of one edge against a host; counts the metrics that were delivered to it. */
function play(fates: readonly Fate[]) {
  const watched = new Watched();
  const edge = new TestEdge();
  let now = t0;
  let delivered = 0;
  let kept: Sent | null = null;
  const send = (sent: Sent) => {
    delivered += decode(sent.payload).metrics?.length ?? 0;
    watched.send(sent, now);
  };
  const metrics = (): Metric[] => [1, 2, 3].map((alias) => ({ name: `m${alias}`, alias, timestamp: now, datatype: DataType.Int32, intValue: alias }));
  for (const { step, lost, twice, early } of fates) {
    now += 7;
    let sent: Sent | null = null;
    if (step.do === "nbirth") sent = edge.nbirth(metrics(), now);
    else if (step.do === "dbirth") sent = edge.dbirth(step.device, metrics(), now);
    else if (step.do === "ddeath") sent = edge.ddeath(step.device, now);
    else if (step.do === "ndata") sent = edge.ndata(step.named ? [double("m1", 1), byAlias(step.alias, 1, now)] : [byAlias(step.alias, now, now)], now);
    else if (step.do === "ddata") sent = edge.ddata(step.device, [byAlias(step.alias, 1, now)], now);
    else if (step.do === "ndeath") sent = edge.ndeath();
    else if (step.do === "old ndeath") sent = edge.ndeath(edge.bdSeq + 100);
    else if (step.do === "reconnect") edge.bdSeq++;
    else if (step.do === "disconnect") {
      watched.gather(watched.host.onDisconnected(now));
      watched.host.onConnected(now);
    } else if (step.do === "wait") {
      now += step.ms;
      for (let due = watched.host.nextTickAt(); due !== null && due <= now; due = watched.host.nextTickAt()) watched.tick(due);
    }
    if (!sent || lost) continue;
    if (early && kept === null) kept = sent;
    else {
      send(sent);
      if (twice) send(sent);
      if (kept) send(kept);
      kept = null;
    }
  }
  if (kept) send(kept);
  for (let due = watched.host.nextTickAt(), i = 0; due !== null && i < 10_000; due = watched.host.nextTickAt(), i++) watched.tick(due);
  return { watched, edge, delivered };
}
const anyFates = fc.array(
  fc.record({
    step: anyStep,
    lost: fc.constantFrom(false, false, false, false, true),
    twice: fc.constantFrom(false, false, false, true),
    early: fc.constantFrom(false, false, false, true),
  }),
  { maxLength: 120 },
);

describe("host application, whatever comes", () => {
  it("every metric that was delivered ends in exactly one outcome, and in the end nothing is held", () => {
    fc.assert(
      fc.property(anyFates, (fates) => {
        const { watched, delivered } = play(fates);
        const { values, refused, duplicates, repeats, own } = watched.out;
        const setAside = refused.reduce((sum, r) => sum + r.valueCount, 0);
        expect(values.length + setAside + duplicates + repeats + own).toBe(delivered);
        expect(watched.host.stats()).toMatchObject({ heldMessages: 0, heldBytes: 0 });
        expect(watched.host.nextTickAt()).toBeNull();
      }),
      { numRuns: 400 },
    );
  });

  it("when the node's session is over, neither it nor a device of it was last said to be alive; values have their own names and types throughout", () => {
    let over = 0;
    fc.assert(
      fc.property(anyFates, fc.constantFrom("ndeath" as const, "disconnect" as const), (fates, end) => {
        const { watched } = play([...fates, { step: { do: end }, lost: false, twice: false, early: false }]);
        for (const v of watched.out.values) expect(`${v.metric} ${typeof v.value}`).toMatch(/^m[1-3] number$/);
        if (watched.host.stats().nodesOnline > 0) return;
        for (const address of ["Berlin/Edge1", ...devices.map((device) => `Berlin/Edge1/${device}`)]) {
          const last = watched.out.links.filter((l) => l.address === address && l.alive !== null).at(-1);
          if (last) over++;
          expect(last?.alive ?? false).toBe(false);
        }
      }),
      { numRuns: 400 },
    );
    expect(over).toBeGreaterThan(20);
  });

  it("[tck-id-topics-dcmd-topic] [tck-id-topics-dcmd-mqtt] [tck-id-topics-dcmd-timestamp] [tck-id-topics-dcmd-payload] [tck-id-operational-behavior-data-commands-dcmd-verb] [tck-id-operational-behavior-data-commands-dcmd-metric-name] [tck-id-operational-behavior-data-commands-dcmd-metric-value] [tck-id-payloads-dcmd-timestamp] [tck-id-payloads-dcmd-seq] [tck-id-payloads-dcmd-qos] [tck-id-payloads-dcmd-retain] [tck-id-topics-ncmd-mqtt] [tck-id-payloads-ncmd-qos] [tck-id-payloads-ncmd-retain] never sends a DCMD, nor any command but the rebirth request, at QoS 0 and not retained", () => {
    fc.assert(
      fc.property(anyFates, (fates) => {
        for (const { topic, payload, qos, retain } of play(fates).watched.out.commands) {
          expect({ topic, qos, retain }).toEqual({ topic: "spBv1.0/Berlin/NCMD/Edge1", qos: 0, retain: false });
          expect(decode(payload).metrics).toMatchObject([{ name: "Node Control/Rebirth", booleanValue: true }]);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("lives through any bytes on any topic, and through bent births", () => {
    const watched = new Watched();
    const edge = new TestEdge();
    const types = ["NBIRTH", "NDEATH", "NDATA", "DBIRTH", "DDEATH", "DDATA", "NCMD", "DCMD", "STATE", "x"];
    let at = t0;
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.constantFrom(...types), fc.string({ maxLength: 4 }), fc.boolean(), (bytes, type, name, device) => {
        watched.send({ topic: `spBv1.0/g/${type}/${name}${device ? "/d" : ""}`, payload: Buffer.from(bytes) }, at++);
        watched.tick(at);
      }),
      { numRuns: 3_000 },
    );
    const good = edge.nbirth([
      double("a", 1, { alias: 1, properties: { keys: ["Quality"], values: [{ type: 3, intValue: 192 }] } }),
      { name: "t", datatype: DataType.Template, templateValue: { metrics: [double("m", 1)] } },
    ]);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: good.payload.length - 1 }), fc.nat({ max: 255 })), { maxLength: 4 }),
        fc.nat({ max: good.payload.length }),
        (bends, cut) => {
          const payload = Buffer.from(good.payload);
          for (const [where, byte] of bends) payload[where] = byte;
          watched.send({ topic: good.topic, payload: payload.subarray(0, payload.length - (cut % 3)) }, at++);
          watched.send(edge.ndata([byAlias(1, 2)]), at++);
        },
      ),
      { numRuns: 2_000 },
    );
    expect(watched.host.stats().nodes).toBeLessThan(5_000);
  });
});

describe("bounds", () => {
  it("follows so many nodes; a new one takes the place of one that is not online; else it is refused with the limit's name", () => {
    const watched = new Watched({ maxNodes: 3 });
    const edges = [1, 2, 3, 4, 5].map((i) => new TestEdge("g", `n${i}`));
    watched.send(edges[0]!.ndeath());
    for (const edge of edges.slice(1, 4)) watched.send(edge.nbirth([double("a", 1)]));
    expect(watched.host.stats()).toMatchObject({ nodes: 3, nodesOnline: 3, metrics: 9 });
    watched.send(edges[4]!.nbirth([double("a", 1)]));
    expect(watched.out.refused).toMatchObject([
      { code: "sparkplug_before_birth", valueCount: 3, reason: "This host application follows 3 edge nodes already, which is its limit." },
    ]);
    watched.send(edges[1]!.ndeath(), t0 + 500);
    watched.send(edges[4]!.nbirth([double("a", 1)]), t0 + 2_000);
    expect(watched.host.stats()).toMatchObject({ nodes: 3, nodesOnline: 3, metrics: 9 });
  });

  it("knows so many metrics and devices; beyond that births give their values, and aliases are not known", () => {
    const watched = new Watched({ maxMetrics: 5, maxDevicesPerNode: 1 });
    const edge = new TestEdge();
    watched.send(edge.nbirth([1, 2, 3, 4].map((i) => double(`m${i}`, i, { alias: i }))));
    expect(watched.got).toHaveLength(4);
    expect(watched.out.links[0]!.detail).toBe("NBIRTH, bdSeq 0, 1 metrics too many, which are not known by alias");
    watched.send(edge.dbirth("Press", [double("d", 5, { alias: 9 })]));
    watched.send(edge.dbirth("Saw", [double("s", 6, { alias: 10 })]));
    expect(watched.got.slice(4)).toEqual(["d=5", "s=6"]);
    expect(watched.rebirths).toBe(0);
    expect(watched.host.stats().metrics).toBe(5);
    watched.send(edge.nbirth([double("m1", 1, { alias: 1 })], t0 + 1));
    expect(watched.host.stats().metrics).toBe(3);
  });
});

describe("a letter once more", () => {
  it("takes a message by the births of today, without any effect on order and links", () => {
    const watched = new Watched();
    const edge = new TestEdge();
    const topic = edge.topic("NDATA");
    const letter = encode({ timestamp: t0, metrics: [byAlias(1, 5), byAlias(2, 6)] });
    expect(watched.host.onRetry(topic, letter, t0)).toMatchObject({ values: [], refused: [{ code: "sparkplug_before_birth", valueCount: 2 }] });
    watched.send(edge.nbirth([double("a", 0, { alias: 1 })]));
    watched.out.links.length = 0;
    const again = watched.host.onRetry(topic, letter, t0 + 1);
    expect(again).toMatchObject({
      values: [{ metric: "a", value: 5, at: t0, receivedAt: t0 + 1 }],
      refused: [{ code: "sparkplug_unknown_alias", valueCount: 1 }],
      links: [],
      commands: [],
    });
    watched.send(edge.ndata([byAlias(1, 7)]));
    watched.tick(t0 + 60_000);
    expect(watched.out.links).toEqual([]);
    expect(watched.host.onRetry("rubbish", letter, t0).refused).toMatchObject([{ code: "sparkplug_malformed" }]);
    expect(watched.host.onRetry(topic, letter.subarray(0, 5), t0).refused).toMatchObject([{ code: "sparkplug_malformed" }]);
    expect(watched.host.onRetry("spBv1.0/STATE/x", Buffer.from("OFFLINE"), t0)).toMatchObject({ values: [], refused: [] });
  });
});

describe("a fault of the host's own", () => {
  /** Reading a text of it fails. */
  const faulty = ({ topic, payload }: Sent): Sent => {
    payload.toString = () => {
      throw new TypeError("cannot go on");
    };
    return { topic, payload };
  };
  const text = { alias: 2, timestamp: t0, stringValue: "x" };

  it("refuses the message at which it happened as a whole; those before and behind it are taken, and nothing is missed", () => {
    const watched = new Watched();
    const edge = new TestEdge();
    watched.send(edge.nbirth([double("a", 0, { alias: 1 }), { name: "s", alias: 2, timestamp: t0, datatype: DataType.String, stringValue: "" }]));
    const [first, second, third, fourth] = [5, 6, 7, 8].map((value) => edge.ndata([byAlias(1, value), text], t0 + value));
    watched.send(first!);
    watched.send(third!); // ahead of its turn: the faulty one brings it
    watched.send(faulty(second!), t0 + 1);
    watched.send(fourth!);
    expect(watched.got).toEqual(["a=0", "s=", "a=5", "s=x", "a=7", "s=x", "a=8", "s=x"]);
    expect(watched.out.refused).toEqual([
      { ...second, metric: null, form: "message", code: "sparkplug_malformed", reason: "The message could not be read: cannot go on", valueCount: 1 },
    ]);
    watched.tick(t0 + 60_000);
    expect([watched.said, watched.rebirths]).toEqual([["birth Berlin/Edge1 true 0"], 0]);
  });

  it("in births and in what is no Sparkplug at all, too", () => {
    const watched = new Watched();
    const edge = new TestEdge();
    watched.send(faulty(edge.nbirth([double("a", 0)])));
    watched.send(edge.nbirth([double("a", 1, { alias: 1 })], t0 + 1));
    watched.send(faulty(edge.dbirth("Press", [double("d", 0)], t0 + 2)));
    watched.send(edge.ndata([byAlias(1, 2)], t0 + 3));
    watched.send(faulty({ topic: "spBv1.0/STATE/other", payload: Buffer.from("ONLINE") }));
    expect(watched.got).toEqual(["a=1", "a=2"]);
    expect(watched.out.refused.map((r) => [r.topic, r.reason])).toEqual(
      [edge.topic("NBIRTH"), edge.topic("DBIRTH", "Press"), "spBv1.0/STATE/other"].map((topic) => [topic, "The message could not be read: cannot go on"]),
    );
  });
});

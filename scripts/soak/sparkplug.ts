/**
 * Sparkplug under fire: worker, database and broker end or restart at random instants while edge nodes publish at QoS 0. What is lost then must lie
 * in time that Takt shows as not alive; an edge that stores and forwards loses nothing, and its time is shown as alive.
 */
import { setTimeout as wait } from "node:timers/promises";
import { deadWindows, type LinkEvent } from "#/server/domain/presence.ts";
import type { Window } from "#/server/domain/windows.ts";
import { encode } from "#/simulator/publish/sparkplug-payload.ts";
import { Edge, metrics } from "./edge.ts";
import { Chance } from "./random.ts";
import { Rig } from "./rig.ts";
import { until } from "./until.ts";
import type { WorkerProcess } from "./worker.ts";

export const blows = {
  killed: "worker killed",
  stopped: "worker stopped",
  broker: "broker restarted",
  database: "database stopped",
  "killed without database": "worker killed while the database was away",
  skipped: "a message lost on the way",
} as const;
export type Blow = keyof typeof blows;
export type SparkplugOptions = {
  blows: Partial<Record<Blow, number>>;
  /** Messages of each edge node. */
  perSecond: number;
  /** Between two blows, at random. */
  gapMs: readonly [number, number];
  seed: number;
  log: (line: string) => void;
};
export type EdgeReport = { measured: number; stored: number; lost: number; gaps: number; unknownMs: number; historyMarks: number };
export type SparkplugReport = { edges: Record<string, EdgeReport>; letters: Record<string, number>; differences: string[] };

const host = "takt-soak";
/** Two that lose what they cannot send, and two that store it; of each sort one whose clock is wrong. */
const edgeSpecs = [
  { node: "plain", primaryHost: null, clockMs: 0 },
  { node: "plain-late", primaryHost: null, clockMs: -5_000 },
  { node: "storing", primaryHost: host, clockMs: 0 },
  { node: "storing-early", primaryHost: host, clockMs: 3_000 },
];
const linePath = "berlin/stamping/line-1";

export async function sparkplugTest({ blows: counts, perSecond, gapMs, seed, log }: SparkplugOptions): Promise<SparkplugReport> {
  log(`seed ${seed}`);
  const rig = await Rig.start();
  const edges: Edge[] = [];
  const startAt = Date.now();
  try {
    await plantOfEdges(rig);
    const start = () => rig.worker({ SPARKPLUG_GROUPS: "berlin", SPARKPLUG_HOST_ID: host });
    let worker = await (await start()).ready();
    for (const [i, spec] of edgeSpecs.entries())
      edges.push(new Edge({ mqttUrl: rig.embedded.mqttUrl, group: "berlin", perSecond, chance: new Chance(seed + 1 + i), ...spec }));
    await allAlive(rig, startAt);

    const fate = new Chance(seed);
    const plan = fate.shuffle(Object.entries(counts).flatMap(([blow, n]) => Array<Blow>(n).fill(blow as Blow)));
    for (const [i, blow] of plan.entries()) {
      // Mostly out of a healthy plant, now and then into one that has not yet come back.
      const isHealthy = fate.is(0.75);
      if (isHealthy) await allAlive(rig, startAt);
      await wait(gapMs[0] + fate.below(gapMs[1] - gapMs[0]));
      worker = await strike(blow, { rig, worker, start, fate, edges });
      log(`${i + 1}/${plan.length} ${blows[blow]}`);
    }
    await worker.ready(60_000);
    await allAlive(rig, startAt);
    await wait(1_000);
    for (const edge of edges) edge.rest();
    await until("edges have delivered what they stored", () => edges.every((edge) => edge.options.primaryHost === null || edge.isDelivered), 60_000);
    await settled(rig, worker);
    const differences: string[] = [];
    const figures = await worker.figures();
    if (figures.received !== figures.written + figures.duplicate + figures.setAside + figures.held)
      differences.push(`the worker's figures: ${JSON.stringify(figures)}`);
    const reports: Record<string, EdgeReport> = {};
    for (const [i, edge] of edges.entries()) {
      const report = await judge(rig, edge, startAt, differences);
      const name = edgeSpecs[i]?.node ?? "";
      reports[name] = report;
      log(
        `${name}: ${report.measured} values measured, ${report.stored} stored, ${report.lost} lost in ${report.gaps} gaps ` +
          `(${(report.unknownMs / 1000).toFixed(1)} s unknown), ${report.historyMarks} gaps filled; ${edge.births} births`,
      );
    }
    const letters = await lettersOf(rig);
    log(`set aside: ${JSON.stringify(letters)}`);
    for (const code of Object.keys(letters)) if (code !== "sparkplug_before_birth") differences.push(`${letters[code]} letters ${code}`);
    await worker.stop();
    return { edges: reports, letters, differences };
  } finally {
    await Promise.all(edges.map((edge) => edge.close()));
    await rig.stop();
  }
}

/**
 * Data of a node that never says its birth: set aside when the wait ends, and when the worker stops before that. Returns letters' values after each.
 */
export async function neverBorn({ waitMs, log }: { waitMs: number; log: (line: string) => void }): Promise<{ waited: number; stopped: number }> {
  const rig = await Rig.start();
  try {
    const worker = await (await rig.worker({ SPARKPLUG_GROUPS: "berlin", SPARKPLUG_HOST_ID: host })).ready();
    await worker.said(/online as Sparkplug host/);
    const send = (n: number) =>
      rig.publish(
        "spBv1.0/berlin/DDATA/mute/Press",
        encode({ timestamp: Date.now(), seq: n, metrics: [{ alias: 7, type: "Double", value: n, timestamp: Date.now() }] }),
      );
    const received = async (n: number) => until(`${n} messages received`, async () => (await worker.figures()).messages >= n);
    const before = async () => (await lettersOf(rig)).sparkplug_before_birth ?? 0;
    for (let n = 1; n <= 3; n++) await send(n);
    await received(3);
    if (waitMs > 0) await until("the wait for the birth ends", async () => (await before()) === 3, waitMs);
    const waited = await before();
    for (let n = 4; n <= 5; n++) await send(n);
    await received(5);
    const end = await worker.stop();
    const stopped = await before();
    log(`node without birth: ${waited} values set aside after the wait, ${stopped} after the stop (${end.tookMs.toFixed(0)} ms)`);
    return { waited, stopped };
  } finally {
    await rig.stop();
  }
}

/** One press for each edge node, its signals mapped to the node's metrics. */
async function plantOfEdges(rig: Rig): Promise<void> {
  await rig.line(
    linePath,
    edgeSpecs.map(({ node }) => node),
  );
  for (const { node } of edgeSpecs) {
    const address = `berlin/${node}/Press`;
    await rig.rows("update source set form = 'sparkplug', address = $2 where address = $1", [`${linePath}/${node}`, address]);
    for (const [key, name] of metrics) {
      const signal = rig.ids.signals.get(`${linePath}/${node}/${key}`);
      await rig.rows("insert into topic_mapping (signal_id, form, pattern, path) values ($1, 'sparkplug', $2, $3)", [signal, address, name]);
    }
  }
}

type Scene = { rig: Rig; worker: WorkerProcess; start: () => Promise<WorkerProcess>; fate: Chance; edges: readonly Edge[] };

async function strike(blow: Blow, { rig, worker, start, fate, edges }: Scene): Promise<WorkerProcess> {
  const pauseMs = fate.below(2_500);
  const { postgres, broker } = rig.embedded;
  switch (blow) {
    case "killed":
      await worker.kill9();
      await wait(pauseMs);
      return start();
    case "stopped":
      await worker.stop();
      await wait(pauseMs);
      return start();
    case "broker":
      await broker.stop();
      await wait(pauseMs);
      await broker.start();
      return worker;
    case "database":
      await postgres.stop();
      await wait(1_000 + pauseMs);
      await postgres.start();
      return worker;
    case "killed without database":
      await postgres.stop();
      await wait(fate.below(1_500));
      await worker.kill9();
      await wait(pauseMs);
      await postgres.start();
      return start();
    case "skipped": {
      const [edge] = edges;
      if (edge) await skipOne(rig, worker, edge);
      return worker;
    }
  }
}

/** Loses one message in quiet times: a gap must be shown, a birth asked for and given, and values must come again. */
async function skipOne(rig: Rig, worker: WorkerProcess, edge: Edge): Promise<void> {
  await worker.ready(60_000);
  const events = async (kind: string) =>
    (await rig.rows("select from link_event where address in ($1, $2) and kind = $3", [edge.address, edge.nodeAddress, kind])).length;
  await until("the edge is alive", () => isAlive(rig, edge.address), 60_000);
  const [gaps, births, asked, skipped] = [await events("sequence_gap"), await events("birth"), edge.asked, edge.skipped];
  edge.skip();
  await until("a message is skipped", () => edge.skipped > skipped);
  await until("the gap is shown", async () => (await events("sequence_gap")) > gaps);
  await until("a birth is asked for", () => edge.asked > asked, 30_000);
  await until("the edge is born again", async () => (await events("birth")) > births && isAlive(rig, edge.address), 30_000);
  const stored = await storedOf(rig, edge);
  await until("values come again", async () => (await storedOf(rig, edge)).size > stored.size);
}

async function isAlive(rig: Rig, address: string, since = 0): Promise<boolean> {
  const rows = await rig.rows(
    `select from source s join source_status t on t.source_id = s.id
     where s.address = $1 and t.announced and t.announced_at > $2 and t.last_received_at > now() - interval '1 s'`,
    [address, new Date(since - 60_000)],
  );
  return rows.length === 1;
}

async function allAlive(rig: Rig, since: number): Promise<void> {
  for (const { node } of edgeSpecs) await until(`${node} is alive and sends`, () => isAlive(rig, `berlin/${node}/Press`, since), 60_000);
}

/** Until nothing more comes. */
async function settled(rig: Rig, worker: WorkerProcess): Promise<void> {
  let before = -1;
  let since = performance.now();
  await until(
    "the worker has caught up",
    async () => {
      const { messages, held } = await worker.figures();
      const n = messages + held + (await rig.count("link_event"));
      if (n !== before) [before, since] = [n, performance.now()];
      await wait(100);
      return performance.now() - since > 3_000; // longer than the reorder time-out
    },
    60_000,
  );
}

const ms = (column: string) => `round(extract(epoch from ${column}) * 1000)::float8`;

/** By signal key and instant, as the edge's truth. */
async function storedOf(rig: Rig, edge: Edge): Promise<Map<string, number>> {
  const rows = await rig.rows<{ key: string; at: number; value: number }>(
    `select g.key, ${ms("v.at")} as at, v.value from (select signal_id, at, value from sample union all select signal_id, at, value from ledger_sample) v
       join signal g on g.id = v.signal_id join source s on s.id = g.source_id where s.address = $1`,
    [edge.address],
  );
  const stored = new Map(rows.map(({ key, at, value }) => [`${key} ${at}`, value]));
  if (stored.size !== rows.length) throw new Error(`${rows.length - stored.size} values of ${edge.address} stand there twice.`);
  return stored;
}

/** What Takt shows of the link, as the board reckons it. */
async function shownDead(rig: Rig, edge: Edge, window: Window): Promise<{ dead: Window[]; linkEvents: LinkEvent[] }> {
  const linkEvents = await rig.rows<LinkEvent>(
    `select ${ms("e.at")} as at, e.kind, e.alive from link_event e join source s on s.id = e.source_id where s.address = $1 order by e.at`,
    [edge.address],
  );
  const minutes = await rig.rows<{ firstAt: number; lastAt: number }>(
    `select ${ms("p.first_at")} as "firstAt", ${ms("p.last_at")} as "lastAt" from source_minute p join source s on s.id = p.source_id where s.address = $1`,
    [edge.address],
  );
  return { dead: deadWindows({ window, now: window.to, form: "sparkplug", noDataTimeoutS: 60, minutes, linkEvents }), linkEvents };
}

async function judge(rig: Rig, edge: Edge, startAt: number, differences: string[]): Promise<EdgeReport> {
  const stored = await storedOf(rig, edge);
  const instants = [...edge.truth.keys()].map((key) => Number(key.split(" ")[1]));
  const window = { from: Math.min(startAt - 60_000, instants[0] ?? startAt), to: (instants.at(-1) ?? startAt) + 1 };
  const { dead, linkEvents } = await shownDead(rig, edge, window);
  const withoutHistory = deadWindows({
    window,
    now: window.to,
    form: "sparkplug",
    noDataTimeoutS: 60,
    minutes: [],
    linkEvents: linkEvents.filter(({ alive }) => alive !== null),
  });
  const bornAt = linkEvents.find(({ alive }) => alive === true)?.at ?? window.to;
  let lost = 0;
  const lossesOf = new Set<Window>();
  for (const [key, value] of edge.truth) {
    const found = stored.get(key);
    if (found !== undefined) {
      if (found !== value) differences.push(`${edge.address} ${key}: ${found}, in truth ${value}`);
      continue;
    }
    lost++;
    const at = Number(key.split(" ")[1]);
    // A death at the instant of its birth is put 1 ms behind it: at one instant a death counts before a birth.
    const gap = dead.find(({ from, to }) => at >= from - 1 && at < to);
    if (gap) lossesOf.add(gap);
    else differences.push(`${edge.address} ${key} is lost in time that is shown as alive: ${nearest(at, linkEvents)}`);
    if (edge.options.primaryHost !== null) differences.push(`${edge.address} ${key} is lost, though its edge stores and forwards`);
  }
  for (const key of stored.keys()) if (!edge.truth.has(key)) differences.push(`${edge.address} ${key}: never measured`);
  const gaps = dead.filter(({ to }) => to > bornAt);
  if (edge.options.primaryHost !== null)
    for (const { from, to } of gaps) differences.push(`${edge.address}: ${to - from} ms are shown as not alive, though delivered as history`);

  const counts = [...edge.truth].filter(([key]) => key.startsWith("good ") && stored.has(key));
  const first = counts[0]?.[1] ?? 0;
  const made = (counts.at(-1)?.[1] ?? 0) - first;
  const [row] = await rig.rows<{ pieces: number }>(
    "select coalesce(sum(c.pieces), 0) as pieces from count_minute c join signal g on g.id = c.signal_id join source s on s.id = g.source_id where s.address = $1",
    [edge.address],
  );
  if (row?.pieces !== made) differences.push(`${edge.address}: ${row?.pieces} pieces counted, ${made} made`);
  const unknownMs = gaps.reduce((sum, { from, to }) => sum + to - from, 0);
  const shown = withoutHistory.filter(({ to }) => to > bornAt).length;
  return { measured: edge.truth.size, stored: stored.size, lost, gaps: gaps.length, unknownMs, historyMarks: shown - gaps.length };
}

function nearest(at: number, events: readonly LinkEvent[]): string {
  const close = events.filter((event) => Math.abs(event.at - at) < 10_000).map((event) => `${event.kind} ${event.alive} ${event.at - at}`);
  return `events around it (ms): ${close.join(", ")}`;
}

async function lettersOf(rig: Rig): Promise<Record<string, number>> {
  const rows = await rig.rows<{ code: string; n: number }>(
    "select reason_code as code, sum(value_count)::int as n from dead_letter where status = 'open' group by 1",
  );
  return Object.fromEntries(rows.map(({ code, n }) => [code, n]));
}

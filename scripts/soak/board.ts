/**
 * Hours of boards: displays that look at live lines while the web app and the database end and come back. Every display stays fresh or is told why not,
 * shows what a fresh read of the database gives, and the web app's memory does not grow.
 */
import { randomBytes } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { MemoryWatch } from "#/bench/memory.ts";
import { buildWeb } from "#/scripts/build.ts";
import { boardPicture } from "#/server/boards/service.ts";
import { openDisplay } from "./display.ts";
import { Rig } from "./rig.ts";
import { until } from "./until.ts";
import { Viewer } from "./viewer.ts";
import { WebProcess } from "./web.ts";

export type BoardOptions = { minutes: number; viewers: number; log: (line: string) => void };
export type BoardReport = { pictures: number; connections: number; compared: number; differences: string[] };

const lines = ["works/hall/line-1", "works/hall/line-2", "works/hall/line-3", "works/shed/still"];
/** On the last line nothing happens: what it shows is made anew by the clock alone. */
const stillLine = lines.at(-1);
const machines = ["press-1", "press-2", "press-3", "press-4", "press-5", "press-6"];
const publishEveryMs = 1_000;
/** A picture is made anew every 60 s whatever happens; making it and bringing it to a display takes part of a second, a restart some more. */
const freshWithinMs = 65_000;
/** As the worker's: docs/benchmarks.md. Of a shorter time than this, what is left of settling in says more than the slope does. */
const [maxSlopeMbPerMin, tellsFromS] = [1, 20 * 60];

export async function boardTest({ minutes, viewers: n, log }: BoardOptions): Promise<BoardReport> {
  if (await buildWeb({ always: false })) log("built the web app");
  const rig = await Rig.start();
  const viewers: Viewer[] = [];
  let web: WebProcess | null = null;
  const plant = new LivePlant(rig);
  try {
    for (const path of lines) await rig.line(path, machines);
    await (await rig.worker()).ready();
    const given = { databaseUrl: rig.embedded.databaseUrl, authSecret: randomBytes(32).toString("base64") };
    web = await WebProcess.start(given);
    const [site] = await rig.rows<{ id: number }>("select id from site where key = $1", [lines[0]?.split("/")[0]]);
    const lineIds = lines.map((line) => rig.ids.lines.get(line) ?? 0);
    const cookie = await openDisplay({ ...given, url: web.url, folder: rig.dataDir, siteId: site?.id ?? 0, lineIds });
    await plant.publish(lines);
    plant.start();
    for (let i = 0; i < n; i++) viewers.push(new Viewer(web.url, cookie, lines[i % lines.length] ?? ""));
    log(`${n} displays on ${lines.length} lines for ${minutes} min`);
    const report: BoardReport = { pictures: 0, connections: 0, compared: 0, differences: [] };
    const partMs = (minutes * 60_000) / 6;
    const check = async () => {
      plant.stop();
      report.compared += await compare(rig, viewers, report.differences);
      plant.start();
      log(
        `${report.compared} pictures compared, ${report.differences.length} differ; web app ${web?.pid}: ${viewers.reduce((sum, v) => sum + v.beats, 0)} events so far`,
      );
    };
    // In the first half things end and come back; in the second the web app is left alone, and its memory looked at.
    for (const [what, blow] of Object.entries({
      "web app stopped and started": async () => {
        await web?.end("SIGTERM");
        await web?.start();
      },
      "database killed and started": async () => {
        await rig.embedded.postgres.kill9();
        await wait(3_000);
        await rig.embedded.postgres.start();
      },
      "web app killed and started": async () => {
        await web?.end("SIGKILL");
        await wait(3_000);
        await web?.start();
      },
    })) {
      await wait(partMs);
      await check();
      await blow();
      log(what);
    }
    const memory = new MemoryWatch(web.pid);
    const watchedS = (partMs * 3) / 1000;
    await wait(partMs * 3);
    memory.end();
    await check();
    await Promise.all(viewers.map((viewer) => viewer.end()));
    const slope = memory.slopeMbPerMin(watchedS / 4);
    log(`memory of the web app: at most ${memory.mostMb()} MB; mean of each tenth of the time: ${memory.course()}`);
    log(
      `slope after the first quarter: ${slope.toFixed(2)} MB a minute (flat: at most ${maxSlopeMbPerMin})${watchedS < tellsFromS ? "; too short a time to tell" : ""}`,
    );
    if (watchedS >= tellsFromS && slope > maxSlopeMbPerMin) report.differences.push(`the web app grows by ${slope.toFixed(2)} MB a minute`);
    for (const viewer of viewers) {
      report.pictures += viewer.pictures;
      report.connections += viewer.connections;
      if (viewer.longestMs > freshWithinMs)
        report.differences.push(`a display of ${viewer.line} had no new picture for ${(viewer.longestMs / 1000).toFixed(1)} s and was not told why`);
    }
    const longest = Math.max(...viewers.map((viewer) => viewer.longestMs));
    log(
      `longest time without a new picture or a word why: ${(longest / 1000).toFixed(1)} s; told of trouble ${viewers.reduce((sum, v) => sum + v.troubles, 0)} times`,
    );
    return report;
  } finally {
    plant.stop();
    await Promise.all(viewers.map((viewer) => viewer.end()));
    await web?.end("SIGTERM");
    await rig.stop();
  }
}

/** What each display shows, against what the database gives for that instant. Nothing is published meanwhile. Returns how many pictures it compared. */
async function compare(rig: Rig, viewers: readonly Viewer[], differences: string[]): Promise<number> {
  const stoppedAt = Date.now();
  const db = { rows: <R extends object>(sql: string, parameters: readonly unknown[] = []) => rig.rows<R>(sql, [...parameters]) };
  const at = (viewer: Viewer): number => (viewer.picture === null ? 0 : (JSON.parse(viewer.picture) as { at: number }).at);
  await until(
    () => `each display has a picture of after ${new Date(stoppedAt).toISOString()}; the oldest is ${new Date(Math.min(...viewers.map(at))).toISOString()}`,
    async () => {
      // What was published last is written within a second; then each line's picture is asked for anew.
      await wait(2_000);
      await rig.rows("select pg_notify('board', $1)", [JSON.stringify([...rig.ids.lines.values()])]);
      await wait(2_000);
      return viewers.every((viewer) => at(viewer) > stoppedAt + 2_000);
    },
    120_000,
  );
  const fresh = new Map<string, string>();
  for (const viewer of viewers) {
    const shown = viewer.picture ?? "";
    const key = `${viewer.line} ${at(viewer)}`;
    const lineId = rig.ids.lines.get(viewer.line) ?? 0;
    if (!fresh.has(key)) fresh.set(key, JSON.stringify((await boardPicture(db, lineId, new Date(at(viewer)))).picture));
    if (shown !== fresh.get(key))
      differences.push(`a display of ${viewer.line} shows ${shown.slice(0, 2_000)}, the database gives ${fresh.get(key)?.slice(0, 2_000)}`);
  }
  return viewers.length;
}

/** Machines that run, each saying so once a second. */
class LivePlant {
  private readonly rig: Rig;
  private good = 0;
  private timer: NodeJS.Timeout | undefined;
  private failure: Error | null = null;

  constructor(rig: Rig) {
    this.rig = rig;
  }

  async publish(paths: readonly string[]): Promise<void> {
    this.good += 1;
    const ts = Date.now();
    const state = this.good % 60 < 50 ? "EXECUTE" : "HELD";
    await Promise.all(
      paths.flatMap((line) =>
        machines.map((machine) => this.rig.publish(`takt/v1/${line}/${machine}`, { ts, state, good: this.good, rolls: this.good % 10_000, temperature: 60 })),
      ),
    );
  }

  start(): void {
    if (this.failure) throw this.failure;
    clearInterval(this.timer);
    const moving = lines.filter((line) => line !== stillLine);
    this.timer = setInterval(() => {
      this.publish(moving).catch((error: Error) => {
        this.failure ??= error;
      });
    }, publishEveryMs);
  }

  stop(): void {
    clearInterval(this.timer);
  }
}

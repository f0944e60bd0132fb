// PUBACK only after COMMIT, on the wire: fails when MQTT.js handles acknowledgements in another way than mqtt.ts relies on.
import type pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Rig } from "#/scripts/soak/rig.ts";
import { stays, until } from "#/scripts/soak/until.ts";
import { startWiretap, type Wiretap } from "#/scripts/soak/wiretap.ts";
import type { WorkerProcess } from "#/scripts/soak/worker.ts";

let rig: Rig;
let tap: Wiretap;
let worker: WorkerProcess;
let holder: pg.PoolClient;
let topic: string;
const commitLock = 4711;
const messages = 500;

beforeAll(async () => {
  rig = await Rig.start();
  // Stops each transaction that writes values in its COMMIT, as long as someone holds the lock.
  await rig.asOwner(
    `create function hold_commit() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock_shared(${commitLock}); return null; end $$`,
  );
  await rig.asOwner(
    "create constraint trigger hold_commit after insert or update on signal_latest deferrable initially deferred for each row execute function hold_commit()",
  );
});
afterAll(() => rig.stop());

let lines = 0;
beforeEach(async () => {
  const [press] = await rig.line(`berlin/stamping/line-${++lines}`, ["press"]);
  topic = press!;
  tap = await startWiretap(rig.embedded.broker.port);
  holder = await rig.pool.connect();
  worker = await start(tap);
});
afterEach(async () => {
  holder.release(true);
  await rig.killWorkers();
  await tap.close();
  await rig.rows("delete from sample");
});

const start = async (through: Wiretap) => (await rig.worker({ MQTT_URL: `mqtt://127.0.0.1:${through.port}` })).ready();
const hold = { commit: `select pg_advisory_lock(${commitLock})`, lease: "begin; select from ingest_lease for update" };
const release = { commit: `select pg_advisory_unlock(${commitLock})`, lease: "rollback" };
const at = Date.now() - 60_000;
async function publishAll(): Promise<void> {
  await Promise.all(Array.from({ length: messages }, (_, i) => rig.publish(`${topic}/temperature`, { ts: at + i, value: i % 300 })));
}
/** All of them are in the worker's hands, and its transaction waits. */
async function allHeld(): Promise<void> {
  await until("the worker holds all values", async () => (await worker.figures()).held === messages);
  await until(
    "the worker's transaction waits",
    async () => (await rig.rows("select from pg_stat_activity where application_name = 'takt-ingest ingest' and wait_event_type = 'Lock'")).length === 1,
  );
}

describe("acknowledgement", () => {
  it.each(["commit", "lease"] as const)("comes after COMMIT and not before: the database held in its %s", async (where) => {
    await holder.query(hold[where]);
    await publishAll();
    await allHeld();
    if (where === "commit")
      expect(await rig.rows("select query from pg_stat_activity where application_name = 'takt-ingest ingest' and wait_event_type = 'Lock'")).toEqual([
        { query: "commit" },
      ]);
    const [line] = tap.lines;
    expect(line!.published.length).toBe(messages);
    await stays("nothing is acknowledged", () => line!.acknowledged.length === 0, 1_000);
    expect(await rig.count("sample")).toBe(0);
    await holder.query(release[where]);
    await until("all are acknowledged", () => line!.acknowledged.length === messages);
    expect(await rig.count("sample")).toBe(messages);
    expect(line!.acknowledged.toSorted((a, b) => a - b)).toEqual(line!.published.toSorted((a, b) => a - b));
    expect(await worker.figures()).toMatchObject({ received: messages, written: messages, duplicate: 0, held: 0 });
  });

  it("what was not committed at a kill -9 comes again and is written once", async () => {
    await holder.query(hold.lease);
    await publishAll();
    await allHeld();
    await worker.kill9();
    await holder.query(release.lease);
    worker = await start(tap);
    await until("all are acknowledged", () => tap.lines[1]?.acknowledged.length === messages);
    expect([tap.lines[0]!.acknowledged.length, await rig.count("sample")]).toEqual([0, messages]);
  });

  it("a connection that breaks takes its message ids with it: the next one acknowledges its own", async () => {
    await holder.query(hold.lease);
    await publishAll();
    await allHeld();
    tap.lines[0]!.cut();
    await until("the broker delivers again", () => tap.lines[1]?.published.length === messages);
    await stays("nothing is acknowledged", () => tap.lines[1]!.acknowledged.length === 0, 300);
    await holder.query(release.lease);
    await until("all are acknowledged", () => tap.lines[1]!.acknowledged.length === messages);
    expect(new Set(tap.lines[1]!.acknowledged)).toEqual(new Set(tap.lines[1]!.published));
    expect([tap.lines[0]!.acknowledged.length, await rig.count("sample")]).toEqual([0, messages]);
    expect(await worker.figures()).toMatchObject({ written: messages, duplicate: messages, held: 0 });
  });

  it("what is set aside is acknowledged, too, when its letter is committed", async () => {
    await holder.query(hold.lease);
    await rig.publish(`${topic}/temperature`, "hot");
    await rig.publish(`${topic}/_online`, "true");
    await rig.publish(`${topic}/_mine`, "x");
    await until("all three came", async () => (await worker.figures()).messages === 3);
    await stays("nothing is acknowledged", () => tap.lines[0]!.acknowledged.length === 0, 300);
    await holder.query(release.lease);
    await until("all are acknowledged", () => tap.lines[0]!.acknowledged.length === 3);
    expect(await rig.count("dead_letter")).toBe(1);
  });

  it("holds a bounded part when the database stands still, and the broker the rest", async () => {
    await holder.query(hold.lease);
    const perMessage = 1_000;
    for (let i = 0; i < 150; i++)
      await rig.publish(
        `${topic}/temperature`,
        Array.from({ length: perMessage }, (_, k) => ({ ts: at - i * perMessage - k, value: k % 300 })),
      );
    const full = await until("the worker holds what it may", async () => {
      const { held } = await worker.figures();
      return held > 2 * 20_000 && held; // a batch on its way, one ready, the next begun
    });
    await stays("and hardly more", async () => (await worker.figures()).held <= full + 10_000, 1_000);
    expect((await worker.figures()).rssBytes).toBeLessThan(400 * 1024 * 1024);
    await holder.query(release.lease);
    await until("all are acknowledged", () => tap.lines[0]!.acknowledged.length === 150, 30_000);
    expect(await rig.count("sample")).toBe(150 * perMessage);
  });
});

describe("a subscription that the broker refuses", () => {
  it("is told by /ready in words, for Sparkplug too, is asked for again, and all is well once it is granted", async () => {
    await worker.kill9();
    tap.isRefusing = true;
    worker = await rig.worker({ MQTT_URL: `mqtt://127.0.0.1:${tap.port}`, SPARKPLUG_GROUPS: "Berlin", INGEST_NAME: "refused" });
    const refused = "Broker: the broker refuses the subscription to takt/v1/#: Subscribe error: Not authorized";
    const ready = async () => {
      const answer = await worker.get("/ready");
      return {
        status: answer?.status,
        ...(JSON.parse(answer?.body ?? "{}") as { broker?: boolean; subscribed?: boolean; sparkplug?: boolean; trouble?: string }),
      };
    };
    await until("/ready names both", async () => {
      const { trouble } = await ready();
      return (
        trouble?.startsWith(refused) &&
        trouble.includes("Sparkplug: The broker does not let this host application subscribe to spBv1.0/STATE/takt and spBv1.0/Berlin/#.")
      );
    });
    expect(await ready()).toMatchObject({ status: 503, ready: false, broker: true, subscribed: false, sparkplug: false });
    await until("the log says it", () => worker.lines.includes(refused)); // its way is another one than that of /ready
    expect(worker.lines.filter((line) => line === refused)).toHaveLength(1);
    tap.isRefusing = false;
    await worker.ready(30_000);
    expect(await ready()).toMatchObject({ status: 200, subscribed: true, sparkplug: true, trouble: "" });
    await rig.publish(`${topic}/temperature`, { ts: at, value: 1 });
    await until("the value is stored", async () => (await rig.count("sample")) === 1);
  });
});

import { describe, expect, it } from "vitest";
import { Held } from "./batch.ts";
import { serveHealth } from "./health.ts";
import { Stats } from "./stats.ts";
import { aSample } from "./testing.ts";

const figure = async (stats: Stats, name: string) => Number((await stats.registry.metrics()).match(new RegExp(`^takt_ingest_${name} (.*)$`, "m"))?.[1]);
const aWorker = (hasSparkplug = true) => new Stats(new Date(), "mqtt://user:secret@broker:1883", hasSparkplug);

describe("counters", () => {
  it("never go down, also not when the lease is lost with values in hand: those are said to be given back", async () => {
    const stats = aWorker();
    const held = new Held();
    stats.heldBy(() => held.values);
    const take = (n: number) => {
      for (let i = 0; i < n; i++) held.filling.sample(aSample());
      stats.received = held.filling.received;
    };
    take(3);
    held.cut();
    held.shift();
    stats.committed({ written: 2, duplicate: 0, setAside: new Map([["conflict", 1]]) }, 1, 1);
    take(5);
    held.cut();
    take(2);
    expect([await figure(stats, "values_received_total"), await figure(stats, "values_held")]).toEqual([10, 7]);
    held.forget();
    stats.givenBack = held.givenBack;
    expect([await figure(stats, "values_received_total"), await figure(stats, "values_held"), await figure(stats, "values_given_back_total")]).toEqual([
      10, 0, 7,
    ]);
    take(7); // delivered again
    expect(await figure(stats, "values_received_total")).toBe(17);
    // The sign of life counts them once.
    expect(stats.picture(0)).toMatchObject({ received: 10, written: 2, setAside: { conflict: 1 }, held: 7 });
  });
});

describe("/ready", () => {
  async function ready(stats: Stats) {
    const server = await serveHealth(stats, "127.0.0.1", 0);
    const address = server.address();
    const response = await fetch(`http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/ready`);
    const body = (await response.json()) as { ready: boolean; trouble: string };
    await new Promise((resolve) => server.close(resolve));
    return [response.status, body.ready, body.trouble];
  }

  it("names what is missing, the first thing first, and is 200 only when nothing is", async () => {
    const stats = aWorker();
    const said = async () => (await ready(stats)).join(" ");
    expect(await said()).toBe("503 false Database: not connected yet.");
    stats.databaseOk = true;
    stats.troubles.lease = "Standing by.";
    expect(await said()).toBe("503 false Standing by.");
    stats.leased = true;
    expect(await said()).toBe("503 false Broker: not connected yet. Sparkplug: not online as host application yet.");
    stats.mqttConnected = true;
    expect(await said()).toBe("503 false Broker: the subscriptions are not confirmed yet. Sparkplug: not online as host application yet.");
    stats.troubles.subscriptions = "Broker: refuses.";
    stats.sparkplugIs(false, "no broker answers");
    expect(await said()).toBe("503 false Broker: refuses. Sparkplug: no broker answers");
    stats.subscribed = true;
    stats.troubles.subscriptions = "";
    expect(await said()).toBe("503 false Sparkplug: no broker answers");
    stats.sparkplugIs(true);
    expect(await said()).toBe("200 true ");
  });

  it("does not wait for Sparkplug where that is switched off", async () => {
    const stats = aWorker(false);
    for (const part of ["databaseOk", "leased", "mqttConnected", "subscribed"] as const) stats[part] = true;
    stats.sparkplugIs(false, "x");
    expect(await ready(stats)).toEqual([200, true, ""]);
    expect(stats.picture(0).sparkplugConnected).toBeNull();
  });
});

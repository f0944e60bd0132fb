import { describe, expect, it } from "vitest";
import { Snapshot } from "./snapshot.ts";

/** A snapshot whose readings and clock are in the test's hands. */
function aSnapshot() {
  let now = 1_000_000;
  const readings: PromiseWithResolvers<number>[] = [];
  const waits: { until: number; resolve: () => void }[] = [];
  const settle = async () => {
    for (let i = 0; i < 20; i++) await Promise.resolve();
  };
  const snapshot = new Snapshot(
    () => {
      const reading = Promise.withResolvers<number>();
      readings.push(reading);
      return reading.promise;
    },
    {
      freshForMs: 1_000,
      clock: { now: () => now, wait: (ms) => new Promise((resolve) => waits.push({ until: now + ms, resolve })) },
    },
  );
  return {
    snapshot,
    count: () => readings.length,
    async pass(ms: number) {
      now += ms;
      for (const wait of waits) if (wait.until <= now) wait.resolve();
      await settle();
    },
    async answer(value: number | Error) {
      const reading = readings.at(-1);
      if (value instanceof Error) reading?.reject(value);
      else reading?.resolve(value);
      await settle();
    },
    settle,
  };
}

describe("Snapshot", () => {
  it("is read once for all who ask within a second", async () => {
    const { snapshot, count, pass, answer, settle } = aSnapshot();
    const both = [snapshot.get(), snapshot.get()];
    await settle();
    await answer(1);
    expect(await Promise.all(both)).toEqual([1, 1]);
    await pass(999);
    expect([await snapshot.get(), count()]).toEqual([1, 1]);
    await pass(1);
    const later = snapshot.get();
    await settle();
    await answer(2);
    expect([await later, count()]).toEqual([2, 2]);
  });

  it("rests four times as long as reading took", async () => {
    const { snapshot, count, pass, answer, settle } = aSnapshot();
    const first = snapshot.get();
    await settle();
    await pass(2_000);
    await answer(1);
    await first;
    await pass(5_999);
    expect([await snapshot.get(), count()]).toEqual([1, 1]);
  });

  it("after a change gives nobody what was read before, and still does not read more often", async () => {
    const { snapshot, count, pass, answer, settle } = aSnapshot();
    const first = snapshot.get();
    await settle();
    snapshot.grewOld(); // while it is read: who asks now waits for the next one
    const second = snapshot.get();
    await answer(1);
    expect([await first, count()]).toEqual([1, 1]);
    await pass(999);
    expect(count()).toBe(1);
    await pass(1);
    expect(count()).toBe(2);
    await answer(2);
    expect(await second).toBe(2);
  });

  it("is read at once for who changed something, also when the next reading waits for its turn", async () => {
    const { snapshot, count, answer, settle } = aSnapshot();
    const first = snapshot.get();
    await settle();
    await answer(1);
    await first;
    snapshot.grewOld();
    const waiting = snapshot.get();
    await settle();
    expect(count()).toBe(1);
    snapshot.forget();
    await settle();
    expect(count()).toBe(2);
    await answer(2);
    expect(await waiting).toBe(2);
    snapshot.forget();
    const own = snapshot.get();
    await settle();
    await answer(3);
    expect(await own).toBe(3);
  });

  it("gives a failure to who asked, and reads again a second later", async () => {
    const { snapshot, count, pass, answer, settle } = aSnapshot();
    const failing = snapshot.get().catch((error: Error) => error.message);
    await settle();
    await answer(new Error("away"));
    expect(await failing).toBe("away");
    const next = snapshot.get();
    await settle();
    expect(count()).toBe(1);
    await pass(1_000);
    await answer(2);
    expect(await next).toBe(2);
  });
});

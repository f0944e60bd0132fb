import { describe, expect, it } from "vitest";
import { delta } from "#/server/domain/counter.ts";
import { garbageFor, sendable } from "#/simulator/garbage.ts";
import { Faults, Links, Litter, Wire } from "#/simulator/mischief.ts";
import { demoPlant } from "#/simulator/model/demo-plant.ts";
import { PlantModel } from "#/simulator/model/readings.ts";
import { parseOptions } from "#/simulator/options.ts";

const model = new PlantModel(demoPlant, "takt");
const start = Date.parse("2026-11-18T08:00:00Z");
const machine = (key: string) => {
  const found = model.machines.find((one) => one.machine.key === key);
  if (!found) throw new Error(key);
  return found;
};

describe("the wire", () => {
  it("doubles, delays and shuffles, and loses nothing", () => {
    const wire = new Wire<number>(parseOptions(["--duplicates", "0.1", "--shuffle", "0.1", "--late", "0.05"], start));
    const out: number[] = [];
    for (let n = 0; n < 10_000; n++) out.push(...wire.pass(n, n * 10), ...wire.due(n * 10));
    const before = out.length;
    out.push(...wire.due(Infinity));
    expect(new Set(out).size).toBe(10_000);
    expect(out.length).toBeGreaterThan(10_800);
    expect(out.length).toBeLessThan(11_200);
    expect(before).toBeLessThan(out.length);
    expect(out.some((n, at) => n < (out[at - 1] ?? 0))).toBe(true);
    expect(wire.due(Infinity)).toEqual([]);
  });

  it("leaves messages alone unless asked", () => {
    const wire = new Wire<number>(parseOptions([], start));
    expect([1, 2, 3].flatMap((n) => wire.pass(n, 0))).toEqual([1, 2, 3]);
  });

  it("is littered by the share that was asked for", () => {
    const litter = new Litter(parseOptions(["--garbage", "0.2"], start));
    const found = Array.from({ length: 2000 }, () => litter.next(machine("press-01"), start)).filter((one) => one !== null);
    expect(found.length).toBeGreaterThan(330);
    expect(found.length).toBeLessThan(470);
    expect(found.every(({ direct }) => !direct)).toBe(true);
  });
});

describe("a machine's own faults", () => {
  it("reset a counter in mid-shift without losing a piece", () => {
    const options = parseOptions(["--counter-reset", "press-01@30m"], start);
    const faults = new Faults(options, model.machines, start);
    const press = machine("press-01");
    const good = faults.apply(press, model.readings(press, start, start + 12 * 3_600_000)).filter(({ signal }) => signal.key === "good");
    let counted = 0;
    for (let n = 1; n < good.length; n++) counted += delta({ mode: "cumulative", modulus: null }, Number(good[n - 1]?.value), Number(good[n]?.value));
    expect(counted).toBe(good.slice(1).reduce((sum, { pieces = 0 }) => sum + pieces, 0));
    const backwards = good.filter(({ value }, n) => Number(value) < Number(good[n - 1]?.value ?? 0));
    expect(backwards[0]?.at).toBeLessThan(start + 50 * 60_000); // the one that was asked for
    expect(backwards).toHaveLength(2); // and the shift's
  });

  it("refuse to reset a counter that rolls over", () => {
    expect(() => new Faults(parseOptions(["--counter-reset", "imm-03@1m"], start), model.machines, start)).toThrow(/rolls over/);
  });

  it("set a clock wrong", () => {
    const press = machine("press-02");
    const faults = new Faults(parseOptions(["--clock-skew", "press-02@-90s"], start), model.machines, start);
    const readings = model.readings(press, start, start + 60_000);
    expect(faults.apply(press, readings).map(({ at }) => at)).toEqual(readings.map(({ at }) => at - 90_000));
    expect(faults.apply(machine("press-03"), readings)).toBe(readings);
  });

  it("cut a link for a while", () => {
    const links = new Links(parseOptions(["--lost-link", "press-01@30s+2m"], start).lostLinks, model.machines, start);
    const press = machine("press-01");
    expect([0, 29_999, 30_000, 149_999, 150_000].map((ms) => links.isLost(press, start + ms))).toEqual([false, false, true, true, false]);
    expect(links.isLost(machine("press-02"), start + 60_000)).toBe(false);
    expect(() => new Links(parseOptions(["--lost-link", "press-99@30s+2m"], start).lostLinks, model.machines, start)).toThrow(/no machine press-99/);
  });
});

describe("the catalogue of garbage", () => {
  const all = garbageFor(machine("press-01"), start);

  it("has a name of its own for each, and an outcome", () => {
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    expect(all.every(({ expect: outcome }) => /^[a-z0-9_]+$/.test(outcome))).toBe(true);
  });

  it("holds what is known to come: topics, payloads, values, times, Sparkplug", () => {
    const outcomes = new Set(all.map(({ expect: outcome }) => outcome));
    for (const outcome of [
      "topic_malformed",
      "unknown_machine",
      "unknown_signal",
      "payload_empty",
      "payload_not_utf8",
      "payload_too_large",
      "payload_too_deep",
      "payload_not_json",
      "payload_shape",
      "value_not_finite",
      "value_type",
      "value_out_of_limits",
      "counter_negative",
      "ts_invalid",
      "ts_future",
      "ts_too_old",
      "sparkplug_malformed",
      "sparkplug_before_birth",
    ]) {
      expect(outcomes).toContain(outcome);
    }
  });

  it("keeps from the broker what it would answer with a cut connection", () => {
    expect(all.length - sendable(all).length).toBe(2);
    expect(sendable(all).every(({ topic }) => !/\p{Cc}/u.test(topic))).toBe(true);
  });
});

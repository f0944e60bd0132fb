import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { delta } from "#/server/domain/counter.ts";
import { instantOf as domainInstantOf } from "#/server/domain/shift.ts";
import { addDays, dateOf, instantOf, plantDay } from "#/simulator/model/calendar.ts";
import { placedMachines } from "#/simulator/model/definition.ts";
import { demoPlant } from "#/simulator/model/demo-plant.ts";
import { LoadModel, loadPlant } from "#/simulator/model/load-plant.ts";
import { PlantModel, type Reading } from "#/simulator/model/readings.ts";
import { failuresIn, wearAt } from "#/simulator/model/schedule.ts";

vi.setConfig({ testTimeout: 30_000 }); // counters that were never reset are counted from the plant's first day on: a second or two on an idle machine

const hour = 3_600_000;
const day = 24 * hour;
const noon = Date.parse("2026-11-18T12:00:00Z"); // a Wednesday
const machine = (path: string) => {
  const found = placedMachines(demoPlant).find(({ machinePath }) => machinePath.endsWith(path));
  if (!found) throw new Error(path);
  return found;
};
const plain = (readings: readonly Reading[]) => readings.map(({ signal, at, value, pieces }) => [signal.key, at, value, pieces]);

describe("what the plant says", () => {
  it("is the same for the same seed and time, however it is asked for", () => {
    const one = new PlantModel(demoPlant, "a");
    const other = new PlantModel(demoPlant, "a");
    for (const path of ["press-01", "imm-03", "filler", "cnc-03", "cartoner"]) {
      const whole = one.readings(machine(path), noon, noon + 2 * hour);
      const later = other.readings(machine(path), noon + hour, noon + 2 * hour); // another model, asked backwards
      const early = other.readings(machine(path), noon, noon + hour);
      expect(plain([...early, ...later])).toEqual(plain(whole));
      expect(whole.length).toBeGreaterThan(100);
    }
  });

  it("joins at any boundary, the turn of the plant's day and of the clocks included", () => {
    const model = new PlantModel(demoPlant, "a");
    const boundaries = ["2026-11-18T05:00:00Z", "2026-10-25T01:00:00Z", "2026-03-29T01:00:00Z", "2026-11-01T07:00:00Z"].map((at) => Date.parse(at));
    fc.assert(
      fc.property(fc.constantFrom(...model.machines), fc.constantFrom(...boundaries), fc.integer({ min: -2 * hour, max: 2 * hour }), (one, boundary, cut) => {
        const [from, to] = [boundary - 2 * hour, boundary + 2 * hour];
        const parts = [...model.readings(one, from, boundary + cut), ...model.readings(one, boundary + cut, to)];
        expect(plain(parts)).toEqual(plain(model.readings(one, from, to)));
      }),
      { numRuns: 60 },
    );
  });

  it("is another plant with another seed", () => {
    const press = machine("press-01");
    expect(plain(new PlantModel(demoPlant, "a").readings(press, noon, noon + hour))).not.toEqual(
      plain(new PlantModel(demoPlant, "b").readings(press, noon, noon + hour)),
    );
  });

  it("is in order of time, with at most one reading of a signal and instant, and within the physical limits", () => {
    const model = new PlantModel(demoPlant, "takt");
    const wrong: string[] = [];
    for (const one of model.machines) {
      const seen = new Set<string>();
      let last = 0;
      for (const { signal, at, value } of model.readings(one, noon - 30 * hour, noon)) {
        const identity = `${signal.key} ${at}`;
        if (at < last) wrong.push(`${one.machinePath} ${identity} comes after ${last}`);
        if (seen.has(identity)) wrong.push(`${one.machinePath} ${identity} comes twice`);
        last = at;
        seen.add(identity);
        if (typeof value !== "number" || signal.role === "state") continue;
        const inUnit = value * (signal.scale ?? 1) + (signal.offset ?? 0);
        if (inUnit < (signal.low ?? 0) || inUnit > (signal.high ?? Infinity)) wrong.push(`${one.machinePath}/${signal.key} reads ${inUnit}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("speaks only of states that its plant file can read", () => {
    const model = new PlantModel(demoPlant, "takt");
    for (const one of model.machines) {
      for (const { signal, value } of model.readings(one, noon - day, noon, { measurements: false })) {
        if (signal.role === "state" && signal.values) expect(Object.keys(signal.values)).toContain(String(value));
      }
    }
  });

  it("stays in its budget: two weeks with a week of measurements are under 5 million values, and a second of it is modest", () => {
    const model = new PlantModel(demoPlant, "takt");
    let ledger = 0;
    let all = 0;
    for (const one of model.machines) {
      ledger += model.readings(one, noon - day, noon, { measurements: false }).length;
      all += model.readings(one, noon - day, noon).length;
    }
    expect(7 * all + 7 * ledger).toBeLessThan(5_000_000);
    expect(all / 86_400).toBeLessThan(100);
  });
});

describe("counters", () => {
  it("tell the pieces that the machine made, by the rules that Takt counts by", () => {
    const model = new PlantModel(demoPlant, "takt");
    for (const one of model.machines) {
      const readings = model.readings(one, noon - 3 * day, noon, { measurements: false });
      for (const signal of one.machine.signals.filter(({ counter }) => counter)) {
        let before: number | null = null;
        let counted = 0;
        let told = 0;
        for (const { value, pieces = 0 } of readings.filter((reading) => reading.signal === signal)) {
          if (typeof value !== "number") throw new Error("a count is a number");
          counted += delta({ mode: signal.counter ?? "cumulative", modulus: signal.modulus ?? null }, before, value);
          if (before !== null || signal.counter === "increment") told += pieces;
          before = value;
        }
        expect(counted, `${one.machinePath}/${signal.key}`).toBe(told);
      }
    }
  });

  it("agree with the cycles of the days they speak of", () => {
    const model = new PlantModel(demoPlant, "takt");
    for (const path of ["press-02", "imm-03", "palletiser", "cnc-01"]) {
      const one = machine(path);
      const today = model.machineDay(one, "2026-11-17");
      const readings = model.readings(one, today.day.from, today.day.to, { measurements: false });
      const told = readings.filter(({ signal }) => signal.role === "good_count").reduce((sum, { pieces = 0 }) => sum + pieces, 0);
      expect(told, path).toBe(today.good.at(-1));
    }
  });

  it("that are never reset go on over the days, and the 16-bit one rolls over", () => {
    const model = new PlantModel(demoPlant, "takt");
    const totals = (date: string) => model.totalsBefore(machine("cnc-01"), date).good;
    const made = model.machineDay(machine("cnc-01"), "2026-11-17").good.at(-1) ?? 0;
    expect(totals("2026-11-18") - totals("2026-11-17")).toBe(made);
    const values = model
      .readings(machine("imm-03"), noon - 6 * day, noon, { measurements: false })
      .filter(({ signal }) => signal.key === "good")
      .map(({ value }) => Number(value));
    expect(Math.max(...values)).toBeLessThan(65_536);
    expect(values.some((value, n) => n > 0 && value < (values[n - 1] ?? 0))).toBe(true);
  });

  it("of the load plant do so as well, over midnight", () => {
    const model = new LoadModel(loadPlant(1, 3, "single"), "takt", 20);
    const midnight = Date.parse("2026-11-18T00:00:00Z");
    for (const one of model.machines) {
      const good = model.readings(one, midnight - 600_000, midnight + 600_000).filter(({ signal }) => signal.key === "good");
      let counted = 0;
      for (let n = 1; n < good.length; n++) counted += delta({ mode: "cumulative", modulus: null }, Number(good[n - 1]?.value), Number(good[n]?.value));
      expect(counted).toBe(good.slice(1).reduce((sum, { pieces = 0 }) => sum + pieces, 0));
      expect(counted).toBeGreaterThan(800);
    }
  });
});

describe("what the machines really do", () => {
  it("leaves no gap and no overlap", () => {
    const model = new PlantModel(demoPlant, "takt");
    for (const one of model.machines) {
      for (const date of ["2026-11-15", "2026-11-17", "2026-10-25", "2026-03-29"]) {
        const { conditions, day: window } = model.machineDay(one, date);
        expect(conditions[0]?.at).toBe(window.from);
        for (let n = 1; n < conditions.length; n++) expect(conditions[n]?.at ?? 0).toBeGreaterThan(conditions[n - 1]?.at ?? 0);
        expect(conditions.at(-1)?.at ?? Infinity).toBeLessThan(window.to);
      }
    }
  });

  it("makes no piece while it is stopped, off shift, or in a break that it keeps", () => {
    const model = new PlantModel(demoPlant, "takt");
    for (const one of model.machines) {
      const { conditions, cycleAt } = model.machineDay(one, "2026-11-17");
      let n = 0;
      const wrong: string[] = [];
      for (const at of cycleAt) {
        while ((conditions[n + 1]?.at ?? Infinity) < at) n++; // a piece counted at t was made before t
        const doing = conditions[n]?.condition ?? "";
        if (!["run", "starting", "blocked", "starved"].includes(doing)) wrong.push(`${one.machinePath} ${new Date(at).toISOString()} ${doing}`);
      }
      expect(wrong).toEqual([]);
    }
  });

  it("works the shifts of its pattern in its own zone", () => {
    const model = new PlantModel(demoPlant, "takt");
    const press = model.machineDay(machine("press-01"), "2026-11-17");
    expect(new Date(press.day.from).toISOString()).toBe("2026-11-17T05:00:00.000Z");
    expect(press.day.shifts.map(({ from, to }) => [new Date(from).toISOString(), new Date(to).toISOString()])).toEqual([
      ["2026-11-17T05:00:00.000Z", "2026-11-17T13:00:00.000Z"],
      ["2026-11-17T13:00:00.000Z", "2026-11-17T21:00:00.000Z"],
    ]);
    expect(press.conditions.at(-1)?.condition).toBe("not_scheduled");
    const cartoner = model.machineDay(machine("cartoner"), "2026-11-17");
    expect(new Date(cartoner.day.from).toISOString()).toBe("2026-11-17T12:00:00.000Z");
    expect(model.machineDay(machine("press-01"), "2026-11-15").conditions.map(({ condition }) => condition)).toEqual(["not_scheduled"]); // a Sunday
  });

  it("has seven or nine hours in the night in which the clocks change", () => {
    const line = machine("imm-01");
    const night = (date: string) => plantDay(line.zone, line.pattern, date).shifts.find(({ key }) => key === "night");
    const hours = (date: string) => ((night(date)?.to ?? 0) - (night(date)?.from ?? 0)) / hour;
    expect([hours("2026-03-28"), hours("2026-10-24"), hours("2026-11-17")]).toEqual([7, 9, 8]);
  });

  it("reads clock times as the product does", () => {
    const dates = fc.constantFrom("2026-03-08", "2026-03-29", "2026-10-25", "2026-11-01", "2026-06-15", "2027-03-14");
    fc.assert(
      fc.property(fc.constantFrom("Europe/Berlin", "America/Chicago"), dates, fc.integer({ min: 0, max: 1439 }), (zone, date, minutes) => {
        const clock = `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
        expect(instantOf(zone, date, clock)).toBe(domainInstantOf(date, minutes, zone).getTime());
      }),
    );
  });

  it("blocks and starves its neighbours on a coupled line, and loses no bottle between them", () => {
    const model = new PlantModel(demoPlant, "takt");
    const days = ["depalletiser", "filler", "capper", "labeller", "packer", "palletiser"].map((key) =>
      model.machineDay(machine(`filling-1/${key}`), "2026-11-17"),
    );
    for (let n = 1; n < days.length; n++) {
      const into = (days[n]?.good.at(-1) ?? 0) + (days[n]?.reject.at(-1) ?? 0);
      const from = days[n - 1]?.good.at(-1) ?? 0;
      expect(from - into).toBeGreaterThanOrEqual(0);
      expect(from - into).toBeLessThanOrEqual(42); // what stands in the buffer and in the machine
    }
    expect(days.flatMap(({ conditions }) => conditions.map(({ condition }) => condition))).toEqual(
      expect.arrayContaining(["blocked", "starved", "minor", "break"]),
    );
  });

  it("shows a fault for days before it breaks, and breaks in a shift", () => {
    const model = new PlantModel(demoPlant, "takt");
    const worn = model.machines.filter(({ machine: { wears } }) => wears);
    const failures = worn.flatMap((one) => failuresIn("takt", one, one.machine, noon - 60 * day, noon).map((failure) => ({ one, failure })));
    expect(failures.length).toBeGreaterThan(15);
    for (const { one, failure } of failures) {
      expect(failure.failsAt - failure.onsetAt).toBeGreaterThan(2 * day);
      const date = dateOf(one.zone, one.pattern, failure.failsAt);
      expect(plantDay(one.zone, one.pattern, date).shifts.some(({ from, to }) => failure.failsAt >= from && failure.failsAt < to)).toBe(true);
      expect(wearAt([failure], failure.onsetAt)).toBe(0);
      expect(wearAt([failure], failure.failsAt - 1)).toBeGreaterThan(0.99);
      expect(wearAt([failure], failure.repairedAt)).toBe(0);
    }
    const vibrating = failures.find(({ one }) => one.machine.key === "cnc-02");
    if (!vibrating) throw new Error("cnc-02 never failed");
    const mean = (at: number) => {
      const values = model
        .readings(vibrating.one, at - 6 * hour, at)
        .flatMap(({ signal, value }) => (signal.key === "vibration" && Number(value) > 0.8 ? [Number(value)] : []));
      return values.reduce((sum, value) => sum + value, 0) / values.length;
    };
    expect(mean(vibrating.failure.failsAt)).toBeGreaterThan(2 * mean(vibrating.failure.onsetAt));
  });

  it("has bins that sink with the pieces and are filled again, and meters that only rise", () => {
    const model = new PlantModel(demoPlant, "takt");
    const of = (path: string, key: string) =>
      model
        .readings(machine(path), noon - 2 * day, noon)
        .filter(({ signal }) => signal.key === key)
        .map(({ value }) => Number(value));
    const caps = of("capper", "cap_bin");
    expect(Math.min(...caps)).toBeLessThan(0.5 * Math.max(...caps));
    expect(caps.some((level, n) => level > (caps[n - 1] ?? Infinity) + 15)).toBe(true);
    const meter = of("press-01", "energy");
    expect(meter.every((kWh, n) => n === 0 || kWh >= (meter[n - 1] ?? Infinity))).toBe(true);
    expect(new Set(meter).size).toBeGreaterThan(100);
  });

  it("announces each job once at its change, and again at shift starts", () => {
    const model = new PlantModel(demoPlant, "takt");
    for (const one of model.machines) {
      const { day: window } = model.machineDay(one, "2026-11-17");
      const jobs = model.readings(one, window.from, window.to, { measurements: false }).filter(({ signal }) => signal.key === "job");
      expect(jobs[0]?.at).toBe(window.from);
      expect(jobs.map(({ value }) => value).every((value) => /^J\d{10}$/.test(String(value)))).toBe(true);
    }
    expect(addDays("2026-12-31", 1)).toBe("2027-01-01");
  });
});

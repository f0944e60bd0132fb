import { describe, expect, it } from "vitest";
import { parseOptions } from "#/simulator/options.ts";

const now = Date.parse("2026-11-18T12:00:00Z");
const refusal = (...args: string[]) => {
  try {
    parseOptions(args, now);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error(`${args.join(" ")} was taken`);
};

describe("the command line", () => {
  it("goes live unless told otherwise", () => {
    expect(parseOptions([], now)).toMatchObject({ what: "live", speed: 1, seed: "takt", load: null, from: null });
    expect(parseOptions(["--backfill", "14d"], now)).toMatchObject({ what: "backfill", backfillMs: 14 * 86_400_000, maxRate: Infinity });
    expect(parseOptions(["--backfill", "14d", "--live"], now)).toMatchObject({ what: "both", maxRate: 40_000 });
  });

  it("understands instants, ages and durations", () => {
    const options = parseOptions(["--from", "2h", "--to", "2026-11-18T11:30:00+01:00", "--speed", "max", "--for", "10m"], now);
    expect(options).toMatchObject({ from: now - 7_200_000, to: Date.parse("2026-11-18T10:30:00Z"), speed: Infinity, forMs: 600_000 });
  });

  it("understands the load plant and misbehaviour", () => {
    const options = parseOptions(
      ["--lines", "4", "--rate", "50", "--format", "single", "--duplicates", "0.1", "--lost-link", "m-01@2026-11-18T12:00:30Z+2m", "--clock-skew", "all@-90s"],
      now,
    );
    expect(options).toMatchObject({ load: { lines: 4, machines: 10, rate: 50 }, format: "single", duplicates: 0.1 });
    expect(options.lostLinks).toEqual([{ machine: "m-01", from: { at: now + 30_000 }, lengthMs: 120_000 }]);
    expect(options.clockSkews).toEqual([{ machine: "all", byMs: -90_000 }]);
  });

  it("says what is wrong and how to write it", () => {
    expect(refusal("--speed", "60")).toMatch(/needs --from/);
    expect(refusal("--duplicates", "10")).toMatch(/share between 0 and 1/);
    expect(refusal("--backfill", "two weeks")).toMatch(/14d/);
    expect(refusal("--format", "xml")).toMatch(/batched, single or sparkplug/);
    expect(refusal("--from", "yesterday")).toMatch(/an age such as 2h/);
    expect(refusal("--from", "1h", "--to", "2h")).toMatch(/later than --from/);
    expect(refusal("--replay", "x.csv")).toMatch(/--map/);
    expect(refusal("--lost-link", "press-01")).toMatch(/machine@/);
    expect(refusal("--lines", "0")).toMatch(/whole number/);
    expect(refusal("--nonsense")).toMatch(/--help/);
  });
});

import { describe, expect, it } from "vitest";
import { readEnv } from "./env.ts";

const url = { DATABASE_URL: "postgres://takt:secret@127.0.0.1:5432/takt" };
const wrong = (variables: Record<string, string>) => {
  const env = readEnv(variables);
  return "wrong" in env ? env.wrong : [];
};

describe("readEnv", () => {
  it("fills in what is kept how long: 7, 90 and 90 days", () => {
    expect(readEnv({ ...url, LOG_LEVEL: " " })).toMatchObject({
      JOBS_HTTP_PORT: 9465,
      HOST: "127.0.0.1",
      LOG_LEVEL: "info",
      RETAIN_TREND_RAW_DAYS: 7,
      RETAIN_TREND_HOURLY_DAYS: 90,
      RETAIN_DEAD_LETTER_DAYS: 90,
      RETAIN_LETTERS_MB: 4_000,
    });
    expect(readEnv({ ...url, RETAIN_TREND_RAW_DAYS: "30", RETAIN_TREND_HOURLY_DAYS: "400" })).toMatchObject({
      RETAIN_TREND_RAW_DAYS: 30,
      RETAIN_TREND_HOURLY_DAYS: 400,
    });
  });

  it("refuses nonsense, one line a variable", () => {
    for (const days of ["0", "-7", "1.5", "x", "1e9", "NaN", "Infinity", "7 days"]) {
      for (const name of ["RETAIN_TREND_RAW_DAYS", "RETAIN_TREND_HOURLY_DAYS", "RETAIN_DEAD_LETTER_DAYS"]) {
        const lines = wrong({ ...url, [name]: days });
        expect(lines).toHaveLength(1);
        expect(lines[0]).toMatch(new RegExp(`^${name} must be .*day.*: how long .* are kept$`));
      }
    }
    for (const mb of ["0", "9", "-1", "1.5", "4 GB"])
      expect(wrong({ ...url, RETAIN_LETTERS_MB: mb })).toEqual([
        "RETAIN_LETTERS_MB must be a whole number of MB from 10 to 10000000: how much dead letters may take together",
      ]);
    expect(wrong({})).toEqual([
      "DATABASE_URL is missing: set it (or DATABASE_URL_FILE) to the PostgreSQL database, for example postgres://takt@127.0.0.1:5432/takt",
    ]);
    expect(wrong({ DATABASE_URL: "mysql://x:secret@y", JOBS_HTTP_PORT: "70000" })).toEqual([
      "DATABASE_URL must begin with postgres:// or postgresql://",
      "JOBS_HTTP_PORT must be a port from 0 to 65535 (0: any free one)",
    ]);
  });

  it("refuses to keep the roll-up shorter than what it is made of", () => {
    expect(wrong({ ...url, RETAIN_TREND_RAW_DAYS: "100" })).toEqual([
      "RETAIN_TREND_HOURLY_DAYS must not be less than RETAIN_TREND_RAW_DAYS: the hourly roll-up is what remains when raw measurements are dropped",
    ]);
  });
});

import { describe, expect, it } from "vitest";
import { type Health, healthAnswer, metricsOf } from "./health.ts";
import type { JobState } from "./queue.ts";

const startedAt = Date.UTC(2026, 4, 4);
const minute = 60_000;
const state = (changed: Partial<JobState>): JobState => ({
  lastAt: startedAt,
  lastOkAt: startedAt,
  tookMs: 12.6,
  did: { hours: 3 },
  failure: null,
  ...changed,
});
const health = (trouble: string | null, rollUp?: JobState): Health => ({ startedAt, trouble, jobs: new Map(rollUp ? [["roll_up_measurements", rollUp]] : []) });

describe("healthAnswer", () => {
  it("is 200 while the database answers, also where another process has done the jobs", () => {
    expect(healthAnswer(health(null), startedAt + 900 * minute).status).toBe(200);
    const { status, body } = healthAnswer(health(null, state({})), startedAt + minute);
    expect(status).toBe(200);
    expect(body.jobs.find(({ name }) => name === "roll_up_measurements")).toEqual({
      name: "roll_up_measurements",
      everyS: 120,
      lastAt: "2026-05-04T00:00:00.000Z",
      lastOkAt: "2026-05-04T00:00:00.000Z",
      tookMs: 13,
      did: { hours: 3 },
      failure: null,
      isLate: false,
    });
  });
  it("is 503 while the database is away, and says so", () => {
    const { status, body } = healthAnswer(health("The database at x does not answer."), startedAt);
    expect([status, body.ok, body.database, body.trouble]).toEqual([503, false, false, "The database at x does not answer."]);
  });
  it("is 503 once a job has failed for three of its periods", () => {
    const failing = state({ failure: "division by zero" });
    expect(healthAnswer(health(null, failing), startedAt + 6 * minute).status).toBe(200);
    expect(healthAnswer(health(null, failing), startedAt + 7 * minute).status).toBe(503);
    expect(healthAnswer(health(null, state({ failure: "x", lastOkAt: null })), startedAt + 7 * minute).status).toBe(503);
  });
});

describe("metricsOf", () => {
  it("tells the same to Prometheus", async () => {
    const text = await metricsOf(health(null, state({ failure: "x" }))).text;
    const samples = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    expect(samples).toEqual([
      "takt_jobs_database_up 1",
      `takt_jobs_last_success_seconds{job="roll_up_measurements"} ${startedAt / 1000}`,
      'takt_jobs_duration_seconds{job="roll_up_measurements"} 0.0126',
      'takt_jobs_failing{job="roll_up_measurements"} 1',
    ]);
    expect(await metricsOf(health("away")).text).toContain("takt_jobs_database_up 0");
  });
});

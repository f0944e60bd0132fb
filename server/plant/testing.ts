/** For database tests of the plant: a stage with a plant file to begin with, applied as the command does it. */
import { readFileSync } from "node:fs";
import type pg from "pg";
import { expect } from "vitest";
import type { Db } from "#/server/db.ts";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";
import { readPlantFile } from "./read-file.ts";
import { applyPlan, lockPlant, type Plan, planPlant } from "./service.ts";

export const noon = new Date("2026-05-20T10:00:00Z"); // a Wednesday, 12:00 in Berlin
export const later = (hours: number) => new Date(noon.getTime() + hours * 3_600_000);
/** The plant file of the documentation. */
export const example = /```yaml\n(enterprise[\s\S]*?)```/.exec(readFileSync("docs/plant-file.md", "utf8"))?.[1] ?? "";

/** A plant of one line with these machines (YAML), and more sites. */
export const small = (machines: string, more = "") => `enterprise: { key: acme }
product_lines: [{ key: pl, products: [{ key: A }, { key: B }] }]
sites:
  - key: berlin
    zone: Europe/Berlin
    shift_patterns:
      - { key: day, shifts: [{ key: d, days: mon-fri, start: 06:00, end: 14:00 }] }
      - { key: long, shifts: [{ key: d, days: mon-fri, start: 06:00, end: 18:00 }] }
    areas:
      - key: hall
        lines:
          - key: l1
            shift_pattern: day
            machines:
${machines.replaceAll(/^/gm, "              ")}
${more}`;
export const m1 = "- { key: m1, ideal_cycles: [{ seconds: 4 }], signals: [{ key: state, role: state }, { key: temp, role: measurement, unit: Cel }] }";
export const m2 = "- { key: m2, upstream: m1, signals: [{ key: good, role: good_count }] }";

export class PlantStage {
  readonly db: TestDatabase;
  readonly client: pg.Client;

  private constructor(db: TestDatabase, client: pg.Client) {
    this.db = db;
    this.client = client;
  }

  static async open(): Promise<PlantStage> {
    const db = await aDatabase();
    return new PlantStage(db, await db.connect());
  }

  async close(): Promise<void> {
    await this.db.drop();
  }

  /** In one transaction, as the command applies a file: some rules are looked at when it ends. */
  async inTransaction<Result>(work: (tx: Db) => Promise<Result>): Promise<Result> {
    await this.client.query("begin");
    try {
      const result = await work({ rows: async (sql, parameters = []) => (await this.client.query(sql, [...parameters])).rows });
      await this.client.query("commit");
      return result;
    } catch (error) {
      await this.client.query("rollback");
      throw error;
    }
  }

  /** Applies a file without complaints; one with troubles is only planned. */
  async apply(text: string, now = noon): Promise<Plan> {
    const { plant, complaints } = readPlantFile(text);
    expect(complaints).toEqual([]);
    if (!plant) throw new Error("complaints are empty");
    return this.inTransaction(async (tx) => {
      await lockPlant(tx);
      const plan = await planPlant(tx, plant, now);
      if (plan.troubles.length === 0) await applyPlan(tx, plan, now);
      return plan;
    });
  }

  /** The values of the column x. */
  async column(sql: string): Promise<unknown[]> {
    return (await this.db.rows<{ x: unknown }>(sql)).map((row) => row.x);
  }

  /** A value of a signal, as the worker writes it. signal: machine/signal. */
  async give(signal: string, at = noon): Promise<void> {
    await this.db.rows(
      `with s as (select g.id, g.source_id, g.retention_class from signal g join machine m on m.id = g.machine_id where m.key || '/' || g.key = $1),
         l as (insert into ledger_sample (signal_id, at, value, received_at) select id, $2, 1, $2 from s where retention_class = 'ledger'),
         t as (insert into sample (signal_id, at, value) select id, $2, 1 from s where retention_class = 'trend'),
         p as (insert into source_status (source_id, last_at) select source_id, $2 from s on conflict do nothing)
       insert into signal_latest (signal_id, at, value, flags, received_at) select id, $2, 1, 0, $2 from s`,
      [signal, at],
    );
  }
}

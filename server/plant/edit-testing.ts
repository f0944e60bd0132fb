/** For tests of the plant's editing: a small plant, and the procedures as screens call them. */
import type pg from "pg";
import type { Db } from "#/server/db.ts";
import type { Actor } from "#/server/domain/permission.ts";
import { Refusal } from "#/server/errors.ts";
import { program, requestOf } from "#/server/identity/testing.ts";
import type { TestDatabase } from "#/server/testing.ts";
import { createCaller } from "#/server/trpc.ts";
import type { Kind } from "./edit-types.ts";
import { readPlantFile } from "./read-file.ts";
import { plantRouter } from "./router.ts";
import { applyPlan, planPlant } from "./service.ts";

const callerOf = createCaller(plantRouter);

/** What a refusal says, and at which fields. */
export async function refusal(work: Promise<unknown>): Promise<{ code: string; fields: Record<string, string>; sentence: string; present: unknown }> {
  try {
    await work;
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Refusal ? error.cause : error;
    if (!(cause instanceof Refusal)) throw error;
    const fields = Object.fromEntries(cause.fields.map(({ path, sentence }) => [path, sentence]));
    return { code: cause.code, fields, sentence: cause.message, present: cause.present };
  }
  throw new Error("It was not refused.");
}

const clients = new WeakMap<TestDatabase, Promise<pg.Client>>();

/** In one transaction, as the command does it: some rules are looked at when it ends. @throws Error with every mistake of the file */
export async function applyText(db: TestDatabase, text: string, now = new Date()): Promise<void> {
  const { plant, complaints } = readPlantFile(text);
  if (!plant) throw new Error(complaints.map(({ line, sentence }) => `${line}: ${sentence}`).join("\n"));
  const connecting = clients.get(db) ?? db.connect();
  clients.set(db, connecting);
  const client = await connecting;
  const tx: Db = { rows: async (sql, parameters = []) => (await client.query(sql, [...parameters])).rows };
  await client.query("begin");
  try {
    const plan = await planPlant(tx, plant, now);
    if (plan.troubles.length > 0) throw new Error(plan.troubles.join("\n"));
    await applyPlan(tx, plan, now);
    await client.query("commit");
  } catch (error) {
    await client.query("rollback");
    throw error;
  }
}

export const smallPlant = `enterprise: { key: acme, currency: EUR }
product_lines: [{ key: pl, products: [{ key: A }, { key: B }] }, { key: other }]
sites:
  - key: berlin
    zone: Europe/Berlin
    currency: EUR
    product_costs: [{ product: A, value: 10, scrap: 4 }]
    shift_patterns:
      - { key: day, shifts: [{ key: d, days: mon-fri, start: 06:00, end: 14:00 }] }
      - { key: long, shifts: [{ key: d, days: mon-fri, start: 06:00, end: 18:00 }] }
    reasons: [{ key: mech, loss: breakdown, reasons: [{ key: belt, reasons: [{ key: torn }] }] }, { key: other, loss: other }]
    sources: [{ form: mapped, address: gateway }]
    areas:
      - key: hall
        lines:
          - key: l1
            topology: constraint
            constraint_machine: m1
            last_machine: m2
            shift_pattern: day
            machines:
              - { key: m1, hourly_costs: [{ cost: 80 }], ideal_cycles: [{ seconds: 4 }, { product: A, seconds: 3 }], signals: [{ key: state, role: state }, { key: temp, role: measurement, unit: Cel }] }
              - { key: m2, upstream: m1, signals: [{ key: good, role: good_count, source: gateway, mapping: { topic: hall/m2, path: good } }] }
              - { key: m3, source: { form: sparkplug, address: G/N }, upstream: m2, signals: [{ key: V, role: measurement }] }
  - { key: chicago, zone: America/Chicago, currency: USD, areas: [{ key: a, lines: [{ key: l, machines: [{ key: x, hourly_costs: [{ cost: 50 }], signals: [{ key: s, role: measurement, mapping: { topic: chi/+/s } }] }] }] }] }
`;

/** Procedures of one database; DATABASE_URL must name it, because changes go through the process's own pool. */
export function editing(db: TestDatabase) {
  const as = (actor: Actor) => callerOf(requestOf(db, actor));
  const plant = () => as(program);
  return {
    as,
    plant,
    column: async (sql: string) => (await db.rows<{ x: unknown }>(sql)).map((row) => row.x),
    make: (kind: Kind, parent: string, fields: Record<string, unknown>, actor: Actor = program) =>
      as(actor).put({ kind, address: null, parent, fields, version: null }),
    async change(kind: Kind, address: string, fields: Record<string, unknown>) {
      const { version } = await plant().item({ kind, address });
      return plant().put({ kind, address, parent: null, fields, version });
    },
    async siteId(key: string): Promise<number> {
      return (await db.rows<{ id: number }>("select id from site where key = $1", [key]))[0]?.id ?? 0;
    },
  };
}

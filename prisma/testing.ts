/** For tests of what the database holds by itself: SQLSTATEs, and a transaction that is not kept. */
import type pg from "pg";

export const foreignKey = "23503";
export const exclusion = "23P01";
export const check = "23514";
export const restricted = "23001";

export type Statement = [sql: string, ...parameters: unknown[]];

/** Runs the statements in one transaction that is not kept. @returns the SQLSTATE of what the database refuses at once or would at commit; null: nothing */
export async function refusedBy(client: pg.Client, statements: readonly Statement[]): Promise<string | null> {
  await client.query("begin");
  try {
    for (const [sql, ...parameters] of statements) await client.query(sql, parameters);
    await client.query("set constraints all immediate");
    return null;
  } catch (error) {
    return (error as { code: string }).code;
  } finally {
    await client.query("rollback");
  }
}

// The worker's way to the database: connections that say clearly what is wrong, and which errors are worth another try.
import pg from "pg";
import { LeaseLost } from "./lease.ts";

/** retry: the database, not the data; collision: a key that is taken; missing: a row that a key points to is gone; poison: some value of the batch. */
export type Fault = "lease" | "retry" | "collision" | "missing" | "poison";

export function faultOf(error: unknown): Fault {
  if (error instanceof LeaseLost) return "lease";
  const code = (error as { code?: string }).code ?? "";
  if (error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError) return "poison"; // of our own: trying again would hold all that comes after
  if (!/^[0-9A-Z]{5}$/.test(code)) return "retry"; // no SQLSTATE: the connection
  if (code === "23505") return "collision";
  if (code === "23503") return "missing";
  // 22 data, 23 constraints, 21 cardinality: what we sent. All else is the server's state: connection 08, resources 53, shutdown 57, disk 58, deadlock 40, rights and schema 28/42
  return /^(21|22|23)/.test(code) ? "poison" : "retry";
}

/** What to tell the operator. */
export function sentenceOf(error: unknown, url: string): string {
  const { code, message } = error as { code?: string; message: string };
  const { host, pathname } = new URL(url);
  switch (code) {
    case "ECONNREFUSED":
      return `no database answers at ${host}: is PostgreSQL running, is the port right?`;
    case "ENOTFOUND":
      return `the database's host ${host} is not known`;
    case "28P01":
    case "28000":
      return `the database ${host} refuses the sign-in: check user and password in DATABASE_URL`;
    case "3D000":
      return `there is no database ${pathname.slice(1)} at ${host}`;
    case "42P01":
    case "42703":
      return `the database lacks a table or column (${message}): run npm run migrate`;
    case "53100":
      return "the database's disk is full";
    case "57P01":
    case "57P02":
    case "57P03":
      return "the database is starting or stopping";
    default:
      return message;
  }
}

export async function connectDatabase(url: string, name: string): Promise<pg.Client> {
  const db = new pg.Client({ connectionString: url, application_name: name, connectionTimeoutMillis: 10_000, keepAlive: true });
  db.on("error", () => db.removeAllListeners("notification")); // the query under way fails with it; an idle client must not bring the process down
  await db.connect();
  await db.query("set timezone = 'UTC'");
  return db;
}

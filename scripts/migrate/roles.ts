/**
 * Two roles: the owner of the schema, who migrates, and the application's, who reads and writes rows and can neither change the audit trail nor take its
 * guards away. With one role for both, the trail is guarded by its triggers alone.
 */
import { Logger, runMigrations } from "graphile-worker";
import pg from "pg";
import { messageOf, Trouble } from "../trouble.ts";

const rows = ["select", "insert", "update", "delete"] as const;
type Privilege = (typeof rows)[number] | "truncate" | "references" | "trigger";

/** What the application may do where it is not all of `rows`. */
const less: Record<string, readonly Privilege[]> = {
  audit_entry: ["select"],
  audit_chain: ["select"],
  audit_exempt: ["select"],
  audit_way: ["select"],
  audit_pending: [],
  audit_open: [],
  signature: ["select", "insert"],
  signed_content: ["select", "insert"],
  job_said: ["select", "insert"],
  stop_edit: ["select", "insert"],
  shift_version: ["select", "insert"],
  schema_migration: ["select"],
};
const every: readonly Privilege[] = [...rows, "truncate", "references", "trigger"];
/** Functions that not everybody may call. */
const functions = ["audit_append(int, text, text, text, text, json, json, text)", "takt_drop_chunks(text, timestamptz, timestamptz)"];
const queueSchema = "graphile_worker";

type Options = { log: (line: string) => void /** Also makes the queue's schema, which is the application's own. */; queue: boolean };

/** Gives the role of `applicationUrl` what it needs and no more; safe to repeat. @throws Trouble: no such role, or one that no grant can bind */
export async function admitApplication(owner: pg.Client, applicationUrl: string | undefined, { log, queue }: Options): Promise<void> {
  const { rows: present } = await owner.query("-- migrate.hasAudit\nselect where to_regclass('public.audit_entry') is not null");
  if (present.length === 0) return; // a schema of a test's own
  await owner.query("-- migrate.auditTriggers\nselect audit_attach()");
  const user = await userOf(owner);
  const role = applicationUrl === undefined ? user : roleOf(applicationUrl);
  if (role === user) {
    log(
      `One role (${user}) owns the tables and runs the application: the audit trail is guarded by its triggers alone. Two roles are safer: docs/operating.md, "Two roles".`,
    );
    return;
  }
  await checkRole(owner, role, user);
  // Two at once would undo what the other is about.
  await owner.query("-- migrate.lock\nselect pg_advisory_lock(hashtext('takt.roles'))");
  try {
    await grant(owner, role);
    if (queue && applicationUrl !== undefined) await makeQueue(owner, role, applicationUrl);
  } finally {
    await owner.query("-- migrate.unlock\nselect pg_advisory_unlock(hashtext('takt.roles'))");
  }
}

async function userOf(client: pg.Client): Promise<string> {
  const { rows: found } = await client.query<{ user: string }>('-- migrate.user\nselect current_user::text as "user"');
  return found[0]?.user ?? "";
}

/** As the driver reads it: also where the address names none and the environment or the system does. */
const roleOf = (url: string): string => new pg.Client({ connectionString: url }).user ?? "";

async function checkRole(owner: pg.Client, role: string, user: string): Promise<void> {
  const { rows: found } = await owner.query<{ super: boolean; member: boolean }>(
    `-- migrate.role
     select rolsuper as super, pg_has_role(rolname, current_user, 'member') as member from pg_roles where rolname = $1`,
    [role],
  );
  const one = found[0];
  if (!one) throw new Trouble(`The role ${role} of DATABASE_URL does not exist. Create it: CREATE ROLE ${role} LOGIN PASSWORD '...'`);
  if (one.super)
    throw new Trouble(
      `The role ${role} of DATABASE_URL is a superuser, whom no grant binds. Give the application a role of its own (docs/operating.md, "Two roles").`,
    );
  if (one.member)
    throw new Trouble(`The role ${role} of DATABASE_URL may become ${user}, who owns the tables, so no grant binds it. Run: REVOKE ${user} FROM ${role}`);
}

async function grant(owner: pg.Client, role: string): Promise<void> {
  const to = owner.escapeIdentifier(role);
  await owner.query("begin");
  try {
    // Nobody but the owner may put a function where the triggers' own functions are looked for.
    await owner.query("revoke create on schema public from public");
    await owner.query(`grant usage on schema public to ${to}`);
    const { rows: tables } = await owner.query<{ name: string; held: Privilege[] }>(
      `-- migrate.privileges
       select c.relname as name, array(select p from unnest($2::text[]) p where has_table_privilege($1, c.oid, p)) as held
       from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm')
         and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')`,
      [role, every],
    );
    for (const { name, held } of tables) {
      const wanted = less[name] ?? rows;
      const table = owner.escapeIdentifier(name);
      const missing = wanted.filter((privilege) => !held.includes(privilege));
      const excess = held.filter((privilege) => !wanted.includes(privilege));
      if (missing.length > 0) await owner.query(`grant ${missing.join(", ")} on ${table} to ${to}`);
      if (excess.length > 0) await owner.query(`revoke ${excess.join(", ")} on ${table} from ${to}, public`);
    }
    await owner.query(`grant usage, select on all sequences in schema public to ${to}`);
    for (const one of functions) await owner.query(`grant execute on function ${one} to ${to}`);
    await owner.query("commit");
  } catch (error) {
    await owner.query("rollback");
    throw error;
  }
}

/** The queue's tables let nobody in but who owns them, so the application makes them itself, and may make a schema for just so long. */
async function makeQueue(owner: pg.Client, role: string, applicationUrl: string): Promise<void> {
  const { rows: found } = await owner.query<{ owner: string; database: string }>(
    "-- migrate.queue\nselect current_database() as database, (select pg_get_userbyid(nspowner)::text from pg_namespace where nspname = $1) as owner",
    [queueSchema],
  );
  const { owner: holder = null, database = "" } = found[0] ?? {};
  if (holder !== null && holder !== role)
    throw new Trouble(
      `The queue of the jobs (schema ${queueSchema}) belongs to ${holder} and not to ${role}. It holds nothing that is not made again; run as ${holder}: DROP SCHEMA ${queueSchema} CASCADE`,
    );
  const may = `create on database ${owner.escapeIdentifier(database)}`;
  const to = owner.escapeIdentifier(role);
  if (holder === null) await owner.query(`grant ${may} to ${to}`);
  try {
    await runMigrations({ connectionString: applicationUrl, schema: queueSchema, logger: new Logger(() => () => undefined) });
  } catch (error) {
    throw new Trouble(`The application's role ${role} cannot make the queue of the jobs: ${messageOf(error)}. Check DATABASE_URL.`);
  } finally {
    if (holder === null) await owner.query(`revoke ${may} from ${to}`);
  }
}

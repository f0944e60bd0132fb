/** Makes the demo's accounts: node scripts/demo/seed-people.ts DATA_DIR. Refuses every database but the demo's own: no other has accounts that anybody knows. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { closePool, db } from "#/server/db.ts";
import { addPerson, commandLine, type NewMembership } from "#/server/identity/provision.ts";
import { personByLogin } from "#/server/identity/queries.ts";
import { env } from "../env.ts";
import { failWith, Trouble } from "../trouble.ts";
import { demoPeople, demoSecrets } from "./people.ts";

const loopback = ["127.0.0.1", "localhost", "[::1]"];

/** Whether the database is the one that keeps its data in this folder: on this machine, on the port that its server has written down there. */
function isOwn(dataDir: string, databaseUrl: string): boolean {
  const { hostname, port } = new URL(databaseUrl);
  if (!loopback.includes(hostname)) return false;
  const file = join(dataDir, "postgres/postmaster.pid");
  return !existsSync(file) || readFileSync(file, "utf8").split("\n")[3]?.trim() === port; // in a container there is no such file to be read
}

async function seed(dataDir: string | undefined): Promise<void> {
  if (!dataDir || !env.databaseUrl || !isOwn(dataDir, env.databaseUrl)) throw new Trouble("The demo's accounts are made in the demo's own database alone.");
  const strangers = await db.rows("-- demo.strangers\n select from person where username is null or username <> all($1) limit 1", [
    demoPeople.map(({ login }) => login),
  ]);
  if (strangers.length > 0) throw new Trouble("There are other people in this database: it is not the demo's.");
  const [place] = await db.rows<{ site: string; line: string }>(
    `-- demo.place
     select s.key as site, a.key || '/' || l.key as line from line l join area a on a.id = l.area_id join site s on s.id = a.site_id
     where l.retired_at is null order by s.key, a.key, l.key limit 1`,
  );
  const { password, pin } = demoSecrets(dataDir);
  for (const { login, name, role, where } of demoPeople) {
    if (await personByLogin(db, login, null)) continue;
    const held: NewMembership = { role, site: where === "all" ? null : (place?.site ?? null), lines: where === "line" && place ? [place.line] : [] };
    await addPerson(commandLine("demo"), { name, login, memberships: [held], password, pin: where === "all" ? null : pin });
  }
}

try {
  await seed(process.argv[2]);
} catch (error) {
  failWith(error);
} finally {
  await closePool();
}

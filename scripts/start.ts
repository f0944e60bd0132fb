/** npm start: the built web app on 127.0.0.1:3000, or on HOST and PORT, or --port N. Builds it first if its sources changed. */
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { putUpGate } from "#/server/gate/gate.ts";
import { identityEnv, whatIsWrong } from "#/server/identity/env.ts";
import { generateClient } from "./build/client.ts";
import { buildWeb, standaloneServer } from "./build.ts";
import { isFree } from "./embedded/processes.ts";
import { env } from "./env.ts";
import { printFirstLink } from "./first-link.ts";
import { orUsage, portOf } from "./options.ts";
import { failWith, Trouble } from "./trouble.ts";

try {
  if (!env.databaseUrl) throw new Trouble("DATABASE_URL is not set. Set it to your database, or see all of it at work with: npm run demo");
  const { values } = orUsage("Usage: npm start [-- --port N]", () => parseArgs({ options: { port: { type: "string" } } }));
  const port = portOf(values.port ?? env.port ?? "3000");
  // Whoever reaches the port sees the plant: other machines only where that was asked for.
  const host = env.host ?? "127.0.0.1";
  if (!(await isFree(port, host))) throw new Trouble(`Port ${port} on ${host} is in use by another program. Choose another with --port N or PORT.`);
  process.env.HOSTNAME = host;
  process.env.PORT = String(port);
  // Said now rather than after a build.
  const wrong = whatIsWrong(process.env);
  if (wrong.length > 0) throw new Trouble(wrong.join("\n"));
  await generateClient();
  if (await buildWeb({ always: false })) console.log("Built the web app.");
  printFirstLink();
  // Already now, and not only once the framework is ready: it listens before that.
  putUpGate({ publicUrl: identityEnv().PUBLIC_URL ?? null, developing: false });
  await import(pathToFileURL(standaloneServer).href);
} catch (error) {
  failWith(error);
}

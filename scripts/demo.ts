/** npm run demo [-- --fresh] [-- --port N]: a whole plant, live, from nothing. Ctrl-C stops all of it. */
import { join } from "node:path";
import { runPlant } from "./demo/run.ts";
import { env } from "./env.ts";

await runPlant({
  what: "demo",
  title: "Takt demo",
  dataDir: join(env.stateDir, "data/demo"),
  logDir: join(env.stateDir, "logs"),
  web: "built",
  history: "14d",
});

/** npm run dev [-- --fresh] [-- --port N] [-- --history 14d]: all of it with reload, for developers, on data of its own. */
import { join } from "node:path";
import { runPlant } from "./demo/run.ts";
import { env } from "./env.ts";

await runPlant({
  what: "developer's run",
  title: "Takt for developers",
  dataDir: join(env.stateDir, "data/dev"),
  logDir: join(env.stateDir, "logs/dev"),
  web: "dev",
  history: null,
});

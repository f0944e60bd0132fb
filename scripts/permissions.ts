/** npm run permissions: writes docs/permissions.md from the map. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { permissionsDocument } from "#/server/permissions/document.ts";
import { projectRoot } from "./env.ts";

const file = "docs/permissions.md";
writeFileSync(join(projectRoot, file), permissionsDocument());
console.log(`Wrote ${file}.`);

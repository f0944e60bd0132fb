import { defineConfig } from "prisma/config";

// Prisma gives the typed client only. Migrations are plain SQL, applied by `npm run migrate`; hence no datasource here.
export default defineConfig({ schema: "prisma/schema.prisma" });

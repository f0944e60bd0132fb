import { defineConfig } from "vitest/config";

// Told apart by what they need: pure (nothing), db (DATABASE_URL), process (DATABASE_URL, real processes).
const rest = ["**/node_modules/**", "**/.next/**", "**/.takt/**", "e2e/**"];
export default defineConfig({
  test: {
    projects: [
      { test: { name: "pure", testTimeout: 30_000, include: ["**/*.test.{ts,tsx}"], exclude: [...rest, "**/*.db.test.ts", "**/*.process.test.ts"] } },
      { test: { name: "db", include: ["**/*.db.test.ts"], exclude: rest, testTimeout: 60_000, hookTimeout: 60_000, maxWorkers: 3 } },
      { test: { name: "process", include: ["**/*.process.test.ts"], exclude: rest, testTimeout: 180_000, hookTimeout: 120_000, maxWorkers: 2 } },
    ],
  },
});

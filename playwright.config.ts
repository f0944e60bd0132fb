import { defineConfig } from "@playwright/test";

// npm test names the simulated plant's web app in E2E_BASE_URL for the spec that looks at it; the browser is the machine's own.
const { E2E_BASE_URL, CHROMIUM = "/usr/bin/chromium" } = process.env;
// The last four keep the browser from looking for a world that a plant's network does not have.
const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export default defineConfig({
  testDir: "e2e",
  // A plant that runs is looked at as it is; all other specs start what they need.
  testMatch: E2E_BASE_URL ? "plant.spec.ts" : "**/*.spec.ts",
  testIgnore: E2E_BASE_URL ? [] : "plant.spec.ts",
  globalSetup: E2E_BASE_URL ? undefined : "./e2e/setup.ts",
  outputDir: "test-results",
  timeout: 60_000,
  expect: { timeout: 10_000 },
  // Three files at a time, each with a database, a broker and programs of its own: most of their time they wait. A plant that runs is looked at by one.
  workers: E2E_BASE_URL ? 1 : 3,
  retries: 0,
  forbidOnly: true,
  use: { baseURL: E2E_BASE_URL, screenshot: "only-on-failure", launchOptions: { executablePath: CHROMIUM, args } },
});

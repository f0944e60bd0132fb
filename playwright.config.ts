import { defineConfig } from "@playwright/test";

// npm test starts the plant and the web app and names them here; the browser is the machine's own.
const { E2E_BASE_URL = "http://localhost:3000", CHROMIUM = "/usr/bin/chromium" } = process.env;
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
  globalSetup: "./e2e/setup.ts",
  outputDir: "test-results",
  timeout: 60_000,
  // The machine's two cores also run the plant.
  workers: 1,
  retries: 0,
  forbidOnly: true,
  use: { baseURL: E2E_BASE_URL, screenshot: "only-on-failure", launchOptions: { executablePath: CHROMIUM, args } },
});

import type { NextConfig } from "next";
import createNextIntlPlugin from "next-intl/plugin";

const config: NextConfig = {
  output: "standalone",
  poweredByHeader: false,
  reactStrictMode: true,
  typescript: { ignoreBuildErrors: true }, // the tests check the types of the whole project; a build need not do it again
  // Read at run time by their path, so tracing must be told of them.
  outputFileTracingIncludes: { "/*": ["./messages/*.json", "./prisma/migrations/*.sql"] },
  outputFileTracingExcludes: {
    "/*": ["./.takt/**", "./node_modules/node-linux-*/**", "./node_modules/node-win-*/**", "./bench/**", "./simulator/**", "./e2e/**"],
  },
  serverExternalPackages: ["pg", "pino"],
  turbopack: { root: import.meta.dirname },
  devIndicators: false,
  experimental: { authInterrupts: true }, // forbidden(): status 403 and app/forbidden.tsx
  // Headers that every answer carries are put there by the gate (server/gate), the pages' policy by proxy.ts.
};

export default createNextIntlPlugin("./app/locale.ts")(config);

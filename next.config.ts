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
  // Only what the proxy does not reach; pages and their policy are in proxy.ts.
  headers: async () => [
    {
      source: "/:path*",
      headers: [
        { key: "X-Content-Type-Options", value: "nosniff" },
        { key: "Referrer-Policy", value: "same-origin" },
        { key: "X-Frame-Options", value: "SAMEORIGIN" },
        { key: "Cross-Origin-Opener-Policy", value: "same-origin" },
        { key: "Cross-Origin-Resource-Policy", value: "same-origin" },
        { key: "Permissions-Policy", value: "camera=(), microphone=(), geolocation=(), payment=(), usb=()" },
      ],
    },
  ],
};

export default createNextIntlPlugin("./app/locale.ts")(config);

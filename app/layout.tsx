import "@fontsource-variable/inter/index.css";
import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "#/components/states/states.css";
import "./page.css";
import { ColorSchemeScript, mantineHtmlProps } from "@mantine/core";
import type { Metadata, Viewport } from "next";
import { headers } from "next/headers";
import { NextIntlClientProvider } from "next-intl";
import { getLocale } from "next-intl/server";
import type { ReactNode } from "react";
import { preload } from "react-dom";
import { Providers } from "#/components/frame/providers.tsx";
import { PersonPresence } from "./person-presence.tsx";

export const metadata: Metadata = { title: { default: "Takt", template: "%s · Takt" }, description: "Production operations, live" };
export const viewport: Viewport = {
  themeColor: [
    { media: "(prefers-color-scheme: light)", color: "#f3f5f9" },
    { media: "(prefers-color-scheme: dark)", color: "#0b0f17" },
  ],
};

/** The letters of most languages. Asked for together with the styles: found only in them, they come after the first paint. */
const letters = new URL("@fontsource-variable/inter/files/inter-latin-wght-normal.woff2", import.meta.url).href;

export default async function RootLayout({ children }: { children: ReactNode }) {
  const nonce = (await headers()).get("x-nonce") ?? "";
  preload(letters, { as: "font", type: "font/woff2", crossOrigin: "anonymous" });
  return (
    <html lang={await getLocale()} {...mantineHtmlProps}>
      <head>
        <ColorSchemeScript defaultColorScheme="auto" nonce={nonce} />
      </head>
      <body>
        <NextIntlClientProvider>
          <Providers nonce={nonce}>
            {children}
            <PersonPresence />
          </Providers>
        </NextIntlClientProvider>
      </body>
    </html>
  );
}

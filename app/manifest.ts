import type { MetadataRoute } from "next";

/** So that a phone or a wall's browser can keep Takt like a program of its own. */
export default function manifest(): MetadataRoute.Manifest {
  return {
    name: "Takt",
    short_name: "Takt",
    description: "Production operations for the people who run the shift",
    start_url: "/",
    scope: "/",
    display: "standalone",
    background_color: "#0b0f17",
    theme_color: "#0b0f17",
    categories: ["business", "productivity"],
    icons: [
      { src: "/icon.svg", type: "image/svg+xml", sizes: "any", purpose: "any" },
      { src: "/icons/icon-192.png", type: "image/png", sizes: "192x192", purpose: "any" },
      { src: "/icons/icon-512.png", type: "image/png", sizes: "512x512", purpose: "any" },
      { src: "/icons/icon-maskable-512.png", type: "image/png", sizes: "512x512", purpose: "maskable" },
    ],
  };
}

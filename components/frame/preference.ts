"use client";

const oneYearS = 365 * 24 * 3600;

/** Of this browser, for whoever uses it; the server reads it to make pages as they are wanted at first sight. Never a secret: scripts can read it. */
export function rememberPreference(name: "takt-locale" | "takt-sidebar", value: string): void {
  const secure = location.protocol === "https:" ? "; secure" : "";
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser
  document.cookie = `${name}=${value}; path=/; max-age=${oneYearS}; samesite=lax${secure}`;
}

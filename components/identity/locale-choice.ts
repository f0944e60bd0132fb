"use client";
import { rememberPreference } from "#/components/frame/preference.ts";

/** In this browser, for whoever uses it. */
export const rememberLocale = (locale: string): void => rememberPreference("takt-locale", locale);

/** A language in its own words. */
export function languageName(locale: string): string {
  const name = new Intl.DisplayNames([locale], { type: "language" }).of(locale) ?? locale;
  return name.charAt(0).toLocaleUpperCase(locale) + name.slice(1);
}

import type { ReactNode } from "react";
import { Shell } from "#/components/frame/shell.tsx";
import { locales } from "../locale.ts";

/** The frame stays while pages come and go, and is there before what they show. */
export default function InsideLayout({ children }: { children: ReactNode }) {
  return <Shell locales={locales()}>{children}</Shell>;
}

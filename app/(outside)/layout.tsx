import type { ReactNode } from "react";
import { Door } from "#/components/identity/door.tsx";
import { locales } from "#/server/locale.ts";

export default function OutsideLayout({ children }: { children: ReactNode }) {
  return <Door locales={locales()}>{children}</Door>;
}

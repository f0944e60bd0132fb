import type { ReactNode } from "react";
import { requirePath } from "#/server/identity/page.ts";
import { InsideFrame } from "../inside-frame.tsx";

/** Asked before anything is sent, while the answer's status can still say so; the page asks again, for where only it is rendered. */
export default async function InsideLayout({ children }: { children: ReactNode }) {
  await requirePath();
  return <InsideFrame>{children}</InsideFrame>;
}

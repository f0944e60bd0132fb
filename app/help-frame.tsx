import type { ReactNode } from "react";
import { FrameLater } from "#/components/frame/frame-later.tsx";
import { PermissionsProvider } from "#/components/frame/permissions.tsx";
import { frameFacts } from "./frame-facts.ts";

/**
 * The frame of the pages that help where there is none. Every page brings those along, in case it comes to that, and the browser loads at once whatever they are
 * made of: the sign-in and the wall's boards would load a frame that they never show. So this one is loaded where it is shown.
 */
export async function HelpFrame({ children }: { children: ReactNode }) {
  const { offered, frame } = await frameFacts();
  return (
    <PermissionsProvider offered={offered}>
      <FrameLater {...frame}>{children}</FrameLater>
    </PermissionsProvider>
  );
}

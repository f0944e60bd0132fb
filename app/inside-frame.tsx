import type { ReactNode } from "react";
import { Frame } from "#/components/frame/frame.tsx";
import { PermissionsProvider } from "#/components/frame/permissions.tsx";
import { Notices } from "#/components/identity/notices.tsx";
import { frameFacts } from "./frame-facts.ts";

/** The frame of every page that a person works in. */
export async function InsideFrame({ children }: { children: ReactNode }) {
  const { offered, frame, notices } = await frameFacts();
  return (
    <PermissionsProvider offered={offered}>
      <Frame {...frame}>
        <Notices notices={notices} />
        {children}
      </Frame>
    </PermissionsProvider>
  );
}

"use client";
import { createContext, type ReactNode, useCallback, useContext } from "react";
import type { Action } from "#/server/domain/permission.ts";

/** Where whoever looks may do what: at all sites, or at these (their ids). What is not in it, nowhere. */
export type Offered = Partial<Record<Action, "all" | readonly number[]>>;

const Permissions = createContext<Offered>({});
export const PermissionsProvider = ({ offered, children }: { offered: Offered; children: ReactNode }) => <Permissions value={offered}>{children}</Permissions>;

/** Whether a button is offered: at that site, or (without one) anywhere. The server asks again whatever is shown. */
export function useMay(): (action: Action, siteId?: number | null) => boolean {
  const offered = useContext(Permissions);
  return useCallback(
    (action, siteId = null) => {
      const where = offered[action];
      return where === "all" || (where !== undefined && (siteId === null || where.includes(siteId)));
    },
    [offered],
  );
}

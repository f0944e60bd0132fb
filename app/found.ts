import "server-only";
import { TRPCError } from "@trpc/server";
import { notFound } from "next/navigation";

/**
 * What a page is about. Where it does not exist, or not for who asks, the answer is 404 and the page that helps: asked before anything is sent, so no skeleton
 * (loading.tsx) may stand above such a page.
 */
export const found = <Thing>(looking: Promise<Thing>): Promise<Thing> =>
  looking.catch((error: unknown) => {
    if (error instanceof TRPCError && (error.code === "NOT_FOUND" || error.code === "BAD_REQUEST")) notFound();
    throw error;
  });

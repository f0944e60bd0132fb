"use client";
import { createTRPCClient, httpBatchLink, httpLink, httpSubscriptionLink, splitLink, type TRPCClient } from "@trpc/client";
import { createTRPCContext } from "@trpc/tanstack-react-query";
import superjson from "superjson";
import type { AppRouter } from "#/server/router.ts";

export const { TRPCProvider, useTRPC, useTRPCClient } = createTRPCContext<AppRouter>();

/** url: of the procedures; a display has a way of its own, on which it is known by its link alone. */
export const makeTrpcClient = (url = "/api/trpc"): TRPCClient<AppRouter> =>
  createTRPCClient<AppRouter>({
    links: [
      splitLink({
        condition: (operation) => operation.type === "subscription",
        true: httpSubscriptionLink({ url, transformer: superjson }),
        false: splitLink({
          // A question that is too long for an address (a form that is not saved yet) goes in the body.
          condition: (operation) => operation.type === "query" && JSON.stringify(operation.input ?? null).length > 1_500,
          true: httpLink({ url, transformer: superjson, methodOverride: "POST" }),
          false: httpBatchLink({ url, transformer: superjson, maxURLLength: 6_000 }),
        }),
      }),
    ],
  });

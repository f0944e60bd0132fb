/** Server components' way to the procedures: prefetch, hand over, no HTTP in between. */
import "server-only";
import { defaultShouldDehydrateQuery, dehydrate, type FetchQueryOptions, HydrationBoundary, QueryClient, type QueryKey } from "@tanstack/react-query";
import { createTRPCOptionsProxy } from "@trpc/tanstack-react-query";
import { cache, createElement, type ReactNode } from "react";
import superjson from "superjson";
import { appRouter } from "#/server/router.ts";
import { createCaller, createContext } from "#/server/trpc.ts";

/** One a request. */
const getQueryClient = cache(
  () =>
    new QueryClient({
      defaultOptions: {
        queries: { staleTime: 5_000, retry: false },
        dehydrate: { serializeData: superjson.serialize, shouldDehydrateQuery: (query) => defaultShouldDehydrateQuery(query) },
      },
    }),
);

export const trpc = createTRPCOptionsProxy({ ctx: createContext, router: appRouter, queryClient: getQueryClient });

/** Direct calls. @throws TRPCError whose cause is the Refusal where the answer is no */
export const api = createCaller(appRouter)(createContext);

/** Fills the request's cache, so that the first paint has numbers. A failure is not thrown: the screen asks again and shows it. */
export async function prefetch<Data, Failure, Selected, Key extends QueryKey>(options: FetchQueryOptions<Data, Failure, Selected, Key>): Promise<void> {
  await getQueryClient().prefetchQuery(options);
}

export const Hydrate = ({ children }: { children: ReactNode }) => createElement(HydrationBoundary, { state: dehydrate(getQueryClient()) }, children);

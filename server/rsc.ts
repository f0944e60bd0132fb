/** Server components' way to the procedures: prefetch, hand over, no HTTP in between. */
import "server-only";
import {
  defaultShouldDehydrateQuery,
  dehydrate,
  type FetchInfiniteQueryOptions,
  type FetchQueryOptions,
  HydrationBoundary,
  QueryClient,
  type QueryKey,
} from "@tanstack/react-query";
import { createTRPCOptionsProxy } from "@trpc/tanstack-react-query";
import { headers } from "next/headers";
import { cache, createElement, type ReactNode } from "react";
import superjson from "superjson";
import { appRouter } from "#/server/router.ts";
import { contextOf, createCaller } from "#/server/trpc.ts";

/** Who asks for this page. Once a request. */
export const pageContext = cache(async () => contextOf(await headers()));

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

export const trpc = createTRPCOptionsProxy({ ctx: pageContext, router: appRouter, queryClient: getQueryClient });

/** Direct calls. @throws TRPCError whose cause is the Refusal where the answer is no */
export const api = createCaller(appRouter)(pageContext);

/** Fills the request's cache, so that the first paint has numbers. A failure is not thrown: the screen asks again and shows it. */
export async function prefetch<Data, Failure, Selected, Key extends QueryKey>(options: FetchQueryOptions<Data, Failure, Selected, Key>): Promise<void> {
  await getQueryClient().prefetchQuery(options);
}

/** The same for a list that goes on page by page: its first one. */
export async function prefetchPages<Data, Failure, Selected, Key extends QueryKey, Cursor>(
  options: FetchInfiniteQueryOptions<Data, Failure, Selected, Key, Cursor>,
): Promise<void> {
  await getQueryClient().prefetchInfiniteQuery(options);
}

/** The same for a page that cannot be without it: what it is about. @throws TRPCError whose cause is the Refusal where the answer is no */
export const fetched = <Data, Failure, Selected, Key extends QueryKey>(options: FetchQueryOptions<Data, Failure, Selected, Key>): Promise<Selected> =>
  getQueryClient().fetchQuery(options);

export const Hydrate = ({ children }: { children: ReactNode }) => createElement(HydrationBoundary, { state: dehydrate(getQueryClient()) }, children);

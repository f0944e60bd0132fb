"use client";
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { setNonce } from "get-nonce";
import { type ReactNode, useState } from "react";
import superjson from "superjson";
import { theme } from "./theme.ts";
import { makeTrpcClient, TRPCProvider } from "./trpc.ts";

const makeQueryClient = () =>
  new QueryClient({
    defaultOptions: {
      queries: { staleTime: 5_000, retry: 1, refetchOnWindowFocus: true },
      hydrate: { deserializeData: superjson.deserialize },
    },
  });

/** nonce: of the first page. It is kept: the browser holds on to the first page's policy, also after the server has rendered again. */
export function Providers({ nonce, children }: { nonce: string; children: ReactNode }) {
  const [first] = useState(() => {
    setNonce(nonce); // for the styles that lock scrolling behind a dialog
    return nonce;
  });
  const [queryClient] = useState(makeQueryClient);
  const [trpcClient] = useState(() => makeTrpcClient());
  return (
    <QueryClientProvider client={queryClient}>
      <TRPCProvider trpcClient={trpcClient} queryClient={queryClient}>
        <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={() => first}>
          {children}
        </MantineProvider>
      </TRPCProvider>
    </QueryClientProvider>
  );
}

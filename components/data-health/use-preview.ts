"use client";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, skipToken, useQuery } from "@tanstack/react-query";
import type { inferRouterOutputs } from "@trpc/server";
import { useTranslations } from "next-intl";
import { useTRPC } from "#/components/frame/trpc.ts";
import { errorSentence } from "#/components/ui/query-state.tsx";
import type { FieldFault } from "#/server/errors.ts";
import type { AppRouter } from "#/server/router.ts";
import { againEveryMs } from "./freshness.ts";
import { type MapValues, type PreviewInput, previewInput } from "./mapping-values.ts";
import type { UnknownData, UnknownValue } from "./unknown-section.tsx";

export type ReadMessage = inferRouterOutputs<AppRouter>["dataHealth"]["mappingPreview"]["messages"][number];
export type Preview = {
  messages: readonly ReadMessage[];
  /** Nothing has come yet. */
  isPending: boolean;
  /** What is shown is of what the form said a moment ago. */
  isBehind: boolean;
  /** Why nothing can be shown: with fields where the signal's are wrong, by their names in the plant file. */
  fault: { sentence: string; fields: readonly FieldFault[] } | null;
  retry: () => void;
};

/** Long enough that nothing is asked between two keys of a word. */
const quietMs = 300;

/** What the messages that came would become with what the form says: asked again as it changes, and as messages come (data-health.tsx follows the changes). */
export function usePreview(values: MapValues, value: UnknownValue, data: UnknownData): Preview {
  const app = useTranslations("app");
  const trpc = useTRPC();
  const wanted = JSON.stringify(previewInput(values, value, data));
  const [asked] = useDebouncedValue(wanted, quietMs);
  const input = JSON.parse(asked) as PreviewInput | null;
  const query = useQuery(
    trpc.dataHealth.mappingPreview.queryOptions(input ?? skipToken, {
      refetchInterval: againEveryMs.letters,
      placeholderData: keepPreviousData,
      retry: false,
    }),
  );
  const { error } = query;
  return {
    messages: query.data?.messages ?? [],
    isPending: query.data === undefined && error === null && input !== null,
    isBehind: wanted !== asked || query.isPlaceholderData,
    fault: error && {
      sentence: errorSentence(error, app("unreachable")),
      fields: (error.data?.fields ?? []).map(({ path, sentence }) => ({ path: path.replace(/^signal\./, ""), sentence })),
    },
    retry: () => void query.refetch(),
  };
}

"use client";
import type { UseFormReturnType } from "@mantine/form";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, skipToken, useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { useTRPC } from "#/components/frame/trpc.ts";
import { againEveryMs } from "./freshness.ts";
import { type MapValues, rowsOf } from "./mapping-values.ts";

const quietMs = 300;

export type Proposals = { /** Topics that match; more than are listed may. */ topics: number; isPending: boolean };

/** Which unknown topics match the form's filter, kept in its rows: what someone changed there stays, topics that come are added, those that are mapped go. */
export function useProposals(form: UseFormReturnType<MapValues>, isMany: boolean): Proposals {
  const trpc = useTRPC();
  const { topic, path } = form.getValues();
  const [asked] = useDebouncedValue(JSON.stringify({ topic: topic.trim(), path: path.trim() }), quietMs);
  const input = JSON.parse(asked) as { topic: string; path: string };
  const query = useQuery(
    trpc.dataHealth.mappingProposals.queryOptions(isMany && input.topic !== "" ? input : skipToken, {
      refetchInterval: againEveryMs.letters,
      placeholderData: keepPreviousData,
    }),
  );
  const { data, isPlaceholderData } = query;
  useEffect(() => {
    if (!data || isPlaceholderData) return;
    const before = form.getValues().rows;
    const rows = rowsOf(before, data.proposals, form.getValues().path.trim());
    if (JSON.stringify(rows) !== JSON.stringify(before)) form.setFieldValue("rows", rows);
  }, [data, isPlaceholderData, form.getValues, form.setFieldValue]);
  return { topics: data?.topics ?? 0, isPending: isMany && data === undefined };
}

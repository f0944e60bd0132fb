"use client";
import { useSearchParams } from "next/navigation";
import { useCallback } from "react";

/** One value of the page's address, so that a link shows what its sender saw. null: not in it. Setting it makes no request and no step of history. */
export function useUrlState(name: string): [string | null, (value: string | null) => void] {
  const value = useSearchParams().get(name);
  const set = useCallback(
    (next: string | null) => {
      const url = new URL(window.location.href);
      if (next === null || next === "") url.searchParams.delete(name);
      else url.searchParams.set(name, next);
      window.history.replaceState(null, "", url);
    },
    [name],
  );
  return [value, set];
}

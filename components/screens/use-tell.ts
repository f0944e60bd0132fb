"use client";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import type { TRPCClientErrorLike } from "@trpc/client";
import { useTranslations } from "next-intl";
import { useTRPC } from "#/components/frame/trpc.ts";
import { errorSentence } from "#/components/ui/query-state.tsx";
import type { AppRouter } from "#/server/router.ts";

/** Does something with a display, says what became of it, and reads the list again. */
export function useTell(): (work: () => Promise<unknown>, done: string) => Promise<boolean> {
  const app = useTranslations("app");
  const trpc = useTRPC();
  const queries = useQueryClient();
  return async (work, done) => {
    try {
      await work();
      notifications.show({ message: done, color: "green" });
      return true;
    } catch (thrown) {
      notifications.show({ message: errorSentence(thrown as TRPCClientErrorLike<AppRouter>, app("unreachable")), color: "red", autoClose: false });
      return false;
    } finally {
      void queries.invalidateQueries({ queryKey: trpc.displays.list.queryKey() });
    }
  };
}

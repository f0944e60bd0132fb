import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { Awake } from "#/components/frame/awake.tsx";
import { Tokens } from "#/components/tokens/tokens.tsx";
import { requirePage } from "#/server/identity/page.ts";
import { Hydrate, prefetch, trpc } from "#/server/rsc.ts";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations("tokens"))("title") };
}

export default async function TokensPage() {
  await requirePage("token.read");
  await prefetch(trpc.tokens.list.queryOptions());
  return (
    <Hydrate>
      <Tokens />
      <Awake />
    </Hydrate>
  );
}

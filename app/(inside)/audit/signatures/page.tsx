import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { Awake } from "#/components/frame/awake.tsx";
import { SiteSignatures } from "#/components/signatures/site-signatures.tsx";
import { requirePage } from "#/server/identity/page.ts";
import { Hydrate, prefetch, trpc } from "#/server/rsc.ts";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations("signatures"))("title") };
}

export default async function SignaturesPage() {
  await requirePage("audit.read");
  await prefetch(trpc.audit.sites.queryOptions());
  return (
    <Hydrate>
      <SiteSignatures />
      <Awake />
    </Hydrate>
  );
}

import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { Awake } from "#/components/frame/awake.tsx";
import { StrictSites } from "#/components/identity/strict-sites.tsx";
import { PeopleList } from "#/components/people/people-list.tsx";
import { mayAnywhere } from "#/server/domain/permission.ts";
import { requirePage } from "#/server/identity/page.ts";
import { Hydrate, prefetch, trpc } from "#/server/rsc.ts";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations("people"))("title") };
}

export default async function PeoplePage({ searchParams }: PageProps<"/people">) {
  const { actor } = await requirePage("person.read");
  const { site, role } = await searchParams;
  if (site === undefined && role === undefined) await prefetch(trpc.people.list.queryOptions({ site: null, role: null }));
  return (
    <Hydrate>
      <PeopleList />
      {mayAnywhere(actor, "person.change") && <StrictSites />}
      <Awake />
    </Hydrate>
  );
}

import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { Awake } from "#/components/frame/awake.tsx";
import { NewPerson } from "#/components/people/new-person.tsx";
import { requirePage } from "#/server/identity/page.ts";
import { Hydrate, prefetch, trpc } from "#/server/rsc.ts";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations("people"))("new") };
}

export default async function NewPersonPage() {
  await requirePage("person.change");
  await prefetch(trpc.people.places.queryOptions());
  return (
    <Hydrate>
      <NewPerson />
      <Awake />
    </Hydrate>
  );
}

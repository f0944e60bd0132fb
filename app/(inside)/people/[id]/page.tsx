import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { Awake } from "#/components/frame/awake.tsx";
import { PersonPage } from "#/components/people/person-page.tsx";
import { mayAnywhere } from "#/server/domain/permission.ts";
import { requirePage } from "#/server/identity/page.ts";
import { fetched, Hydrate, prefetch, trpc } from "#/server/rsc.ts";
import { found } from "../../../found.ts";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations("people"))("person") };
}

export default async function OnePersonPage({ params }: PageProps<"/people/[id]">) {
  const { actor } = await requirePage("person.read");
  const { id } = await params;
  await Promise.all([
    found(fetched(trpc.people.show.queryOptions({ id }))),
    mayAnywhere(actor, "person.change") ? prefetch(trpc.people.places.queryOptions()) : null,
  ]);
  return (
    <Hydrate>
      <PersonPage id={id} />
      <Awake />
    </Hydrate>
  );
}

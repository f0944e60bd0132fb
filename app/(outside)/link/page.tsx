import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { Awake } from "#/components/frame/awake.tsx";
import { LinkForm } from "#/components/identity/link-form.tsx";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations("identity.link"))("opening"), referrer: "no-referrer" };
}

export default function LinkPage() {
  return (
    <>
      <LinkForm />
      <Awake />
    </>
  );
}

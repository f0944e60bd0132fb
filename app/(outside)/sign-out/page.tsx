import type { Metadata } from "next";
import { headers } from "next/headers";
import { redirect } from "next/navigation";
import { getTranslations } from "next-intl/server";
import { Awake } from "#/components/frame/awake.tsx";
import { SignOut } from "#/components/identity/sign-out.tsx";
import { doorState } from "#/server/identity/door.ts";
import { pageContext } from "#/server/rsc.ts";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations("identity.signOut"))("title") };
}

export default async function SignOutPage() {
  const asked = await headers();
  const { isTerminal } = await doorState(asked);
  const onTo = isTerminal ? "/terminal" : "/sign-in?out";
  const { actor } = await pageContext();
  if (actor.kind !== "person") redirect(onTo);
  return (
    <>
      <SignOut atOnce={asked.get("sec-fetch-site") === "same-origin"} onTo={onTo} />
      <Awake />
    </>
  );
}

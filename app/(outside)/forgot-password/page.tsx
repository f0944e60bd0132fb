import type { Metadata } from "next";
import { headers } from "next/headers";
import { getTranslations } from "next-intl/server";
import { Awake } from "#/components/frame/awake.tsx";
import { ForgotForm } from "#/components/identity/forgot-form.tsx";
import { doorState } from "#/server/identity/door.ts";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations("identity.forgot"))("title") };
}

export default async function ForgotPasswordPage() {
  const { canMail } = await doorState(await headers());
  return (
    <>
      <ForgotForm canMail={canMail} />
      <Awake />
    </>
  );
}

import type { Metadata } from "next";
import { getLocale, getTranslations } from "next-intl/server";
import { Awake } from "#/components/frame/awake.tsx";
import { ImportPage } from "#/components/plant/import-page.tsx";
import { requirePage } from "#/server/identity/page.ts";
import { sheetNames, sheets } from "#/server/plant/import-sheets.ts";
import { sayIn } from "#/server/sentences.ts";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations("plant"))("import") };
}

export default async function PlantImportPage() {
  await requirePage("plant.change");
  const say = sayIn(await getLocale());
  const shown = sheetNames.map((name) => ({
    name,
    columns: sheets[name].columns.map(({ name: column, about, example, ...more }) => ({
      name: column,
      about: say(about),
      example,
      isNeeded: "isNeeded" in more,
    })),
  }));
  return (
    <>
      <Awake />
      <ImportPage sheets={shown} />
    </>
  );
}

import type { Metadata } from "next";
import { headers } from "next/headers";
import { NextIntlClientProvider } from "next-intl";
import { getTranslations } from "next-intl/server";
import type { ReactNode } from "react";
import { ClosedDisplay } from "#/components/displays/closed-display.tsx";
import { Display } from "#/components/displays/display.tsx";
import { onScreenAt } from "#/components/displays/on-screen.ts";
import type { FirstBoard } from "#/components/displays/use-memories.ts";
import { Awake } from "#/components/frame/awake.tsx";
import { buildId } from "#/server/build.ts";
import { displayContext } from "#/server/displays/context.ts";
import { tokenIn } from "#/server/displays/link.ts";
import { type Standing, standingOf, type WhyClosed } from "#/server/displays/service.ts";
import type { DisplayEvent } from "#/server/displays/watch.ts";
import { isDatabaseAway } from "#/server/errors.ts";
import { locales } from "#/server/locale.ts";
import { logFault } from "#/server/log.ts";
import { appRouter } from "#/server/router.ts";
import { createCaller } from "#/server/trpc.ts";
import { messagesOf } from "../locale.ts";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations("display"))("title"), robots: { index: false } };
}

const whys: readonly WhyClosed[] = ["none", "forged", "replaced", "revoked", "expired"];

/** A wall display, known by the cookie that its link left: nobody is signed in. */
export default async function DisplayPage({ searchParams }: PageProps<"/display">) {
  return (
    <>
      {await whatItShows(await searchParams)}
      <Awake />
    </>
  );
}

type Given = Record<string, string | string[] | undefined>;

async function whatItShows({ closed, in: locale }: Given): Promise<ReactNode> {
  const given = whys.find((why) => why === closed); // a link that was just opened and is no good
  if (given) return <Closed why={given} locale={typeof locale === "string" ? locale : null} />;
  const asked = new Headers(await headers());
  const standing = await standingOrNull(asked);
  if (standing && standing.why !== null) return <Closed {...standing} />;
  const { first, firstBoard } = await look(asked, standing);
  return (
    <InLocale locale={first.display?.locale ?? null}>
      <Display first={first} firstBoard={firstBoard} />
    </InLocale>
  );
}

const Closed = ({ why, locale }: { why: WhyClosed; locale: string | null }) => (
  <InLocale locale={locale}>
    <ClosedDisplay why={why} />
  </InLocale>
);

/** null: the database is away, so that nobody can say. */
async function standingOrNull(asked: Headers): Promise<Standing | null> {
  try {
    return await standingOf(tokenIn(asked), new Date());
  } catch (error) {
    if (!isDatabaseAway(error)) throw error;
    logFault(error, "a display found the database away");
    return null;
  }
}

/** The first paint carries the board. A wall must come up while the database is away, too: it then waits for itself. */
async function look(asked: Headers, standing: Standing | null): Promise<{ first: DisplayEvent; firstBoard: FirstBoard | null }> {
  const waiting: DisplayEvent = { at: Date.now(), build: buildId(), display: null, concerns: [], trouble: null, lineTroubles: [] };
  if (!standing || standing.actor === null) return { first: waiting, firstBoard: null };
  const api = createCaller(appRouter)(displayContext(asked, standing.actor));
  try {
    const first = await api.displays.own();
    const { shown } = onScreenAt(first, first.at);
    const board = first.display?.boards.find(({ lineId }) => lineId === shown?.lineId);
    const [site = "", area = "", line = ""] = board?.address.split("/") ?? [];
    const firstBoard = board ? { lineId: board.lineId, event: await api.boards.line({ site, area, line }) } : null;
    return { first, firstBoard };
  } catch (error) {
    logFault(error, "the first picture of a display could not be made"); // it asks again by itself
    return { first: waiting, firstBoard: null };
  }
}

/** In the display's own language, whatever its browser's is. */
const InLocale = ({ locale, children }: { locale: string | null; children: ReactNode }) =>
  locale !== null && locales().includes(locale) ? (
    <div lang={locale}>
      <NextIntlClientProvider locale={locale} messages={messagesOf(locale)}>
        {children}
      </NextIntlClientProvider>
    </div>
  ) : (
    children
  );

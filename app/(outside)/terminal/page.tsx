import type { Metadata } from "next";
import { headers } from "next/headers";
import { redirect } from "next/navigation";
import { getTranslations } from "next-intl/server";
import { Awake } from "#/components/frame/awake.tsx";
import { NoTerminal } from "#/components/identity/no-terminal.tsx";
import { TerminalScreen } from "#/components/identity/terminal-screen.tsx";
import { pageContext } from "#/server/rsc.ts";
import { terminalScreen } from "#/server/terminals/service.ts";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations("identity.terminal"))("title") };
}

/** A shared terminal's own screen: who unlocks it. */
export default async function TerminalPage() {
  const { actor, from, now } = await pageContext();
  const screen = await terminalScreen(await headers(), from.address, now());
  if (!screen)
    return (
      <>
        <NoTerminal />
        <Awake />
      </>
    );
  if (actor.kind === "person" && actor.terminalId !== null) redirect("/start");
  const { terminal, people } = screen;
  return (
    <>
      <TerminalScreen
        name={terminal.name}
        place={terminal.lines.length > 0 ? terminal.lines.map((line) => line.name).join(", ") : terminal.siteName}
        people={people}
      />
      <Awake />
    </>
  );
}

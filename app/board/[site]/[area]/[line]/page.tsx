import { TRPCError } from "@trpc/server";
import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { WallBoard } from "#/components/boards/wall-board.tsx";
import { Awake } from "#/components/frame/awake.tsx";
import type { BoardEvent } from "#/server/boards/picture-types.ts";
import { currentTrouble } from "#/server/boards/upstream.ts";
import { buildId } from "#/server/build.ts";
import { isDatabaseAway, Refusal } from "#/server/errors.ts";
import { requirePage } from "#/server/identity/page.ts";
import { api } from "#/server/rsc.ts";

type Props = PageProps<"/board/[site]/[area]/[line]">;

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const { site, area, line } = await params;
  return { title: `${line} · ${area} · ${site}` };
}

export default async function BoardPage({ params, searchParams }: Props) {
  // A wall must come up while the database is away, too, when nobody can say whose it is: without a picture, which it is asked for again.
  await requirePage("board.read").catch((error: unknown) => {
    if (!isDatabaseAway(error)) throw error;
  });
  const { site, area, line } = await params; // keys of the plant need no decoding
  const theme = (await searchParams).theme === "light" ? "light" : "dark";
  return (
    <>
      <WallBoard address={{ site, area, line }} first={await look({ site, area, line })} theme={theme} />
      <Awake />
    </>
  );
}

/** The first paint carries the picture. A wall must come up while the database is away too: it then shows that, and waits for itself. */
async function look(address: { site: string; area: string; line: string }): Promise<BoardEvent> {
  try {
    return await api.boards.line(address);
  } catch (error) {
    // No such line, or an address that no line can have; everything else is a fault that passes.
    if (error instanceof TRPCError && (error.code === "BAD_REQUEST" || (error.cause instanceof Refusal && error.cause.code === "NOT_FOUND"))) notFound();
    const known = currentTrouble(null, Date.now());
    const part = isDatabaseAway(error instanceof TRPCError ? error.cause : error) ? "database" : "server";
    return { at: Date.now(), build: buildId(), trouble: known ?? { part, sinceAt: Date.now() }, picture: null };
  }
}

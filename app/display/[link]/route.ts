import { displayPath, linkCookieOf } from "#/server/displays/link.ts";
import { standingOf, type WhyClosed } from "#/server/displays/service.ts";
import { isDatabaseAway } from "#/server/errors.ts";

export const dynamic = "force-dynamic";

type Segment = { params: Promise<{ link: string }> };

/** Opens a display: its screen keeps the link as a cookie and goes on to an address without it, which nobody can read off the wall. */
export async function GET(_request: Request, { params }: Segment): Promise<Response> {
  const { link } = await params;
  const why = await whyClosed(link);
  const headers = new Headers({
    location: why === null ? displayPath : `${displayPath}?closed=${why}`,
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
  });
  if (why === null) headers.set("set-cookie", linkCookieOf(link));
  return new Response(null, { status: 303, headers });
}

/** A link that Takt signed is kept also while the database is away: the page waits for it, and each of its questions is asked of it. */
async function whyClosed(link: string): Promise<WhyClosed | null> {
  try {
    return (await standingOf(link, new Date())).why;
  } catch (error) {
    if (isDatabaseAway(error)) return null;
    throw error;
  }
}

import { displayPath, linkCookieOf } from "#/server/displays/link.ts";
import { standingOf, type WhyClosed } from "#/server/displays/service.ts";
import { isDatabaseAway } from "#/server/errors.ts";

export const dynamic = "force-dynamic";

type Segment = { params: Promise<{ link: string }> };

/** Opens a display: its screen keeps the link as a cookie and goes on to an address without it, which nobody can read off the wall. */
export async function GET(_request: Request, { params }: Segment): Promise<Response> {
  const { link } = await params;
  const { why, locale } = await standing(link);
  const headers = new Headers({
    location: why === null ? displayPath : `${displayPath}?closed=${why}${locale === null ? "" : `&in=${locale}`}`,
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
  });
  if (why === null) headers.set("set-cookie", linkCookieOf(link));
  return new Response(null, { status: 303, headers });
}

/** A link that Takt signed is kept also while the database is away: the page waits for it, and each of its questions is asked of it. */
async function standing(link: string): Promise<{ why: WhyClosed | null; locale: string | null }> {
  try {
    const found = await standingOf(link, new Date());
    return found.actor === null ? found : { why: null, locale: null };
  } catch (error) {
    if (isDatabaseAway(error)) return { why: null, locale: null };
    throw error;
  }
}

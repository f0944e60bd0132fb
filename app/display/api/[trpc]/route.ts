import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import { whyNotFromHere } from "#/server/cross-origin.ts";
import { displayContextOf } from "#/server/displays/context.ts";
import { linkCookieOf, tokenIn } from "#/server/displays/link.ts";
import { appRouter } from "#/server/router.ts";
import { sayTo } from "#/server/sentences.ts";

export const dynamic = "force-dynamic";

/** A display's own way to the procedures: its cookie comes below /display alone, and nobody else is known here. */
const handle = (request: Request): Response | Promise<Response> => {
  const reason = whyNotFromHere(request.method, request.headers);
  if (reason) return Response.json({ error: { message: sayTo(request.headers)(reason) } }, { status: 403 });
  return fetchRequestHandler({
    endpoint: "/display/api",
    req: request,
    router: appRouter,
    createContext: ({ req }) => displayContextOf(req.headers),
    // The cookie lives for as long as the display does.
    responseMeta: ({ paths, ctx }) => {
      const token = tokenIn(request.headers);
      return ctx && token && paths?.includes("displays.beat") ? { headers: { "set-cookie": linkCookieOf(token) } } : {};
    },
  });
};

export { handle as GET, handle as POST };

import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import { whyNotFromHere } from "#/server/cross-origin.ts";
import { appRouter } from "#/server/router.ts";
import { sayTo } from "#/server/sentences.ts";
import { contextOf } from "#/server/trpc.ts";

export const dynamic = "force-dynamic";

const handle = (request: Request): Response | Promise<Response> => {
  const reason = whyNotFromHere(request.method, request.headers);
  if (reason) return Response.json({ error: { message: sayTo(request.headers)(reason) } }, { status: 403 });
  return fetchRequestHandler({
    endpoint: "/api/trpc",
    req: request,
    router: appRouter,
    createContext: ({ req }) => contextOf(req.headers),
    allowMethodOverride: true, // questions that are too long for an address are posted
  });
};

export { handle as GET, handle as POST };

/** Route handlers that are no procedures (exports, files): permission, refusals and faults as in server/trpc.ts. */
import { whyNotFromHere } from "#/server/cross-origin.ts";
import { notKept } from "#/server/domain/kept-text.ts";
import type { Action } from "#/server/domain/permission.ts";
import { isDatabaseAway, Refusal, type RefusalCode } from "#/server/errors.ts";
import { logFault } from "#/server/log.ts";
import { type Say, sayTo } from "#/server/sentences.ts";
import { type Context, contextOf } from "#/server/trpc.ts";
import { type Permitted, permit } from "./permit.ts";

const statusOf: Record<RefusalCode, number> = { SIGNED_OUT: 401, FORBIDDEN: 403, NOT_FOUND: 404, CONFLICT: 409, RULE_BROKEN: 422, INVALID: 400 };

type Segment<Parameters> = { params: Promise<Parameters> };

/**
 * A handler that only actors with the permission reach: `export const GET = route("audit.read", async ({ ctx, request, parameters }) => ...)`.
 * takes: content types of what is sent; JSON where it is left out. It cuts lists to `ctx.scope` and asks `ctx.need` for single objects. What it throws is answered in words of the asker's language: `{ error: { message, errorId } }`.
 */
export const route =
  <Parameters = Record<string, never>>(
    action: Action,
    handle: (asked: { ctx: Permitted<Context>; request: Request; parameters: Parameters }) => Promise<Response>,
    { takes }: { takes?: readonly string[] } = {},
  ) =>
  async (request: Request, { params }: Segment<Parameters>): Promise<Response> => {
    try {
      const foreign = whyNotFromHere(request.method, request.headers, takes);
      if (foreign) throw new Refusal("FORBIDDEN", foreign);
      const ctx = permit(await contextOf(request.headers), action);
      const parameters = await params;
      const [unkept] = notKept([parameters, ...new URL(request.url).searchParams]);
      if (unkept) throw new Refusal("INVALID", unkept.sentence);
      return await handle({ ctx, request, parameters });
    } catch (error) {
      return answerTo(error, sayTo(request.headers));
    }
  };

function answerTo(error: unknown, say: Say): Response {
  const headers = { "cache-control": "no-store" };
  if (error instanceof Refusal) return Response.json({ error: { message: say(error.message), errorId: null } }, { status: statusOf[error.code], headers });
  const away = isDatabaseAway(error);
  const errorId = logFault(error, away ? "a route found the database away" : "a route failed");
  const message = away
    ? "The database cannot be reached at the moment. Try again soon."
    : "Something went wrong on the server. The error's number is in its log.";
  return Response.json({ error: { message: say(message), errorId } }, { status: away ? 503 : 500, headers });
}

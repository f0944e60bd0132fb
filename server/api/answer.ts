/** A request of another program to /api/v1, and its answer. */
import { TRPCError } from "@trpc/server";
import { isDatabaseAway, Refusal, type RefusalCode } from "#/server/errors.ts";
import { logFault } from "#/server/log.ts";
import { appRouter } from "#/server/router.ts";
import { contextOf, createCaller } from "#/server/trpc.ts";
import { type Endpoint, endpoints } from "./endpoints.ts";

const statusOf: Record<RefusalCode, number> = { SIGNED_OUT: 401, FORBIDDEN: 403, NOT_FOUND: 404, CONFLICT: 409, RULE_BROKEN: 422, INVALID: 400 };
const noStore = { "cache-control": "no-store" };

/** path: the segments below /api/v1, decoded. */
export async function answer(request: Request, path: readonly string[]): Promise<Response> {
  try {
    const found = endpointAt(path);
    if (!found) throw new Refusal("NOT_FOUND", `There is no /api/v1/${path.join("/")}. What there is stands in /api/v1/openapi.json.`);
    const { locale: _, ...context } = await contextOf(request.headers); // programs are answered in English
    if (context.actor.kind === "nobody")
      throw new Refusal("SIGNED_OUT", "Send a token: Authorization: Bearer takt_... It is missing, wrong, expired or revoked.");
    const parameters = { ...Object.fromEntries(new URL(request.url).searchParams), ...found.parameters };
    return Response.json(await found.endpoint.ask(createCaller(appRouter)(context), parameters), { headers: noStore });
  } catch (error) {
    return refusal(error);
  }
}

/** The endpoint of a path, with what the path says. */
export function endpointAt(path: readonly string[]): { endpoint: Endpoint; parameters: Record<string, string> } | null {
  for (const endpoint of endpoints) {
    const pattern = endpoint.path.split("/").slice(1);
    if (pattern.length !== path.length) continue;
    const parameters: Record<string, string> = {};
    const fits = pattern.every((part, n) => {
      const name = /^\{(\w+)\}$/.exec(part)?.[1];
      if (name === undefined) return part === path[n];
      parameters[name] = path[n] ?? "";
      return true;
    });
    if (fits) return { endpoint, parameters };
  }
  return null;
}

/** In words and with a code for programs; a fault with the number under which the log has it, and nothing else of it. */
function refusal(thrown: unknown): Response {
  const error = thrown instanceof TRPCError && thrown.cause !== undefined ? thrown.cause : thrown;
  if (error instanceof Refusal) {
    const headers = { ...noStore, ...(error.code === "SIGNED_OUT" ? { "www-authenticate": 'Bearer realm="takt"' } : {}) };
    return Response.json({ error: { code: error.code, message: error.message } }, { status: statusOf[error.code], headers });
  }
  const away = isDatabaseAway(error);
  const id = logFault(error, away ? "a program's question found the database away" : "a program's question failed");
  const code = away ? "DATABASE_AWAY" : "FAULT";
  const message = away
    ? "The database cannot be reached at the moment. Try again soon."
    : "Something went wrong on the server. The error's number is in its log.";
  return Response.json({ error: { code, message, id } }, { status: away ? 503 : 500, headers: away ? { ...noStore, "retry-after": "10" } : noStore });
}

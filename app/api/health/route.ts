import { health } from "#/server/health.ts";

export const dynamic = "force-dynamic";

export async function GET(): Promise<Response> {
  const found = await health(new Date());
  return Response.json(found, { status: found.ok ? 200 : 503, headers: { "cache-control": "no-store" } });
}

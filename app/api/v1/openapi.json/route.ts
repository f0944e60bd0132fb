import { document } from "#/server/api/document.ts";

/** Open to everybody: it says what can be asked, and nothing of the plant. */
export const GET = (): Response => Response.json(document(), { headers: { "cache-control": "public, max-age=300" } });

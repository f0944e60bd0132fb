import { answer } from "#/server/identity/handler.ts";

export const dynamic = "force-dynamic";

export { answer as GET, answer as POST };

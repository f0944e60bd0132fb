import { z } from "zod";
import { exportEntries } from "#/server/audit/export.ts";
import { askedOf, entryFilter } from "#/server/audit/router.ts";
import { Refusal } from "#/server/errors.ts";
import { route } from "#/server/identity/route.ts";

const asked = entryFilter.extend({ format: z.enum(["csv", "xlsx"], { error: "Say format=csv or format=xlsx." }) });

/** The trail as a file, narrowed down as on the page. */
export const GET = route("audit.read", ({ ctx, request }) => {
  const parsed = asked.safeParse(Object.fromEntries(new URL(request.url).searchParams));
  if (!parsed.success) throw new Refusal("INVALID", parsed.error.issues.map((issue) => issue.message).join(" "));
  const { format, ...filter } = parsed.data;
  return exportEntries(ctx, askedOf(filter), format);
});

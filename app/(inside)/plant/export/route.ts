import { note } from "#/server/audit/record.ts";
import { route } from "#/server/identity/route.ts";
import { exported } from "#/server/plant/edit-service.ts";

export const dynamic = "force-dynamic";

/** The whole plant as its file. */
export const GET = route("plant.read", async ({ ctx }) => {
  const text = await exported(ctx.actor);
  await note(ctx, { siteId: null, action: "plant.exported", subject: { kind: "plant", id: "plant", name: "plant.yaml" }, after: { characters: text.length } });
  return new Response(text, {
    headers: { "content-type": "application/yaml; charset=utf-8", "content-disposition": 'attachment; filename="plant.yaml"', "cache-control": "no-store" },
  });
});

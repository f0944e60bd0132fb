import { answer } from "#/server/api/answer.ts";

export const dynamic = "force-dynamic";

type Segment = { params: Promise<{ path: string[] }> };

/** What other programs read: server/api/endpoints.ts. */
export const GET = async (request: Request, { params }: Segment): Promise<Response> => answer(request, (await params).path);

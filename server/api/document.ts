/** The OpenAPI 3.1 document of /api/v1, made of the endpoints themselves. */
import { z } from "zod";
import { rates } from "#/server/limits/rates.ts";
import { type Endpoint, endpoints } from "./endpoints.ts";

const errorAnswer = z.object({
  error: z.object({
    code: z.string().describe("for programs: SIGNED_OUT, FORBIDDEN, NOT_FOUND, INVALID, TOO_LARGE, TOO_MANY_REQUESTS, DATABASE_AWAY, FAULT"),
    message: z.string().describe("for people"),
    id: z.string().optional().describe("of a fault: the number under which the server's log has it"),
  }),
});

function schemaOf(type: z.ZodType) {
  const { $schema: _, ...schema } = z.toJSONSchema(type);
  return schema;
}
const json = (type: z.ZodType) => ({ "application/json": { schema: schemaOf(type) } });

function parametersOf({ path, parameters }: Endpoint) {
  return Object.entries(parameters.shape).map(([name, type]) => {
    const isInPath = path.includes(`{${name}}`);
    return {
      name,
      in: isInPath ? "path" : "query",
      required: isInPath || !(type as z.ZodType).safeParse(undefined).success,
      schema: schemaOf(type as z.ZodType),
    };
  });
}

const operationOf = (endpoint: Endpoint) => ({
  operationId: endpoint.name,
  summary: endpoint.summary,
  description: `The token needs the action \`${endpoint.action}\`.`,
  parameters: parametersOf(endpoint),
  responses: {
    200: { description: endpoint.summary, content: json(endpoint.answer) },
    401: { description: "no token, or one that is wrong, expired or revoked", content: json(errorAnswer) },
    429: {
      description: "too many requests",
      headers: { "Retry-After": { description: "seconds to wait", schema: { type: "integer" } } },
      content: json(errorAnswer),
    },
    default: { description: "anything else that went wrong", content: json(errorAnswer) },
  },
});

export const document = () => ({
  openapi: "3.1.0",
  info: {
    title: "Takt",
    version: "1",
    description: `Reading for other programs. Make a token on the page "Tokens" and send it with every request. At most ${rates.token.perS} requests a second for each token on the average, ${rates.token.burst} at once.`,
  },
  servers: [{ url: "/api/v1" }],
  security: [{ token: [] }],
  components: { securitySchemes: { token: { type: "http", scheme: "bearer", description: "takt_..." } } },
  paths: Object.fromEntries(endpoints.map((endpoint) => [endpoint.path, { get: operationOf(endpoint) }])),
});

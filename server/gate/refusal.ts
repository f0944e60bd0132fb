/** A refusal of the gate, in the form that whoever asks understands: a procedure's error, the identity part's, a program's, or a page for people. */
import { sayIn } from "#/server/sentences.ts";

export type GateRefusal = {
  status: 400 | 403 | 405 | 408 | 413 | 421 | 429 | 431;
  code: "INVALID" | "FORBIDDEN" | "TOO_LARGE" | "TOO_MANY_REQUESTS";
  /** For the person at the screen. */
  sentence: string;
  /** Seconds after which it may be asked again. */
  waitS?: number;
  /** Under which the log has it. */
  errorId?: string;
  /** 405: what may be done at this address. */
  allow?: string;
};

/** tRPC's numbers for what has no own one here are those of a bad request. */
const trpcCodes = { INVALID: -32600, FORBIDDEN: -32003, TOO_LARGE: -32013, TOO_MANY_REQUESTS: -32029 } as const;
const trpcNames = { INVALID: "BAD_REQUEST", FORBIDDEN: "FORBIDDEN", TOO_LARGE: "PAYLOAD_TOO_LARGE", TOO_MANY_REQUESTS: "TOO_MANY_REQUESTS" } as const;

/** path: without its query. locale: of who asks; programs at /api/v1 are answered in English. */
export function answerOf(
  english: GateRefusal,
  { path, query, accept, locale }: { path: string; query: string; accept: string; locale: string },
): { type: string; body: string } {
  const refusal = path.startsWith("/api/v1/") ? english : { ...english, sentence: sayIn(locale)(english.sentence) };
  const { code, sentence, waitS } = refusal;
  const json = (body: unknown) => ({ type: "application/json; charset=utf-8", body: JSON.stringify(body) });
  if (path.startsWith("/api/trpc/") || path.startsWith("/display/api/")) {
    const error = { error: { json: trpcError(refusal) } };
    return json(new URLSearchParams(query).has("batch") ? Array.from({ length: Math.min(path.split(",").length, 100) }, () => error) : error);
  }
  if (path.startsWith("/api/auth/")) return json({ code: waitS === undefined ? code : "WAIT", message: sentence, ...(waitS === undefined ? {} : { waitS }) });
  if (path.startsWith("/api/")) return json({ error: { code, message: sentence } });
  return accept.includes("text/html")
    ? { type: "text/html; charset=utf-8", body: page(refusal, locale) }
    : { type: "text/plain; charset=utf-8", body: `${sentence}\n` };
}

/** As server/trpc.ts gives them out. */
const trpcError = ({ status, code, sentence }: GateRefusal) => ({
  message: sentence,
  code: trpcCodes[code],
  data: {
    code: trpcNames[code],
    httpStatus: status,
    kind: code === "TOO_MANY_REQUESTS" ? "TOO_MUCH" : code === "FORBIDDEN" ? "FORBIDDEN" : "INVALID",
    errorId: null,
    fields: [],
    present: null,
  },
});

const escaped = (text: string): string => text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);

/** A wall that nobody stands in front of asks again by itself. */
function page({ sentence, waitS, errorId }: GateRefusal, locale: string): string {
  const say = sayIn(locale);
  const again = waitS === undefined ? "" : `<meta http-equiv="refresh" content="${waitS}">`;
  const number = errorId === undefined ? "" : `<p>${escaped(say(`This refusal is number ${errorId} in the log.`))}</p>`;
  const home = escaped(say("To the first page of Takt."));
  return `<!doctype html>
<html lang="${locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
${again}
<title>Takt</title>
<style>body { font: 18px/1.5 system-ui, sans-serif; max-width: 60ch; margin: 15vh auto; padding: 0 24px; overflow-wrap: anywhere; }</style>
</head>
<body>
<h1>Takt</h1>
<p>${escaped(sentence)}</p>
${number}
<p><a href="/">${home}</a></p>
</body>
</html>
`;
}

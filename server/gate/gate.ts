/**
 * What every request passes before the web framework sees it, and what every answer carries: pages, procedures, files, errors. One place, so that no route can be
 * forgotten. In order: the name it asks for, what it wants to do, where it comes from, how much has been asked, how long it is.
 */
import { randomBytes } from "node:crypto";
import diagnostics from "node:diagnostics_channel";
import { type IncomingMessage, Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { whyNotFromHere } from "#/server/cross-origin.ts";
import { addressOf, isTrustedProxy, peerHeader } from "#/server/identity/address.ts";
import { mostBytesAt } from "#/server/limits/bodies.ts";
import { costOf, Rates } from "#/server/limits/rates.ts";
import { type Times, times } from "#/server/limits/times.ts";
import { localeOf } from "#/server/locale.ts";
import { log, logFault } from "#/server/log.ts";
import { isOfUnknownLength, saysTooLong, withLength } from "./body.ts";
import { headersOf } from "./headers.ts";
import { whyNotThisHost } from "./host.ts";
import { answerOf, type GateRefusal } from "./refusal.ts";

/** publicUrl: origin at which browsers reach Takt; null: none was set. developing: the framework's own connection for reloading is let through. */
export type Gate = { publicUrl: string | null; developing: boolean; times?: Times };

// Next bundles this apart from scripts/start.ts, and both put it up: one gate for a server.
const shared = globalThis as typeof globalThis & { taktGates?: WeakSet<Server> };
shared.taktGates ??= new WeakSet();
const guarded = shared.taktGates;

/** From now on every web server of this process has the gate before it. Called once, before the first request. */
export function putUpGate(gate: Gate): void {
  diagnostics.subscribe("net.server.socket", (message) => {
    const { server } = (message as { socket: Socket & { server?: unknown } }).socket;
    if (server instanceof Server) guard(server, gate);
  });
}

/** Puts the gate before what the server did with requests so far. Once a server. */
export function guard(server: Server, gate: Gate): void {
  if (guarded.has(server)) return;
  guarded.add(server);
  const { headersMs, requestMs, silenceMs, keepAliveMs, mostConnections } = gate.times ?? times;
  server.headersTimeout = headersMs;
  server.requestTimeout = requestMs;
  server.keepAliveTimeout = keepAliveMs;
  server.timeout = silenceMs;
  countConnections(server, mostConnections);
  // Takt speaks no other protocol, and nothing would ever close a connection that changed to one.
  if (!gate.developing) server.removeAllListeners("upgrade");
  const isSecure = gate.publicUrl?.startsWith("https://") === true;
  server.on("clientError", (error: Error & { code?: string }, socket) => answerMalformed(error, socket, isSecure));

  const handlers = server.listeners("request");
  const rates = new Rates();
  server.removeAllListeners("request");
  server.on("request", (request, response) => {
    const [path = "", query = ""] = (request.url ?? "").split(/\?(.*)/s);
    carry(response, headersOf(path, { isSecure }));
    const pass = (checked: IncomingMessage) => {
      for (const handle of handlers) handle.call(server, checked, response);
    };
    check(request, path, gate, rates).then(
      (checked) => {
        if (checked.request) return pass(checked.request);
        const errorId = say(request, path, checked.refusal);
        const locale = localeOf(languageIn(request));
        refuse(request, response, { ...checked.refusal, errorId }, { path, query, accept: request.headers.accept ?? "", locale });
      },
      (error: Error) => {
        if (!request.socket.destroyed) logFault(error, "the gate failed"); // else its client went away in the midst of it
        request.socket.destroy();
      },
    );
  });
}

/** Headers that an answer has unless it says something else there. Last of all, because the framework adds to what is there already. */
function carry(response: ServerResponse, headers: Record<string, string>): void {
  const { writeHead } = response;
  response.writeHead = (...words: unknown[]) => {
    for (const [name, value] of Object.entries(headers)) if (!response.headersSent && !response.hasHeader(name)) response.setHeader(name, value);
    return Reflect.apply(writeHead, response, words);
  };
}

/** What says in which language a refusal is understood. */
const languageIn = ({ headers }: IncomingMessage): Headers =>
  new Headers({ cookie: headers.cookie ?? "", "accept-language": headers["accept-language"] ?? "" });

type Checked = { request: IncomingMessage; refusal: null } | { request: null; refusal: GateRefusal };
const no = (refusal: GateRefusal): Checked => ({ request: null, refusal });

/** The request as it may pass, or why it may not. */
async function check(request: IncomingMessage, path: string, gate: Gate, rates: Rates): Promise<Checked> {
  const headers = fromOutside(request);
  // NUL: no page, file or question has one in its name, and no database keeps one.
  if (!path.startsWith("/") || /%00/.test(request.url ?? "")) return no({ status: 400, code: "INVALID", sentence: "This is no address of Takt." });
  if (!isDecodable(path)) return no({ status: 400, code: "INVALID", sentence: "This address is malformed: a % in it is not followed by what it stands for." });
  const wrongHost = path === "/api/health" ? null : whyNotThisHost(request.headers.host, gate.publicUrl); // load balancers ask for it by any name
  if (wrongHost !== null) return no({ status: 421, code: "FORBIDDEN", sentence: wrongHost });

  const mostBytes = gate.developing && path.startsWith("/__nextjs_") ? 1024 * 1024 : mostBytesAt(path); // the framework's own, for who develops
  const allow = mostBytes > 0 ? ["GET", "HEAD", "POST"] : ["GET", "HEAD"];
  if (!allow.includes(request.method ?? "")) {
    return no({ status: 405, code: "INVALID", sentence: `Nothing is done here by ${request.method}.`, allow: allow.join(", ") });
  }
  const foreign = whyNotFromHere(request.method ?? "", headers, "any");
  if (foreign !== null) return no({ status: 403, code: "FORBIDDEN", sentence: foreign });

  const waitS = rates.waitS({ address: addressOf(headers), authorization: headers.get("authorization"), cost: costOf(path) }, Date.now());
  if (waitS > 0) return no({ status: 429, code: "TOO_MANY_REQUESTS", sentence: `Too many requests. Try again in ${waitS} s.`, waitS });

  const most = request.method === "POST" ? mostBytes : 0;
  const tooLong: GateRefusal = {
    status: 413,
    code: "TOO_LARGE",
    sentence: most > 0 ? `This is longer than the ${inWords(most)} that are taken here.` : "Nothing is taken here.",
  };
  if (saysTooLong(request, most)) return no(tooLong);
  if (!isOfUnknownLength(request)) return { request, refusal: null };
  const whole = await withLength(request, most);
  return whole ? { request: whole, refusal: null } : no(tooLong);
}

/** Percent signs that stand for text, as the framework below reads them; it fails at others. PostgreSQL has no text with a zero byte. */
function isDecodable(path: string): boolean {
  try {
    return !decodeURIComponent(path).includes("\0");
  } catch (error) {
    if (error instanceof URIError) return false;
    throw error;
  }
}

const inWords = (bytes: number): string => (bytes >= 1024 * 1024 ? `${bytes / 1024 / 1024} MB` : `${bytes / 1024} kB`);

/** What only proxies may say, and what Takt says to itself. */
const forwarded = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto", "x-real-ip"];
const own = ["x-nonce", "x-takt-path"];

/** Leaves of the headers what this sender may say. A known proxy says for whom it asks, and by which name. */
function fromOutside(request: IncomingMessage): Headers {
  const peer = request.socket.remoteAddress ?? "";
  for (const name of own) delete request.headers[name];
  request.headers[peerHeader] = peer;
  if (isTrustedProxy(peer)) {
    const host = one(request.headers["x-forwarded-host"])?.split(",").at(-1)?.trim();
    if (host) request.headers.host = request.headers["x-forwarded-host"] = host;
  } else for (const name of forwarded) delete request.headers[name];
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
  return headers;
}

const one = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value.at(-1) : value);

/** How long what is still being sent after a refusal is thrown away, so that the client gets to reading why. */
const lingerMs = 3_000;

function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  refusal: GateRefusal,
  asked: { path: string; query: string; accept: string; locale: string },
): void {
  const { type, body } = answerOf(refusal, asked);
  if (refusal.waitS !== undefined) response.setHeader("retry-after", String(refusal.waitS));
  if (refusal.allow !== undefined) response.setHeader("allow", refusal.allow);
  response.writeHead(refusal.status, { "content-type": type, "content-length": Buffer.byteLength(body) }).end(request.method === "HEAD" ? undefined : body);
  if (request.complete) return;
  request.resume();
  request.on("error", () => undefined); // it goes away while it is thrown away
  setTimeout(() => request.complete || request.socket.destroy(), lingerMs).unref();
}

const sayAgainAfterMs = 60_000;
const mostSaid = 1_000;
const said = new Map<string, { at: number; errorId: string }>();

/**
 * For the operator, and not so often that it fills the log. The address without its query, where a secret may be, and of a display's address nothing.
 * Returns the id under which the log has it: of one like it, where that was said just now.
 */
function say({ headers, method }: IncomingMessage, path: string, { status, sentence }: GateRefusal): string {
  const address = addressOf(new Headers({ [peerHeader]: one(headers[peerHeader]) ?? "", "x-forwarded-for": one(headers["x-forwarded-for"]) ?? "" }));
  const key = `${address} ${status}`;
  const now = Date.now();
  const before = said.get(key);
  if (before && now - before.at < sayAgainAfterMs) return before.errorId;
  if (said.size >= mostSaid) said.clear();
  const errorId = randomBytes(4).toString("hex");
  said.set(key, { at: now, errorId });
  log().warn({ errorId, status, address, method, below: path.split("/")[1]?.slice(0, 20), why: sentence }, "refused at the gate");
  return errorId;
}

/** One address cannot take all the connections that there are. */
function countConnections(server: Server, most: number): void {
  const open = new Map<string, number>();
  server.prependListener("connection", (socket: Socket) => {
    const address = socket.remoteAddress ?? "";
    if (isTrustedProxy(address)) return;
    const n = (open.get(address) ?? 0) + 1;
    if (n > most) return void socket.destroy();
    open.set(address, n);
    socket.once("close", () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left > 0) open.set(address, left);
      else open.delete(address);
    });
  });
}

/** What Node could not read as a request, or what came too slowly. */
function answerMalformed(error: Error & { code?: string }, socket: Duplex, isSecure: boolean): void {
  if (!socket.writable || error.code === "ECONNRESET") return void socket.destroy();
  const [status, sentence] =
    error.code === "HPE_HEADER_OVERFLOW"
      ? ["431 Request Header Fields Too Large", "The request's headers are too long."]
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? ["408 Request Timeout", "The request came too slowly."]
        : ["400 Bad Request", "This is no HTTP request."];
  const headers = {
    ...headersOf("/", { isSecure }),
    "content-type": "text/plain; charset=utf-8",
    "content-length": String(sentence.length),
    connection: "close",
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status}\r\n${lines.join("")}\r\n${sentence}`);
}

/** A request's body: is it too long, and is it one whose length nobody has said. */
import { IncomingMessage } from "node:http";

/** True: more than may be sent there, by its own word. What follows is cut off by Node at that length. */
export const saysTooLong = (request: IncomingMessage, mostBytes: number): boolean => Number(request.headers["content-length"] ?? 0) > mostBytes;

/** Whether its length is not said beforehand (Transfer-Encoding: chunked). */
export const isOfUnknownLength = (request: IncomingMessage): boolean => request.headers["transfer-encoding"] !== undefined;

/**
 * The same request with its body read and its length said, so that whoever is behind the gate never sees more than it takes. null: it is longer.
 * @throws where the client goes away in the midst of it
 */
export async function withLength(request: IncomingMessage, mostBytes: number): Promise<IncomingMessage | null> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > mostBytes) return null;
    parts.push(part);
  }
  const whole = new IncomingMessage(request.socket);
  whole.httpVersion = request.httpVersion;
  whole.httpVersionMajor = request.httpVersionMajor;
  whole.httpVersionMinor = request.httpVersionMinor;
  whole.method = request.method ?? "";
  whole.url = request.url ?? "";
  whole.rawHeaders = request.rawHeaders;
  const { "transfer-encoding": _chunked, ...headers } = request.headers;
  whole.headers = { ...headers, "content-length": String(bytes) };
  whole.complete = true;
  for (const part of parts) whole.push(part);
  whole.push(null);
  return whole;
}

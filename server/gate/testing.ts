/** For tests: requests as they are, with any Host, and what is no request at all. */
import { once } from "node:events";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";

export type Answer = { status: number; headers: IncomingHttpHeaders; text: string };
/**
 * from: the address of this machine from which it is asked. body: pieces are sent one after the other, without saying how long it will be.
 * patienceMs: of an answer that goes on and on, what has come by then.
 */
export type Asked = { method?: string; headers?: Record<string, string>; body?: string | readonly (string | Buffer)[]; from?: string; patienceMs?: number };

/** @throws where no answer came */
export async function ask(port: number, path: string, { method = "GET", headers = {}, body, from = "127.0.0.1", patienceMs }: Asked = {}): Promise<Answer> {
  const sent = httpRequest({ host: "127.0.0.1", port, path, method, headers, localAddress: from, agent: false });
  const answered = once(sent, "response");
  sent.on("error", () => undefined); // `answered` says it; and what is refused early may break off the sending
  if (typeof body === "string") sent.end(body);
  else {
    for (const part of body ?? []) sent.write(part);
    sent.end();
  }
  const [response] = await answered;
  let text = "";
  const enough = patienceMs === undefined ? undefined : setTimeout(() => response.destroy(), patienceMs);
  try {
    for await (const part of response) text += part;
  } catch (error) {
    if (patienceMs === undefined) throw error;
  }
  clearTimeout(enough);
  return { status: response.statusCode, headers: response.headers, text };
}

/** What comes back for these bytes until the other side closes; the connection is left open for as long. */
export async function speak(port: number, bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  socket.on("data", (part) => (text += part));
  socket.on("error", () => undefined); // a reset is an end, too
  socket.write(bytes);
  await once(socket, "close");
  return text;
}

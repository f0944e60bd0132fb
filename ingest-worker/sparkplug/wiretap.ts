// For tests: a proxy before a broker that notes every packet the client sends, and can cut the line.
import { connect, createServer, type Server, type Socket } from "node:net";

export const Packet = { connect: 1, publish: 3, puback: 4, subscribe: 8, pingreq: 12, disconnect: 14 } as const;
export type Sent = { type: number; flags: number; body: Buffer };

export type Wiretap = {
  url: string;
  /** Packets of the client, in order, over all connections. */
  sent: Sent[];
  /** Ends all connections without a word. */
  cut(): void;
  close(): Promise<void>;
};

export async function wiretap(brokerPort: number): Promise<Wiretap> {
  const sent: Sent[] = [];
  const sockets = new Set<Socket>();
  // Each side's end is passed on, and neither is ended before the other has heard it out: a client that leaves must not be back before its DISCONNECT is read.
  const server: Server = createServer({ allowHalfOpen: true }, (client) => {
    const broker = connect({ port: brokerPort, host: "127.0.0.1", allowHalfOpen: true });
    for (const [socket, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("end", () => other.end());
      socket.on("close", () => {
        sockets.delete(socket);
        if (!socket.readableEnded) other.destroy();
      });
    }
    let rest = Buffer.alloc(0);
    client.on("data", (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      for (let packet = first(rest); packet; packet = first(rest)) {
        sent.push(packet.sent);
        rest = rest.subarray(packet.length);
      }
      broker.write(chunk);
    });
    broker.pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The proxy has no port.");
  const cut = () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  return {
    url: `mqtt://127.0.0.1:${address.port}`,
    sent,
    cut,
    close: () => {
      cut();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function first(bytes: Buffer): { sent: Sent; length: number } | null {
  let length = 0;
  for (let i = 1; i <= 4; i++) {
    const byte = bytes[i];
    if (byte === undefined) return null;
    length += (byte & 0x7f) * 128 ** (i - 1);
    if (byte >= 0x80) continue;
    const whole = 1 + i + length;
    if (bytes.length < whole) return null;
    return { sent: { type: bytes[0]! >> 4, flags: bytes[0]! & 15, body: Buffer.from(bytes.subarray(1 + i, whole)) }, length: whole };
  }
  return null;
}

/** The fields of a CONNECT that matter to Sparkplug (MQTT 3.1.1 and 5, section 3.1). */
export function readConnect({ body }: Sent) {
  const level = body[6]!;
  const flags = body[7]!;
  let pos = 10;
  const text = () => {
    const length = body.readUInt16BE(pos);
    pos += 2 + length;
    return body.toString("utf8", pos - length, pos);
  };
  const properties = () => {
    const length = level === 5 ? body[pos++]! : 0; // one byte will do here
    pos += length;
    return body.subarray(pos - length, pos);
  };
  const own = properties();
  const clientId = text();
  properties();
  const will = { topic: text(), payload: text(), qos: (flags >> 3) & 3, retain: (flags & 0x20) !== 0, given: (flags & 4) !== 0 };
  const expiry = own.indexOf(0x11); // session expiry interval
  return { level, clean: (flags & 2) !== 0, keepaliveS: body.readUInt16BE(8), sessionExpiryS: expiry < 0 ? 0 : own.readUInt32BE(expiry + 1), clientId, will };
}

/** A PUBLISH as topic, text, QoS and retain. */
export function readPublish({ body, flags }: Sent, level: number) {
  const length = body.readUInt16BE(0);
  const qos = (flags >> 1) & 3;
  let pos = 2 + length + (qos > 0 ? 2 : 0);
  if (level === 5) pos += 1 + body[pos]!;
  return { topic: body.toString("utf8", 2, 2 + length), payload: body.subarray(pos), qos, retain: (flags & 1) !== 0 };
}

/** The topic filters of a SUBSCRIBE, with the QoS asked for. */
export function readSubscribe({ body }: Sent, level: number): string[] {
  const filters: string[] = [];
  let pos = level === 5 ? 3 + body[2]! : 2;
  while (pos < body.length) {
    const length = body.readUInt16BE(pos);
    filters.push(`${body.toString("utf8", pos + 2, pos + 2 + length)} ${body[pos + 2 + length]! & 3}`);
    pos += 3 + length;
  }
  return filters;
}

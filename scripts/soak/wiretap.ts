/** Stands between a worker and the broker, counts MQTT packets on the wire, and can cut the line. */
import { connect, createServer, type Socket } from "node:net";

/** One connection: ids of QoS 1 messages towards the client, and of its PUBACKs, in order. */
export type WireLine = { published: number[]; acknowledged: number[]; cut(): void };
export type Wiretap = {
  port: number;
  lines: WireLine[];
  /** While it holds, the broker's answer to SUBSCRIBE is changed into a refusal of all its filters, as an access list would refuse them. */
  isRefusing: boolean;
  close(): Promise<void>;
};

export async function startWiretap(brokerPort: number): Promise<Wiretap> {
  const lines: WireLine[] = [];
  const sockets = new Set<Socket>();
  const tap: Wiretap = {
    port: 0,
    lines,
    isRefusing: false,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
  const server = createServer((client) => {
    const broker = connect(brokerPort, "127.0.0.1");
    const line: WireLine = {
      published: [],
      acknowledged: [],
      cut: () => {
        client.destroy();
        broker.destroy();
      },
    };
    lines.push(line);
    const down = packets((first, body) => {
      if (first >> 4 === 9 && tap.isRefusing) body.fill(0x87, body.length - granted(body)); // "not authorized"
      if (first >> 4 !== 3 || (first & 6) === 0) return;
      const topicBytes = body.readUInt16BE(0);
      line.published.push(body.readUInt16BE(2 + topicBytes));
    });
    const up = packets((first, body) => {
      if (first >> 4 === 4) line.acknowledged.push(body.readUInt16BE(0));
    });
    for (const [from, to, read] of [
      [client, broker, up],
      [broker, client, down],
    ] as const) {
      sockets.add(from);
      from.on("data", (bytes) => {
        for (const packet of read(bytes)) to.write(packet);
      });
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
      from.on("error", () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (!address || typeof address === "string") throw new Error("The wiretap has no port.");
  tap.port = address.port;
  return tap;
}

// How many filters a SUBACK of MQTT 5 answers for: behind the message id and the properties there is a code for each.
const granted = (body: Buffer) => body.length - 3 - body[2]!;

// The whole packets of a stream, each shown first (its first byte, and what follows the length), and where that changes it, changed.
function packets(onPacket: (first: number, body: Buffer) => void): (bytes: Buffer) => Buffer[] {
  let rest: Buffer = Buffer.alloc(0);
  return (bytes) => {
    const whole: Buffer[] = [];
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    for (;;) {
      let length = 0;
      let at = 1;
      for (let shift = 0; ; shift += 7, at++) {
        if (at >= rest.length) return whole;
        const digit = rest[at]!;
        length += (digit & 127) << shift;
        if (digit < 128) break;
      }
      if (rest.length < at + 1 + length) return whole;
      onPacket(rest[0]!, rest.subarray(at + 1, at + 1 + length));
      whole.push(rest.subarray(0, at + 1 + length));
      rest = rest.subarray(at + 1 + length);
    }
  };
}

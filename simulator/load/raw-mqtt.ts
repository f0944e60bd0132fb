/**
 * MQTT 3.1.1 with nothing in between: packets are written as bytes that were prepared before, because a load generator shares the machine with what it
 * loads and must cost little. Clauses are those of the OASIS standard, version 3.1.1.
 */
import { connect, type Socket } from "node:net";
import { Trouble } from "#/simulator/trouble.ts";

export type Will = { topic: string; payload: Buffer; qos: 0 | 1 };

/** Length-prefixed UTF-8 (1.5.3). */
function text(value: string | Buffer): Buffer {
  const bytes = typeof value === "string" ? Buffer.from(value, "utf8") : value;
  const out = Buffer.allocUnsafe(bytes.length + 2);
  out.writeUInt16BE(bytes.length, 0);
  bytes.copy(out, 2);
  return out;
}

/** Remaining length (2.2.3). */
export function remainingLength(n: number): Buffer {
  const out: number[] = [];
  let left = n;
  do {
    out.push(left > 127 ? (left & 127) | 128 : left);
    left = Math.floor(left / 128);
  } while (left > 0);
  return Buffer.from(out);
}

const packet = (first: number, ...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([first]), remainingLength(body.length), body]);
};

/** A PUBLISH packet; `idAt` is where its packet identifier goes (QoS 1), `payloadAt` where its payload begins. */
export function publishPacket(topic: string, payload: Buffer, qos: 0 | 1): { bytes: Buffer; idAt: number; payloadAt: number } {
  const bytes = packet(qos === 1 ? 0x32 : 0x30, text(topic), ...(qos === 1 ? [Buffer.from([0, 0])] : []), payload);
  const payloadAt = bytes.length - payload.length;
  return { bytes, idAt: qos === 1 ? payloadAt - 2 : -1, payloadAt };
}

function connectPacket(clientId: string, url: URL, will: Will | undefined): Buffer {
  const user = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password);
  const flags = 0x02 | (will ? 0x04 | (will.qos << 3) : 0) | (user ? 0x80 : 0) | (password ? 0x40 : 0); // clean session
  return packet(
    0x10,
    text("MQTT"),
    Buffer.from([4, flags, 0, 60]),
    text(clientId),
    ...(will ? [text(will.topic), text(will.payload)] : []),
    ...(user ? [text(user)] : []),
    ...(password ? [text(password)] : []),
  );
}

export class RawConnection {
  /** Messages of QoS 1 that the broker has acknowledged. */
  acked = 0;
  private readonly socket: Socket;
  private rest: Buffer = Buffer.alloc(0);
  private onSpace: (() => void) | null = null;
  private onConnack: ((code: number) => void) | null = null;
  private failure: Error | null = null;
  private readonly ping: NodeJS.Timeout;
  onMessage: (topic: string, payload: Buffer) => void = () => undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk) => this.read(chunk));
    socket.on("drain", () => this.wake());
    socket.on("error", (error) => this.fail(error));
    socket.on("close", () => this.fail(new Error("the broker closed the connection")));
    this.ping = setInterval(() => socket.write(Buffer.from([0xc0, 0])), 20_000);
  }

  static async open(address: string, clientId: string, will?: Will): Promise<RawConnection> {
    const url = new URL(address);
    if (url.protocol !== "mqtt:") throw new Trouble(`The load publisher speaks plain MQTT over TCP only: ${url.protocol}// will not do.`);
    const socket = connect({ host: url.hostname, port: Number(url.port || 1883) });
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", (error) => reject(new Trouble(`The broker at ${url.host} cannot be reached: ${error.message}.`)));
    });
    const connection = new RawConnection(socket);
    const code = await new Promise<number>((resolve, reject) => {
      connection.onConnack = resolve;
      connection.onSpace = () => reject(connection.failure ?? new Error("no answer"));
      socket.write(connectPacket(clientId, url, will));
    });
    connection.onSpace = null;
    if (code !== 0)
      throw new Trouble(`The broker at ${url.host} refuses the connection (code ${code}${code === 4 || code === 5 ? ": user or password" : ""}).`);
    return connection;
  }

  private fail(error: Error): void {
    this.failure ??= error;
    clearInterval(this.ping);
    this.wake();
  }

  private wake(): void {
    const resume = this.onSpace;
    this.onSpace = null;
    resume?.();
  }

  private read(chunk: Buffer): void {
    const data = this.rest.length > 0 ? Buffer.concat([this.rest, chunk]) : chunk;
    let at = 0;
    let acks = 0;
    for (;;) {
      // nearly all that comes back is PUBACK: 40 02 hi lo
      while (data[at] === 0x40 && data[at + 1] === 2 && at + 4 <= data.length) {
        acks++;
        at += 4;
      }
      const length = this.packetAt(data, at);
      if (length === 0) break;
      at += length;
    }
    this.rest = at < data.length ? Buffer.from(data.subarray(at)) : Buffer.alloc(0);
    if (acks > 0) {
      this.acked += acks;
      this.wake();
    }
  }

  /** Handles a packet other than PUBACK; its length, 0 while it is incomplete. */
  private packetAt(data: Buffer, at: number): number {
    let length = 0;
    let scale = 1;
    let next = at + 1;
    for (;;) {
      const byte = data[next++];
      if (byte === undefined) return 0;
      length += (byte & 127) * scale;
      if (byte < 128) break;
      scale *= 128;
    }
    if (next + length > data.length || (data[at] === 0x40 && length === 2)) return 0;
    const first = data[at] ?? 0;
    if (first >> 4 === 2) this.onConnack?.(data[next + 1] ?? 255);
    else if (first >> 4 === 3) {
      const topicEnd = next + 2 + data.readUInt16BE(next);
      const qos = (first >> 1) & 3;
      if (qos === 1) this.socket.write(Buffer.from([0x40, 2, data[topicEnd] ?? 0, data[topicEnd + 1] ?? 0]));
      this.onMessage(data.toString("utf8", next + 2, topicEnd), data.subarray(topicEnd + (qos > 0 ? 2 : 0), next + length));
    }
    return next + length - at;
  }

  subscribe(filter: string): void {
    this.socket.write(packet(0x82, Buffer.from([0, 1]), text(filter), Buffer.from([1])));
  }

  /** Writes whole packets; settles when the socket takes more. */
  async write(bytes: Buffer): Promise<void> {
    this.check();
    if (!this.socket.write(bytes)) await this.change();
  }

  /** Settles at the next acknowledgement or drain. */
  async change(): Promise<void> {
    this.check();
    await new Promise<void>((resolve) => {
      this.onSpace = resolve;
    });
    this.check();
  }

  private check(): void {
    if (this.failure) throw new Trouble(`The load stopped: ${this.failure.message}.`);
  }

  /** DISCONNECT, after what was written. */
  close(): void {
    clearInterval(this.ping);
    if (!this.failure) this.socket.end(Buffer.from([0xe0, 0]));
    else this.socket.destroy();
  }
}

/** Values of one signal at a steady rate, each with an instant of its own, until told to end; counts what the broker acknowledged. */
import { connectAsync, type MqttClient } from "mqtt";

/** What becomes of the n-th message besides: another value, or a repeat of the one before. */
type Twist = (n: number) => { value?: unknown; repeat?: boolean };

const tickMs = 20;
/** Unacknowledged at once when it floods. */
const inFlight = 1_000;

export class Stream {
  repeated = 0;
  spoilt = 0;
  private good = 0;
  private n = 0;
  private readonly client: MqttClient;
  private readonly topic: string;
  private readonly twist: Twist;
  private readonly startAt = Date.now() - 3_600_000;
  private readonly pending = new Set<Promise<unknown>>();
  private timer: NodeJS.Timeout | null = null;
  private flooding = false;

  private constructor(client: MqttClient, topic: string, twist: Twist) {
    this.client = client;
    this.topic = topic;
    this.twist = twist;
  }

  static async to(mqttUrl: string, topic: string, perSecond: number, twist: Twist = () => ({})): Promise<Stream> {
    const stream = new Stream(await connectAsync(mqttUrl, { protocolVersion: 5 }), topic, twist);
    stream.timer = setInterval(() => {
      for (let i = 0; i < (perSecond * tickMs) / 1000; i++) stream.send();
    }, tickMs);
    return stream;
  }

  /** As much as the broker takes, without a gap. */
  static async flood(mqttUrl: string, topic: string): Promise<Stream> {
    const stream = new Stream(await connectAsync(mqttUrl, { protocolVersion: 5 }), topic, () => ({}));
    stream.flooding = true;
    for (let i = 0; i < inFlight; i++) stream.send();
    return stream;
  }

  private send(): void {
    const n = ++this.n;
    const { value, repeat } = this.twist(n);
    if (repeat) this.repeated++;
    else if (value !== undefined) this.spoilt++;
    else this.good++;
    // A repeat is of the message before the last: that one was a good one.
    const k = repeat ? n - 2 : n;
    const payload = JSON.stringify({ ts: this.startAt + k, value: value ?? k % 300 });
    const sent = this.client.publishAsync(this.topic, payload, { qos: 1 });
    this.pending.add(sent);
    void sent.finally(() => {
      this.pending.delete(sent);
      if (this.flooding) this.send();
    });
  }

  /** Stops sending, waits for the broker's last word, and gives the number of distinct good values. */
  async end(): Promise<number> {
    if (this.timer) clearInterval(this.timer);
    this.flooding = false;
    await Promise.all(this.pending);
    await this.client.endAsync();
    return this.good;
  }
}

// The host application's own connection to the broker: clean session, STATE as will and birth, subscriptions before the birth, death before leaving.
// Hands messages over one at a time; what the handler does with them is not its matter.
import { connect, type IClientOptions, type MqttClient } from "mqtt";
import { OwnState } from "./sparkplug/state.ts";
import { legacyStateTopic, parseTopic, stateTopic } from "./sparkplug/topic.ts";
import type { Command } from "./sparkplug/types.ts";

export type SparkplugConnectionOptions = {
  /** mqtt:// or mqtts://, with user:password in it or in the fields below. */
  url: string;
  hostId: string;
  /** Groups to follow; "+" is all of them. */
  groups: readonly string[];
  /** 5, or 4 for MQTT 3.1.1. */
  protocolVersion: 4 | 5;
  username?: string;
  password?: string;
  ca?: Buffer;
  cert?: Buffer;
  key?: Buffer;
  /** Two of the same id cannot be connected: the broker ends the older. */
  clientId?: string;
  keepaliveS?: number;
  connectTimeoutMs?: number;
  /** Wait before the second attempt; doubled with each, and up to half of it is random, so that many workers do not come at once. */
  retryMinMs?: number;
  retryMaxMs?: number;
  now?: () => number;
  random?: () => number;
  /** One message. While the promise is open no further one is taken, and the broker holds or drops what comes (QoS 0). */
  onMessage: (topic: string, payload: Buffer, receivedAt: number, about: { retained: boolean }) => void | Promise<void>;
  /** Connected, subscribed and announced. */
  onConnected?: (now: number) => void;
  /** No longer connected. aliveUntil: the last instant at which anything came from the broker and was handed over. Once for each onConnected. */
  onDisconnected?: (now: number, aliveUntil: number) => void;
  /** A sentence for the plant engineer: what is wrong, what to do. */
  onProblem?: (sentence: string) => void;
};

type Session = {
  client: MqttClient;
  /** null: not announced. */
  announcedAt: number | null;
  aliveAt: number;
  leaving: boolean;
  /** What came before was handed over: the instant at which leaving began, or since when the handler holds a message. null: all was read. */
  readTo: number | null;
  closed: Promise<void>;
  /** Lets the message go that the handler still works on, so that the broker's answers are read again. */
  letGo: (() => void) | null;
};

const leaveTimeoutMs = 5_000;
const provenMs = 10_000;

export class SparkplugConnection {
  private readonly options: SparkplugConnectionOptions;
  private readonly own: OwnState;
  private readonly now: () => number;
  private session: Session | null = null;
  private wanted = false;
  private timer: NodeJS.Timeout | null = null;
  private failures = 0;

  constructor(options: SparkplugConnectionOptions) {
    this.options = options;
    this.own = new OwnState(options.hostId);
    this.now = options.now ?? Date.now;
  }

  get connected(): boolean {
    return this.session !== null && this.session.announcedAt !== null && !this.session.leaving;
  }

  /** Connects, and again after each loss, until `offline` or `stop`. */
  online(): void {
    if (this.wanted) return;
    this.wanted = true;
    this.failures = 0;
    if (!this.session) this.open();
  }

  /**
   * Says that this host is offline, and leaves. Edge nodes that wait for their primary host keep their data from then on. For a stop, and while
   * the database is away. What the handler still works on stays its own.
   */
  async offline(): Promise<void> {
    this.wanted = false;
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    const { session } = this;
    if (session) await this.leave(session);
  }

  /** Publishes a command as it stands. Without a connection it is dropped: it would be out of date later. */
  publish({ topic, payload, qos, retain }: Command): void {
    if (!this.session || !this.connected) return;
    this.session.client.publish(topic, payload, { qos, retain }, (error) => {
      if (error) this.problem(`A message to ${topic} could not be sent: ${error.message}`);
    });
  }

  private open() {
    const { options } = this;
    const connectedAt = this.now();
    const will = this.own.will(connectedAt);
    const settings: IClientOptions = {
      protocolVersion: options.protocolVersion,
      clientId: options.clientId ?? `takt-sparkplug-${options.hostId}`,
      clean: true,
      reconnectPeriod: 0, // each attempt is a client of its own, because the will carries the time of its CONNECT
      keepalive: options.keepaliveS ?? 30,
      connectTimeout: options.connectTimeoutMs ?? 10_000,
      resubscribe: false,
      queueQoSZero: false,
      will: { topic: will.topic, payload: will.payload, qos: will.qos, retain: will.retain },
      ...(options.protocolVersion === 5 ? { properties: { sessionExpiryInterval: 0 } } : {}),
      ...(options.username === undefined ? {} : { username: options.username }),
      ...(options.password === undefined ? {} : { password: options.password }),
      ...(options.ca ? { ca: options.ca } : {}),
      ...(options.cert ? { cert: options.cert } : {}),
      ...(options.key ? { key: options.key } : {}),
    };
    const client = connect(options.url.replace(/^tcp:/, "mqtt:").replace(/^ssl:/, "mqtts:"), settings);
    const closed = new Promise<void>((resolve) => client.once("close", resolve));
    const session: Session = { client, announcedAt: null, aliveAt: connectedAt, leaving: false, readTo: null, closed, letGo: null };
    this.session = session;
    client.handleMessage = (packet, done) => this.take(session, packet.topic, packet.payload, packet.retain, done);
    client.on("packetreceive", () => {
      session.aliveAt = this.now();
    });
    client.on("error", (error) => this.problem(sentenceOf(error, options.url)));
    client.on("disconnect", (packet) => this.problem(endedByBroker(packet.reasonCode, options.hostId)));
    client.on("connect", () => void this.announce(session));
    void closed.then(() => this.onClosed(session));
    const beat = setInterval(() => this.keepAlive(session), (settings.keepalive ?? 30) * 400);
    void closed.then(() => clearInterval(beat));
  }

  // The order that the specification asks for: subscribe, then say that the host is online, before anything else is published.
  private async announce(session: Session) {
    const { options } = this;
    const filters = [stateTopic(options.hostId), ...options.groups.map((group) => `spBv1.0/${group}/#`)];
    try {
      const granted = await session.client.subscribeAsync(filters, { qos: 1 });
      const refused = granted.filter(({ qos }) => qos > 2).map(({ topic }) => topic);
      if (refused.length > 0) throw new Error(`not allowed: ${refused.join(", ")}`);
    } catch (error) {
      if (!session.leaving)
        this.problem(`The broker does not let this host application subscribe to ${filters.join(" and ")}. Allow it there. (${(error as Error).message})`);
      session.client.end(true);
      return;
    }
    if (session.leaving || this.session !== session) return;
    session.announcedAt = this.now();
    this.publish(this.own.birth());
    this.listenToOlder(session);
    options.onConnected?.(this.now());
  }

  // No rule asks for it, so a broker that refuses it hinders nothing.
  private listenToOlder(session: Session) {
    const topic = legacyStateTopic(this.options.hostId);
    session.client.subscribe(topic, { qos: 1 }, (error) => {
      if (error && session.client.connected && !session.leaving)
        this.problem(`The broker does not let this host application subscribe to ${topic}, so it cannot contradict older programs there. (${error.message})`);
    });
  }

  private take(session: Session, topic: string, payload: Buffer | string, retained: boolean, done: () => void) {
    const bytes = typeof payload === "string" ? Buffer.from(payload) : payload;
    if (session.leaving) return done();
    if (topic === stateTopic(this.options.hostId) || topic === legacyStateTopic(this.options.hostId)) {
      // A retained one is what was said before this session; the birth takes its place.
      const to = parseTopic(topic);
      const answer = !retained && typeof to !== "string" && to.type === "STATE" ? this.own.contradict(to, bytes) : null;
      if (answer) {
        this.publish(answer);
        this.problem(
          `Someone said that the host application ${this.options.hostId} is offline, or wrote something else on its topic. It is online, and said so. If this happens again, another program uses the same name.`,
        );
      }
      return done();
    }
    const handled = this.handled(topic, bytes, retained);
    if (!handled) return done();
    let open = true;
    const finish = () => {
      if (!open) return;
      open = false;
      session.letGo = null;
      if (!session.leaving) session.readTo = null;
      done();
    };
    session.letGo = finish;
    session.readTo = this.now();
    void handled.then(finish);
  }

  private handled(topic: string, payload: Buffer, retained: boolean): Promise<void> | null {
    const failed = (error: unknown) => this.problem(`A message on ${topic} could not be handled: ${(error as Error).message}`);
    try {
      const result = this.options.onMessage(topic, payload, this.now(), { retained });
      return result ? result.catch(failed) : null;
    } catch (error) {
      failed(error);
      return null;
    }
  }

  // While the handler holds a message nothing is read, not even the broker's answer to a ping: the link is kept up without it.
  private keepAlive({ client, letGo, leaving }: Session) {
    if (!letGo || leaving || !client.connected) return;
    client.sendPing();
    client.reschedulePing(true);
  }

  private async leave(session: Session) {
    if (session.leaving) return session.closed;
    const announced = session.announcedAt !== null && session.client.connected;
    session.leaving = true;
    session.readTo ??= this.now(); // what comes from here on is not read any more
    session.letGo?.();
    if (announced) {
      const death = this.own.death(this.now());
      const said = session.client.publishAsync(death.topic, death.payload, { qos: death.qos, retain: death.retain }).then(
        () => undefined,
        (error: Error) => this.problem(`The broker did not take the word that this host is offline: ${error.message}`),
      );
      await within(leaveTimeoutMs, Promise.race([said, session.closed]));
    }
    session.client.end(!announced);
    await within(leaveTimeoutMs, session.closed);
    session.client.end(true);
    this.onClosed(session);
  }

  private onClosed(session: Session) {
    if (this.session !== session) return;
    this.session = null;
    const { announcedAt } = session;
    const wasAnnounced = announcedAt !== null;
    session.announcedAt = null;
    const aliveUntil = session.readTo ?? session.aliveAt;
    session.letGo?.();
    session.client.end(true);
    if (wasAnnounced) this.options.onDisconnected?.(this.now(), aliveUntil);
    if (!this.wanted) return;
    // A session that ends at once, as when two programs of one name take turns, is no success.
    if (announcedAt !== null && this.now() - announcedAt >= provenMs) this.failures = 0;
    const { retryMinMs = 500, retryMaxMs = 30_000, random = Math.random } = this.options;
    const waitMs = Math.min(retryMaxMs, retryMinMs * 2 ** this.failures++) * (0.5 + random() / 2);
    this.timer = setTimeout(() => this.open(), waitMs);
  }

  private problem(sentence: string) {
    this.options.onProblem?.(sentence);
  }
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}

function sentenceOf(error: Error & { code?: string | number }, url: string): string {
  const { host } = new URL(url);
  switch (error.code) {
    case "ECONNREFUSED":
      return `No broker answers at ${host}. Start it, or set MQTT_URL to where it is.`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `The name in MQTT_URL, ${host}, is not known in this network.`;
    case 4:
    case 5:
    case 134:
    case 135:
      return `The broker at ${host} refuses the sign-in. Check MQTT_USERNAME, MQTT_PASSWORD and the client certificate.`;
    default:
      return `The connection to the broker at ${host} failed: ${error.message}`;
  }
}

// Reason codes of DISCONNECT, MQTT 5 section 3.14.2.1.
function endedByBroker(reasonCode: number | undefined, hostId: string): string {
  if (reasonCode === 0x8e)
    return `Another program took over the connection of the host application ${hostId}. Each worker needs a SPARKPLUG_HOST_ID of its own.`;
  if (reasonCode === 0x8b) return "The broker is shutting down.";
  return `The broker ended the connection${reasonCode === undefined ? "" : ` (reason 0x${reasonCode.toString(16)})`}.`;
}

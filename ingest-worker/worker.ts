// The worker's life: database, lease, plant, broker, and the loop that writes one batch while the next one fills.
import type pg from "pg";
import type { Logger } from "pino";
import { endUnwatched, linksSaid, watchedTo } from "./absence.ts";
import { Held, hasWork, isEmpty } from "./batch.ts";
import { beat, sign } from "./beat.ts";
import { Bell } from "./bell.ts";
import { Bytes } from "./binary.ts";
import { connectDatabase, faultOf, sentenceOf } from "./database.ts";
import type { Env } from "./env.ts";
import { acquireLease, type Lease, LeaseLost, releaseLease } from "./lease.ts";
import { type BrokerOptions, brokerOf, connectMqtt, type Delivery, type MqttLink } from "./mqtt.ts";
import { NowAndThen } from "./now-and-then.ts";
import { loadPlant, type Plant } from "./plant.ts";
import { newMemory, Resolver } from "./resolve.ts";
import { feedRetries, Overtaken } from "./retry.ts";
import { unreadLetter } from "./sample.ts";
import { Share } from "./share.ts";
import type { Said } from "./sparkplug/liveness.ts";
import { openSparkplug, type SparkplugLink } from "./sparkplug-link.ts";
import type { Part, Stats } from "./stats.ts";
import { Watch } from "./watch.ts";
import { type SafeContext, writeSafely } from "./write-safely.ts";

/** A batch is written this long after its first value at the latest: below it, latency; above it, fewer transactions. */
const lingerMs = 25;

export class Worker {
  private readonly env: Env;
  private readonly stats: Stats;
  private readonly log: Logger;
  private readonly holder: string;
  private readonly broker: BrokerOptions;
  private readonly share: Share;
  private readonly held = new Held();
  private plant: Plant | null = null;
  private resolver: Resolver | null = null;
  private readonly memory = newMemory();
  private lease: Lease | null = null;
  private readonly nowAndThen = new NowAndThen((sentence) => this.log.warn(sentence));
  private mqtt: MqttLink | null = null;
  private sparkplug: SparkplugLink | null = null;
  /** Since when the pump waits, ms; null: it does not. */
  private holdingSince: number | null = null;
  private stopping = false;
  private plantChanged = false;
  private claimDue = false;
  private retryAsked = true;
  private readonly overtaken = new Overtaken();
  /** Why the loop cannot go on: a connection has ended while nothing was under way on it, or the lease is another's. */
  private lost: Error | null = null;
  private readonly bell = new Bell();
  private readonly copy = new Bytes(4 * 1024 * 1024);
  private readonly watch: Watch;
  private readonly lineAnnouncedAt = new Map<number, number>();

  constructor(env: Env, stats: Stats, log: Logger, holder: string) {
    this.env = env;
    this.stats = stats;
    this.log = log;
    this.holder = holder;
    this.broker = brokerOf(env);
    this.share = new Share(env.INGEST_TOPICS, env.SPARKPLUG_GROUPS);
    stats.heldBy(() => this.held.values);
    const { filling } = this.held;
    const links = () => this.resolver!.links;
    this.watch = new Watch(this.memory, { writtenTo: (now) => this.writtenTo(now), links, sink: filling, filled: () => this.filled() });
  }

  stop(): void {
    this.stopping = true;
    this.mqtt?.release();
    this.bell.ring();
  }

  /** Runs until stopped. Database and broker may come and go. */
  async run(): Promise<void> {
    const awake = setInterval(() => this.mqtt?.keepAwake(), 10_000);
    const looking = this.watch.start();
    try {
      await this.live();
    } finally {
      looking.stop();
      clearInterval(awake);
    }
  }

  private async live(): Promise<void> {
    let tries = 0;
    while (!this.stopping) {
      let db: pg.Client | null = null;
      let side: pg.Client | null = null;
      try {
        db = await connectDatabase(this.env.DATABASE_URL, `takt-ingest ${this.env.INGEST_NAME}`);
        side = await connectDatabase(this.env.DATABASE_URL, `takt-ingest ${this.env.INGEST_NAME} side`);
        const lease = await this.takeLease(db);
        if (!lease) break;
        this.lost = null;
        this.share.begin(lease, this.mqtt !== null);
        await this.reload(db);
        tries = 0;
        await this.listen(side);
        this.stats.leased = true;
        // Into the batch, too: a second time it changes nothing, but the boards are told.
        if (!this.mqtt) {
          for (const link of await endUnwatched(db, this.env.SPARKPLUG_GROUPS, this.plant!.sources, Date.now())) this.held.filling.link(link);
          this.watch.follows(await watchedTo(db), this.resolver!.links.topics(), Date.now());
        }
        this.openLinks(this.mqtt ? new Map() : await linksSaid(db));
        const beat = this.beat(side, lease);
        try {
          await this.write(db, side, lease);
        } finally {
          beat.stop();
        }
        await this.closeLinks();
        await this.sign(side);
        await releaseLease(side, lease);
        return;
      } catch (error) {
        if (error instanceof LeaseLost) {
          this.trouble("lease", error.message);
          await this.giveWay();
        } else if (faultOf(error) === "retry") {
          this.stats.databaseOk = false;
          this.stats.leased = this.isSure();
          this.trouble(
            "database",
            `Database: ${sentenceOf(error, this.env.DATABASE_URL)}. Holding ${this.held.values} values, the broker keeps the rest; trying again.`,
          );
          void this.sparkplug?.offline(); // edges then store and forward
        } else throw error;
        await this.sleep(Math.min(10_000, 250 * 2 ** Math.min(tries++, 6)) * (0.5 + Math.random() / 2));
      } finally {
        await Promise.allSettled([db?.end(), side?.end()]);
      }
    }
    await this.closeLinks();
  }

  // While the database was away another may have had the lease, and may have it still: it then has the session at the broker, and what was not acknowledged.
  private async takeLease(db: pg.Client): Promise<Lease | null> {
    while (!this.stopping) {
      const lease = await acquireLease(db, this.env.INGEST_NAME, this.share.configured, this.holder);
      this.stats.databaseOk = true;
      this.trouble("database", "");
      this.trouble("lease", "heldBy" in lease ? `Standing by: the ${lease.heldBy}. It takes over when that one stops.` : "");
      if ("heldBy" in lease || !lease.wasOurs) await this.giveWay();
      if (!("heldBy" in lease)) {
        this.lease = lease;
        return lease;
      }
      await this.sleep(2_000);
    }
    return null;
  }

  /** Nobody else can have the lease. */
  private isSure(): boolean {
    return this.lease !== null && performance.now() < this.lease.sureUntil;
  }

  private async reload(db: pg.Client): Promise<Resolver> {
    this.plantChanged = false;
    const before = this.plant?.revision;
    this.plant = await loadPlant(db, this.plant);
    if (this.plant.revision !== before) this.overtaken.note(this.held.since, Date.now());
    const taken = String(this.share.taken);
    await this.share.follow(db, this.plant);
    if (this.share.taken.length > 0 && String(this.share.taken) !== taken)
      this.log.warn(`The plant maps ${this.share.taken.join(", ")}, but another worker reads that: not subscribed to.`);
    this.resolver = new Resolver(this.plant, this.env.RETAIN_TREND_RAW_DAYS * 86_400_000, this.memory, this.share.isOurs);
    this.stats.plantRevision = this.plant.revision;
    this.mqtt?.subscribe(this.share.filters);
    this.log.info({ revision: this.plant.revision, signals: this.plant.signals.size, machines: this.plant.machines.size }, "plant read");
    return this.resolver;
  }

  private async listen(side: pg.Client): Promise<void> {
    side.on("notification", ({ channel, payload }) => {
      if (channel === "plant") this.plantChanged = true;
      else if (payload === "retry") this.retryAsked = true;
      this.bell.ring();
    });
    await side.query("listen plant");
    await side.query("listen dead_letter");
    this.retryAsked = true;
  }

  private openLinks(said: Map<string, Said[]>): void {
    this.sparkplug?.online();
    if (this.mqtt) return;
    this.mqtt = connectMqtt(this.broker, `takt-${this.env.INGEST_NAME}`, this.share.atBroker, {
      onMessage: (delivery, epoch) => this.receive(delivery, epoch),
      onChange: (connected, why) => {
        if (connected) this.log.info(`connected to ${this.stats.brokerUrl}`);
        else if (this.stats.mqttConnected || why) this.log.warn(`Broker: ${why || "connection lost"}; trying again`);
        this.stats.mqttConnected = connected;
        this.stats.subscribed = false;
        this.stats.troubles.broker = connected ? "" : `Broker: ${why || "connection lost"}`;
        this.stats.troubles.subscriptions = "";
      },
      watch: this.watch,
      onSubscribed: (refused) => {
        this.stats.subscribed = refused === "";
        this.trouble("subscriptions", refused && `Broker: ${refused}`);
      },
      isOurs: () => this.isSure(),
      onSession: (filters) => {
        this.share.sessionIs(filters);
        this.claimDue = true;
        this.bell.ring();
      },
    });
    this.mqtt.subscribe(this.share.filters);
    if (this.env.SPARKPLUG_GROUPS.length > 0)
      this.sparkplug = openSparkplug(this.broker, this.env.SPARKPLUG_HOST_ID, this.env.SPARKPLUG_GROUPS, {
        resolver: () => this.resolver!,
        sink: this.held.filling,
        onMessage: () => {
          this.stats.messages++;
        },
        filled: () => this.filled(),
        said,
        addresses: () => [...this.plant!.sources.values()].filter(({ form }) => form === "sparkplug").map(({ address }) => address),
        onProblem: (sentence) => this.nowAndThen.say(`Sparkplug: ${sentence}`),
        onChange: (connected, why) => {
          if (connected || why)
            this.log[connected ? "info" : "warn"](connected ? `online as Sparkplug host application ${this.env.SPARKPLUG_HOST_ID}` : `Sparkplug: ${why}`);
          this.stats.sparkplugIs(connected, connected ? "" : why || "the connection to the broker was lost");
        },
      });
    this.sparkplug?.online();
  }

  private receive(delivery: Delivery, epoch: number): boolean {
    if (this.stopping) return true; // neither taken nor acknowledged: the next reader gets it. Left unread it would have the PUBACKs before it thrown away with the connection
    this.stats.messages++;
    const receivedAt = Date.now();
    this.watch.look(receivedAt);
    this.held.of(epoch);
    const { batch } = this.held.filling;
    try {
      this.resolver!.message({ ...delivery, receivedAt }, this.held.filling);
    } catch (error) {
      this.nowAndThen.say(`A message on ${delivery.topic} could not be read: ${(error as Error).message}`);
      this.held.filling.letter(unreadLetter(delivery, error as Error, receivedAt));
    }
    if (delivery.messageId !== null) batch.acks.push(delivery.messageId);
    batch.bytes += delivery.payload.length;
    return this.filled();
  }

  // False: enough is held, or (Sparkplug) we are stopping: the pump waits.
  private filled(): boolean {
    const { batch } = this.held.filling;
    if (batch.firstAt === 0 && !isEmpty(batch)) {
      batch.firstAt = Date.now();
      this.bell.ring();
    }
    this.stats.received = this.held.filling.received;
    this.held.cutIfLarge();
    if (!this.stopping && !this.held.isFull) return true;
    this.holdingSince ??= Date.now();
    return false;
  }

  private async write(db: pg.Client, side: pg.Client, lease: Lease): Promise<void> {
    for (const connection of [db, side]) connection.once("end", () => this.lose(new Error("the connection to the database was closed")));
    for (;;) {
      if (this.lost) throw this.lost;
      while (this.plantChanged) await this.reload(db);
      if (this.claimDue) {
        this.claimDue = false;
        await this.share.claim(db);
      }
      if (await this.overtaken.retry(db, this.held.since, this.resolver!)) this.retryAsked = true;
      if (this.retryAsked && !this.held.isQueued) {
        this.retryAsked = false;
        if (await feedRetries(db, () => this.reload(db), this.held.filling, this.sparkplug, this.share)) this.retryAsked = true;
        if (this.held.filling.batch.retried.length === 0) await this.share.giveBack(db);
        this.filled();
      }
      if (!this.held.isQueued) {
        const { batch } = this.held.filling;
        if (isEmpty(batch)) {
          if (this.stopping) {
            if (!this.sparkplug) return;
            await this.leaveSparkplug(); // what it says of its links on leaving is written too
            continue;
          }
          await this.bell.wait(
            null,
            () => this.stopping || this.plantChanged || this.claimDue || this.retryAsked || this.lost !== null || !isEmpty(this.held.filling.batch),
          );
          continue;
        }
        const wait = batch.firstAt + lingerMs - Date.now();
        if (wait > 0 && !this.stopping) await this.sleep(wait);
        if (!this.held.isQueued) this.held.cut();
      }
      const queued = this.held.first();
      if (!queued) continue;
      const ctx: SafeContext = {
        db,
        plant: this.plant!,
        lease,
        copy: this.copy,
        lineAnnouncedAt: this.lineAnnouncedAt,
        log: this.log,
        reload: () => this.reload(db),
        onUnderWay: () => setImmediate(() => this.letGoOn()),
      };
      const from = Date.now();
      const outcome = !hasWork(queued.batch) ? { written: 0, duplicate: 0, setAside: new Map<string, number>() } : await writeSafely(ctx, queued.batch);
      this.held.shift();
      const now = Date.now();
      this.stats.committed(outcome, now - from, now - (queued.batch.firstAt || from));
      this.mqtt?.acknowledge(queued.epoch, queued.batch.acks);
      if (queued.batch.retried.length > 0) await this.share.giveBack(db);
      if (!this.held.isQueued) this.letGoOn();
    }
  }

  // With a batch ready, more is read only when that one is under way to the database: the two then work side by side.
  private letGoOn(): void {
    if (this.holdingSince === null || !this.held.hasRoom || this.stopping) return;
    this.watch.wasAway(this.holdingSince, Date.now());
    this.holdingSince = null;
    this.mqtt?.release();
    this.sparkplug?.release();
  }

  private beat(side: pg.Client, lease: Lease): { stop(): void } {
    return beat(side, lease, {
      sign: () => this.sign(side),
      lookAgain: () => {
        this.retryAsked = true;
        if (this.share.taken.length > 0) this.plantChanged = true; // whoever read it may be gone
      },
      onLost: (error) => this.lose(error),
      onTrouble: (error) => this.log.warn(`sign of life: ${error.message}`),
    });
  }

  // All that was sent before this instant is committed: where this worker ends without a word, its links are not known from then on.
  private writtenTo(now: number): number {
    return Math.min(this.sparkplug?.settledTo(now) ?? now, this.held.since ?? now);
  }

  private sign(side: pg.Client): Promise<void> {
    const now = Date.now();
    const writtenTo = this.writtenTo(now);
    return sign(side, this.env.INGEST_NAME, this.stats, { writtenTo, watchedTo: Math.min(writtenTo, this.watch.readTo(now)) }, now);
  }

  private async closeLinks(): Promise<void> {
    const links = [this.mqtt?.end(), this.leaveSparkplug()];
    this.mqtt = null;
    this.stats.mqttConnected = false;
    this.stats.subscribed = false;
    this.stats.sparkplugIs(false);
    await Promise.allSettled(links);
  }

  private lose(error: Error): void {
    this.lost ??= error;
    this.bell.ring();
  }

  private async leaveSparkplug(): Promise<void> {
    const link = this.sparkplug;
    this.sparkplug = null;
    this.stats.sparkplugIs(false);
    await link?.end();
  }

  // The lease is another's: what is held was not acknowledged, so its new reader gets it.
  private async giveWay(): Promise<void> {
    this.lease = null;
    this.stats.leased = false;
    await this.closeLinks();
    this.held.forget();
    this.stats.givenBack = this.held.givenBack;
    this.memory.said.clear();
    this.holdingSince = null;
  }

  private trouble(part: Part, sentence: string): void {
    if (sentence && sentence !== this.stats.troubles[part]) this.log.warn(sentence);
    this.stats.troubles[part] = sentence;
  }

  /** Ends early only when the worker stops. */
  private sleep(ms: number): Promise<void> {
    return this.bell.wait(ms, () => this.stopping);
  }
}

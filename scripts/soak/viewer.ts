/** A display that looks at a board: its live stream by HTTP, connected anew when it ends or falls silent, as the page does it. */
import { setTimeout as wait } from "node:timers/promises";
import superjson, { type SuperJSONResult } from "superjson";
import type { BoardEvent } from "#/server/boards/picture-types.ts";

/** The server beats every 10 s. */
const silentForMs = 32_000;
const [firstWaitMs, longestWaitMs] = [500, 15_000];

export class Viewer {
  readonly line: string;
  /** The newest picture, as it came. */
  picture: string | null = null;
  pictures = 0;
  beats = 0;
  connections = 0;
  /** Events that said that something is away. */
  troubles = 0;
  /** Longest time without a new picture and without being told why, ms. */
  longestMs = 0;
  private freshAt = performance.now();
  private lastId: string | null = null;
  private readonly url: string;
  private readonly cookie: string;
  private readonly ended = new AbortController();
  private readonly running: Promise<void>;

  /** cookie: of the display's link. line: site/area/line */
  constructor(url: string, cookie: string, line: string) {
    this.url = url;
    this.cookie = cookie;
    this.line = line;
    this.running = this.look();
  }

  async end(): Promise<void> {
    this.ended.abort();
    await this.running;
    this.fresh();
  }

  private fresh(): void {
    const now = performance.now();
    this.longestMs = Math.max(this.longestMs, now - this.freshAt);
    this.freshAt = now;
  }

  private async look(): Promise<void> {
    let waitMs = firstWaitMs;
    while (!this.ended.signal.aborted) {
      const before = this.beats;
      await this.connect().catch((error: Error) => error); // whatever ended it, it is made anew
      if (this.beats > before) waitMs = firstWaitMs;
      await wait(waitMs * (0.5 + Math.random()), undefined, { signal: this.ended.signal }).catch(() => undefined); // told to end
      waitMs = Math.min(waitMs * 2, longestWaitMs);
    }
  }

  private async connect(): Promise<void> {
    const [site, area, line] = this.line.split("/");
    const input = encodeURIComponent(JSON.stringify(superjson.serialize({ site, area, line, lastEventId: this.lastId })));
    const silent = new AbortController();
    let timer = setTimeout(() => silent.abort(), silentForMs);
    try {
      const answer = await fetch(`${this.url}/display/api/boards.watch?input=${input}`, {
        headers: { accept: "text/event-stream", cookie: this.cookie },
        signal: AbortSignal.any([this.ended.signal, silent.signal]),
      });
      if (!answer.ok || !answer.body) throw new Error(`The board's stream answers ${answer.status}.`);
      this.connections += 1;
      let text = "";
      for await (const part of answer.body.pipeThrough(new TextDecoderStream())) {
        clearTimeout(timer);
        timer = setTimeout(() => silent.abort(), silentForMs);
        text += part;
        for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
          this.take(text.slice(0, end));
          text = text.slice(end + 2);
        }
      }
    } finally {
      clearTimeout(timer);
    }
  }

  private take(message: string): void {
    const field = (name: string) =>
      message
        .split("\n")
        .filter((line) => line.startsWith(`${name}:`))
        .map((line) => line.slice(name.length + 1).trimStart())
        .join("\n");
    const [id, kind] = [field("id"), field("event")];
    if (id === "" || (kind !== "" && kind !== "message")) return; // the stream's own: connected, ping
    const event = superjson.deserialize<BoardEvent>(JSON.parse(field("data")) as SuperJSONResult);
    this.lastId = id;
    this.beats += 1;
    if (event.trouble) this.troubles += 1;
    if (event.picture !== null) {
      this.picture = event.picture;
      this.pictures += 1;
    }
    if (event.picture !== null || event.trouble) this.fresh();
  }
}

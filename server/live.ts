/**
 * The database's wakings: one LISTEN connection a process, whoever listens here. Says that something changed, never what it is now:
 * a listener reads for itself. After a reconnect everything may have changed, so everyone is told to read again.
 */
import type { Client } from "pg";
import { z } from "zod";
import { listenClient } from "#/server/db.ts";
import { log } from "#/server/log.ts";

export type Waking =
  | { type: "lines"; lineIds: number[] } // live picture of these lines changed
  | { type: "plant" } // the plant changed: copies of it are old
  | { type: "dead_letters" } // the worker set some aside or worked some off
  | { type: "worker"; name: string } // a worker's sign of life, about once a second
  | { type: "permission"; who: string } // rights were given or taken: of `person:<id>`, `display:<id>`, `token:<id>`; "": of anybody
  | { type: "display"; displayId: number; isBeat: boolean } // a display was changed; isBeat: it was its screen that said something new
  | { type: "reread" }; // wakings may have been missed

type Listener = (waking: Waking) => void;
type Live = { listeners: Set<Listener>; started: boolean };

// Next bundles routes apart: without globalThis each would have its own connection.
const shared = globalThis as typeof globalThis & { taktLive?: Live };
shared.taktLive ??= { listeners: new Set(), started: false };
const live = shared.taktLive;

const firstWaitMs = 250;
const longestWaitMs = 10_000;
/** A connection that died without saying so (a firewall, a pulled cable) is found within this and the next time. */
const proofEveryMs = 15_000;
const proofWithinMs = 5_000;

/** Calls `listener` at each waking until the returned function is called. Listeners must not throw. */
export function onWaking(listener: Listener): () => void {
  live.listeners.add(listener);
  if (!live.started) {
    live.started = true;
    void keepListening();
  }
  return () => live.listeners.delete(listener);
}

function wake(waking: Waking): void {
  for (const listener of live.listeners) listener(waking);
}

const lineIdsOf = z.array(z.int32());

/** The meaning of a notification; null where it means nothing to the screens. */
export function wakingOf(channel: string, payload: string): Waking | null {
  switch (channel) {
    case "board": {
      const lineIds = lineIdsOf.safeParse(parsed(payload));
      return lineIds.success ? { type: "lines", lineIds: lineIds.data } : { type: "reread" };
    }
    case "plant":
      return { type: "plant" };
    case "dead_letter":
      return payload === "retry" ? null : { type: "dead_letters" };
    case "worker":
      return { type: "worker", name: payload };
    case "permission":
      return { type: "permission", who: payload };
    case "display": {
      const [id, beat] = payload.split(":");
      return { type: "display", displayId: Number(id), isBeat: beat === "beat" };
    }
    default:
      return null;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the caller takes what it cannot read for "anything may have changed"
  }
}

async function keepListening(): Promise<never> {
  let waitMs = firstWaitMs;
  for (;;) {
    const client = listenClient();
    try {
      const broken = brokenPromise(client);
      await client.connect();
      await client.query("-- live.listen\nlisten board; listen plant; listen dead_letter; listen worker; listen permission; listen display");
      log().info("listening for changes in the database");
      waitMs = firstWaitMs;
      wake({ type: "reread" });
      await Promise.race([broken, proveAlive(client)]);
    } catch (error) {
      log().warn({ err: error, againInMs: waitMs }, "not listening for changes in the database; boards are read every 60 s until then");
    }
    await client.end().catch((error: Error) => log().debug({ err: error }, "the broken connection could not be closed"));
    // Full jitter, so that many web processes do not come back at the same instant.
    await new Promise((resolve) => setTimeout(resolve, waitMs * (0.5 + Math.random() / 2)));
    waitMs = Math.min(waitMs * 2, longestWaitMs);
  }
}

function brokenPromise(client: Client): Promise<never> {
  client.on("notification", ({ channel, payload }) => {
    const waking = wakingOf(channel, payload ?? "");
    if (waking) wake(waking);
  });
  const broken = new Promise<never>((_, reject) => {
    client.on("error", reject);
    client.on("end", () => reject(new Error("the database closed the connection")));
  });
  // The race hears of it, too; this keeps a failure during connect() from counting as unhandled.
  broken.catch((error: Error) => log().debug({ err: error }, "the listening connection broke"));
  return broken;
}

async function proveAlive(client: Client): Promise<never> {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, proofEveryMs));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error("the database did not answer on the listening connection")), proofWithinMs);
    });
    await Promise.race([client.query("-- live.proveAlive\nselect 1"), late]).finally(() => clearTimeout(timer));
  }
}

/** What a display that is on goes by, live: read when the database says that it changed, and told at least every 10 s that the server is there. */
import { tracked } from "@trpc/server";
import type { Trouble } from "#/server/boards/picture-types.ts";
import { currentTrouble, onUpstream, upstreamKnown } from "#/server/boards/upstream.ts";
import { buildId } from "#/server/build.ts";
import type { Db } from "#/server/db.ts";
import type { Concern } from "#/server/domain/rotation.ts";
import { isDatabaseAway } from "#/server/errors.ts";
import { onWaking } from "#/server/live.ts";
import { logFault } from "#/server/log.ts";
import { followConcerns, knownConcerns } from "./concerns.ts";
import { type DisplayRow, displayRow } from "./queries.ts";

/** For its own page: no hash, and not who made it. */
export type OwnDisplay = Pick<
  DisplayRow,
  | "id"
  | "name"
  | "siteName"
  | "zone"
  | "theme"
  | "locale"
  | "boards"
  | "raiseAfterS"
  | "raiseForS"
  | "rotationFromAt"
  | "pinnedLineId"
  | "pinnedUntilAt"
  | "concernsSeenAt"
  | "identifyAt"
  | "reloadAt"
>;

/** display null: it could not be read yet. trouble: what all boards hang on is away. lineTroubles: what single boards of it lack. */
export type DisplayEvent = {
  at: number;
  build: string;
  display: OwnDisplay | null;
  concerns: Concern[];
  trouble: Trouble | null;
  lineTroubles: { lineId: number; trouble: Trouble }[];
};

const beatEveryMs = 10_000;
const againAfterFailureMs = 3_000;
const atMostEveryMs = 500;

const linesOf = (row: DisplayRow | null) => row?.boards.map(({ lineId }) => lineId) ?? [];

function own(row: DisplayRow): OwnDisplay {
  const {
    siteId: _site,
    siteKey: _key,
    linkMadeAt: _made,
    linkExpiresAt: _expires,
    createdAt: _created,
    createdBy: _by,
    revokedAt: _revoked,
    version: _version,
    ...rest
  } = row;
  return rest;
}

function troublesOf(row: DisplayRow | null): Pick<DisplayEvent, "trouble" | "lineTroubles"> {
  const now = Date.now();
  const lineTroubles = linesOf(row).flatMap((lineId) => {
    const trouble = currentTrouble(lineId, now);
    return trouble ? [{ lineId, trouble }] : [];
  });
  return { trouble: currentTrouble(null, now), lineTroubles };
}

const eventOf = (row: DisplayRow | null): DisplayEvent => ({
  at: Date.now(),
  build: buildId(),
  display: row && own(row),
  concerns: row?.raiseAfterS === null ? [] : knownConcerns(linesOf(row)),
  ...troublesOf(row),
});

/** What the display goes by now. */
export async function lookAtDisplay(db: Db, displayId: number): Promise<DisplayEvent> {
  const [row] = await Promise.all([displayRow(db, displayId), upstreamKnown()]);
  return eventOf(row);
}

/** The same at each change, until the display goes or its link is no longer good. */
export async function* watchDisplay(db: Db, displayId: number, signal: AbortSignal | undefined) {
  let slot = Promise.withResolvers<void>();
  const wake = () => slot.resolve();
  let isOld = true;
  let row: DisplayRow | null = null;
  let followed = "";
  let unfollow: () => void = () => undefined;
  const stopWaking = onWaking((waking) => {
    if (waking.type !== "reread" && waking.type !== "plant" && !(waking.type === "display" && waking.displayId === displayId && !waking.isBeat)) return;
    isOld = true;
    wake();
  });
  let troubles = "";
  const stopUpstream = onUpstream(() => {
    const now = JSON.stringify(troublesOf(row));
    if (now !== troubles) wake();
    troubles = now;
  });
  signal?.addEventListener("abort", wake, { once: true });
  try {
    await upstreamKnown();
    for (let n = 0; !signal?.aborted; n += 1) {
      slot = Promise.withResolvers<void>();
      if (isOld) {
        isOld = false;
        try {
          row = await displayRow(db, displayId);
        } catch (error) {
          if (!isDatabaseAway(error)) logFault(error, `display ${displayId} could not be read`);
          isOld = true;
        }
      }
      // What brings no board up need not be followed.
      const lines = row !== null && row.raiseAfterS !== null && row.boards.length > 1 ? linesOf(row) : [];
      if (lines.join() !== followed) {
        const stop = followConcerns(lines, wake);
        unfollow();
        unfollow = stop;
        followed = lines.join();
      }
      yield tracked(`${n}`, eventOf(row));
      await sooner(slot.promise, isOld ? againAfterFailureMs : beatEveryMs);
      if (!signal?.aborted) await new Promise((resolve) => setTimeout(resolve, atMostEveryMs)); // a burst of changes is one
    }
  } finally {
    signal?.removeEventListener("abort", wake);
    stopWaking();
    stopUpstream();
    unfollow();
  }
}

async function sooner(woken: Promise<void>, withinMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const beat = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, withinMs);
  });
  await Promise.race([woken, beat]);
  clearTimeout(timer);
}

/** For the page that lists displays: the instant of each change, many within a second being one. */
export async function* displayChanges(signal: AbortSignal | undefined): AsyncGenerator<number> {
  let slot = Promise.withResolvers<void>();
  const stop = onWaking((waking) => {
    if (waking.type === "display" || waking.type === "plant" || waking.type === "reread") slot.resolve();
  });
  const end = () => slot.resolve();
  signal?.addEventListener("abort", end, { once: true });
  try {
    yield Date.now(); // what changed between the page's own reading and now
    for (;;) {
      await slot.promise;
      if (signal?.aborted) return;
      slot = Promise.withResolvers<void>();
      yield Date.now();
      await new Promise((resolve) => setTimeout(resolve, 2 * atMostEveryMs));
    }
  } finally {
    signal?.removeEventListener("abort", end);
    stop();
  }
}

/**
 * Open boards: one picture a line, made once for all who look, at most about once a second. Made again when a writer says that the line changed,
 * when a time-out passes (silence says nothing of itself), and every 60 s whatever happens.
 */
import { tracked } from "@trpc/server";
import { buildId } from "#/server/build.ts";
import { db } from "#/server/db.ts";
import { isDatabaseAway, Refusal } from "#/server/errors.ts";
import { onWaking } from "#/server/live.ts";
import { logFault } from "#/server/log.ts";
import type { BoardEvent, Trouble } from "./picture-types.ts";
import { boardPicture } from "./service.ts";
import { currentlyVouchedTo, currentTrouble, noteDatabase, onUpstream, upstreamKnown } from "./upstream.ts";

const atMostEveryMs = 1_000;
const atLeastEveryMs = 60_000;
const againAfterFailureMs = 3_000;
const beatEveryMs = 10_000;
/** A picture that took long is not made again at once: making pictures takes at most a fifth of a board's time. */
const restPerWork = 4;
/** A display that reconnects finds its board still open. */
const closeAfterMs = 30_000;
/** Without viewers a picture is good for so long, for the pages that ask every 5 s; a board that is opened is read again. */
const freshForMs = 4_000;

type Board = {
  lineId: number;
  picture: string | null;
  version: number;
  madeAt: number;
  tookMs: number;
  nextChangeAt: number;
  dirty: boolean;
  making: Promise<void> | null;
  failedSince: number | null;
  refusal: Refusal | null;
  /** The trouble last told of, as JSON. */
  told: string;
  viewers: Set<() => void>;
  timer: NodeJS.Timeout | undefined;
};

const shared = globalThis as typeof globalThis & { taktBoards?: { boards: Map<number, Board>; stop: (() => void) | null; startedAt: string } };
shared.taktBoards ??= { boards: new Map(), stop: null, startedAt: Date.now().toString(36) };
const open = shared.taktBoards;

function boardOf(lineId: number): Board {
  const known = open.boards.get(lineId);
  if (known) return known;
  const board: Board = {
    lineId,
    picture: null,
    version: 0,
    madeAt: 0,
    tookMs: 0,
    nextChangeAt: 0,
    dirty: true,
    making: null,
    failedSince: null,
    refusal: null,
    told: "",
    viewers: new Set(),
    timer: undefined,
  };
  open.boards.set(lineId, board);
  open.stop ??= start();
  return board;
}

function start(): () => void {
  const stopWaking = onWaking((waking) => {
    for (const board of open.boards.values()) {
      if (waking.type === "reread" || waking.type === "plant" || (waking.type === "lines" && waking.lineIds.includes(board.lineId))) {
        board.dirty = true;
        if (board.viewers.size > 0) schedule(board); // else it is read when it is asked for, or closes
      }
    }
  });
  const stopUpstream = onUpstream(() => {
    for (const board of open.boards.values()) {
      const now = JSON.stringify(currentTrouble(board.lineId, Date.now()));
      if (now === board.told) continue;
      board.told = now;
      board.dirty = true; // what its sources said of themselves holds as long as someone listens to them
      tell(board);
      if (board.viewers.size > 0) schedule(board);
    }
  });
  return () => {
    stopWaking();
    stopUpstream();
  };
}

const tell = (board: Board) => {
  for (const viewer of board.viewers) viewer();
};

/** Sets the one timer of a board to when its next picture is due. */
function schedule(board: Board): void {
  clearTimeout(board.timer);
  if (board.making) return; // sets the timer when it is done
  const now = Date.now();
  if (board.viewers.size === 0) {
    board.timer = setTimeout(() => close(board), closeAfterMs);
    return;
  }
  const restMs = Math.max(atMostEveryMs, board.tookMs * restPerWork);
  const dueAt =
    board.failedSince !== null
      ? board.madeAt + againAfterFailureMs
      : board.dirty
        ? board.madeAt + restMs
        : Math.min(board.madeAt + atLeastEveryMs, Math.max(board.nextChangeAt, board.madeAt + restMs));
  board.timer = setTimeout(() => void make(board), Math.max(0, dueAt - now));
}

function close(board: Board): void {
  if (board.viewers.size > 0) return;
  open.boards.delete(board.lineId);
  if (open.boards.size > 0) return;
  open.stop?.();
  open.stop = null;
}

/** Makes the picture once, whoever asks meanwhile. Does not throw: what went wrong is kept on the board. */
function make(board: Board): Promise<void> {
  board.making ??= makeNow(board).finally(() => {
    board.making = null;
    tell(board);
    schedule(board);
  });
  return board.making;
}

async function makeNow(board: Board): Promise<void> {
  await upstreamKnown();
  board.dirty = false;
  const startedAt = Date.now();
  try {
    board.told = JSON.stringify(currentTrouble(board.lineId, startedAt));
    const { picture, nextChangeAt } = await boardPicture(db, board.lineId, new Date(startedAt), currentlyVouchedTo(board.lineId, startedAt));
    board.picture = JSON.stringify(picture);
    board.version += 1;
    board.nextChangeAt = nextChangeAt;
    board.failedSince = null;
    board.refusal = null;
    noteDatabase(false, startedAt);
  } catch (error) {
    if (error instanceof Refusal) {
      board.refusal = error; // the line is gone
      board.picture = null;
    } else {
      const away = isDatabaseAway(error);
      if (away) noteDatabase(true, startedAt);
      if (board.failedSince === null) logFault(error, away ? "a board found the database away" : `the picture of line ${board.lineId} failed`);
      board.failedSince ??= startedAt;
    }
  }
  board.madeAt = startedAt;
  board.tookMs = Date.now() - startedAt;
}

const troubleOf = (board: Board): Trouble | null =>
  currentTrouble(board.lineId, Date.now()) ?? (board.failedSince === null ? null : { part: "server", sinceAt: board.failedSince });

const eventOf = (board: Board, picture: string | null): BoardEvent => ({ at: Date.now(), build: buildId(), trouble: troubleOf(board), picture });

/**
 * The line's picture as it is now, shared with everyone who asks within the same moment.
 * @throws Refusal NOT_FOUND: the line is gone. picture null: it could not be made; trouble says what is away.
 */
export async function lookAtBoard(lineId: number): Promise<BoardEvent> {
  const board = boardOf(lineId);
  const isFresh = board.picture !== null && board.failedSince === null && Date.now() - board.madeAt < (board.viewers.size > 0 ? atLeastEveryMs : freshForMs);
  await Promise.all([isFresh ? null : make(board), upstreamKnown()]);
  if (board.refusal) throw board.refusal;
  return eventOf(board, board.picture);
}

/** The line's events until the viewer goes: each new picture, and a beat at least every 10 s. A picture that the viewer has seen is not sent again. */
export async function* watchBoard(lineId: number, lastEventId: string | null, signal: AbortSignal | undefined) {
  const board = boardOf(lineId);
  // One slot: a slow client gets the newest picture when it is ready for one, and never a queue of old ones.
  let slot = Promise.withResolvers<void>();
  const viewer = () => slot.resolve();
  board.viewers.add(viewer);
  signal?.addEventListener("abort", viewer, { once: true });
  try {
    await Promise.all([board.picture === null || board.dirty ? make(board) : null, upstreamKnown()]);
    schedule(board);
    let seen = lastEventId;
    while (!signal?.aborted) {
      if (board.refusal) throw board.refusal;
      slot = Promise.withResolvers<void>();
      const id = `${open.startedAt}-${board.version}`;
      yield tracked(id, eventOf(board, id === seen ? null : board.picture));
      seen = id;
      await soonerOf(slot.promise, beatEveryMs);
    }
  } finally {
    signal?.removeEventListener("abort", viewer);
    board.viewers.delete(viewer);
    if (board.viewers.size === 0) schedule(board);
  }
}

async function soonerOf(woken: Promise<void>, withinMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const beat = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, withinMs);
  });
  await Promise.race([woken, beat]);
  clearTimeout(timer);
}

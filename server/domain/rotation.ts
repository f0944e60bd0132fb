/**
 * Which board a display shows at an instant. Pure and told by the clock alone, so that the display goes on with it while its server is away,
 * several screens with one link agree, and a reload does not start over. Instants are ms since 1970.
 */

/** A board in the round, and how long it is shown, s. */
export type RotationBoard = { lineId: number; shownS: number };

/** Something on a board that people should look at: a machine that stands, or one that nothing is known of. */
export type Concern = {
  /** The same concern keeps its key. */
  key: string;
  lineId: number;
  kind: "down" | "unknown";
  /** What it is about: the machine's name. */
  subject: string;
  sinceAt: number;
  /** When Takt came to know of it: later than sinceAt where silence had to pass its time-out first. */
  knownAt: number;
  clearedAt: number | null;
};

/** A concern that lasts longer than afterS brings its board up, for forS or (null) until it is over. */
export type RaiseRule = { afterS: number; forS: number | null };

export type Rotation = {
  boards: readonly RotationBoard[];
  /** An instant at which a round began. */
  fromAt: number;
  /** A person's choice; untilAt null: until a person ends it. */
  pin: { lineId: number; untilAt: number | null } | null;
  /** null: concerns bring no board up. */
  raise: RaiseRule | null;
  concerns: readonly Concern[];
  /** Concerns raised before this instant have been seen: they bring no board up any more. */
  seenAt: number | null;
};

export type Shown = {
  lineId: number;
  why: "round" | "pin" | "concern";
  /** The concern that brought the board up. */
  concern: Concern | null;
  /** When another board comes by itself; null: none does. */
  untilAt: number | null;
  /** The board that comes then. */
  nextLineId: number | null;
};

/** null: there is no board to show. */
export function shownAt(rotation: Rotation, at: number): Shown | null {
  const now = look(rotation, at);
  if (!now) return null;
  if (now.untilAt === null) return { ...now, nextLineId: null };
  const then = look(rotation, now.untilAt);
  return { ...now, nextLineId: then?.lineId ?? null };
}

type Look = Omit<Shown, "nextLineId">;

function look(rotation: Rotation, at: number): Look | null {
  const { boards, pin } = rotation;
  if (pin && boards.some(({ lineId }) => lineId === pin.lineId) && (pin.untilAt === null || at < pin.untilAt))
    return { lineId: pin.lineId, why: "pin", concern: null, untilAt: pin.untilAt };
  const raised = raisedAt(rotation, at);
  const concerned = boards.filter(({ lineId }) => raised.some(({ concern }) => concern.lineId === lineId));
  const found = inRound(concerned.length > 0 ? concerned : boards, rotation.fromAt, at);
  if (!found) return null;
  const changes = nextRaise(rotation, at);
  const ends = raised.flatMap(({ toAt }) => (toAt === null ? [] : [toAt]));
  const soonest = Math.min(found.untilAt ?? Number.POSITIVE_INFINITY, changes ?? Number.POSITIVE_INFINITY, ...ends);
  const newest = raised.filter(({ concern }) => concern.lineId === found.lineId).sort((a, b) => b.fromAt - a.fromAt)[0];
  return {
    lineId: found.lineId,
    why: newest ? "concern" : "round",
    concern: newest?.concern ?? null,
    untilAt: Number.isFinite(soonest) ? soonest : null,
  };
}

/** Where a round that began at fromAt stands. A round of one never ends. */
function inRound(boards: readonly RotationBoard[], fromAt: number, at: number): { lineId: number; untilAt: number | null } | null {
  const [only] = boards;
  if (!only) return null;
  if (boards.length === 1) return { lineId: only.lineId, untilAt: null };
  const roundMs = boards.reduce((sum, { shownS }) => sum + shownS * 1000, 0);
  const into = (((at - fromAt) % roundMs) + roundMs) % roundMs; // also before fromAt: clocks may be set back
  let end = 0;
  for (const { lineId, shownS } of boards) {
    end += shownS * 1000;
    if (into < end) return { lineId, untilAt: at - into + end };
  }
  return { lineId: only.lineId, untilAt: at + only.shownS * 1000 };
}

type Raised = { concern: Concern; fromAt: number; toAt: number | null };

/** When the concern brings its board up; null: it does not. */
function raisedFrom(concern: Concern, rule: RaiseRule, seenAt: number | null): Raised | null {
  const fromAt = Math.max(concern.sinceAt + rule.afterS * 1000, concern.knownAt);
  if (concern.clearedAt !== null && concern.clearedAt <= fromAt) return null; // over before it was long enough
  if (seenAt !== null && fromAt <= seenAt) return null;
  return { concern, fromAt, toAt: rule.forS === null ? concern.clearedAt : fromAt + rule.forS * 1000 };
}

function raises({ raise, concerns, seenAt, boards }: Rotation): Raised[] {
  if (!raise) return [];
  return concerns.filter((concern) => boards.some(({ lineId }) => lineId === concern.lineId)).flatMap((concern) => raisedFrom(concern, raise, seenAt) ?? []);
}

const raisedAt = (rotation: Rotation, at: number) => raises(rotation).filter(({ fromAt, toAt }) => fromAt <= at && (toAt === null || at < toAt));

const nextRaise = (rotation: Rotation, at: number) => {
  const coming = raises(rotation).flatMap(({ fromAt }) => (fromAt > at ? [fromAt] : []));
  return coming.length > 0 ? Math.min(...coming) : null;
};

/** The round's beginning that makes the board after the one shown begin at `at`. */
export function nextRoundFrom(rotation: Rotation, at: number): number {
  const { boards } = rotation;
  const shown = shownAt(rotation, at);
  const index = (boards.findIndex(({ lineId }) => lineId === shown?.lineId) + 1) % Math.max(1, boards.length);
  return at - boards.slice(0, index).reduce((sum, { shownS }) => sum + shownS * 1000, 0);
}

// Whether one publisher (edge node or device) is known to be there, in its own time; and what is said of it when that changes.
import type { LinkChange } from "./types.ts";

/** Shorter than any source's time-out: what is nearer to its neighbour is vouched for by both. */
const thinningMs = 60_000;
const keptWindows = 64;
/** So many of the newest events of a link a host takes over from the one before it: more than the windows that it keeps. */
export const recalledEvents = 200;

type DeadWindow = { from: number; to: number; vouched: boolean };
/** What was said of a link before this host started, in order of time: as LinkChange has it. */
export type Said = { at: number; kind: string; alive: boolean | null };

export class Liveness {
  readonly address: string;
  /** null: never said since this host started. */
  alive: boolean | null = null;
  private changedAt = Number.NEGATIVE_INFINITY;
  private deadFrom: number | null = null;
  /** Windows from here on are known. */
  private knownFrom: number | null = null;
  /** Nothing was ever said of the time before that. */
  private knowsAll = true;
  private dead: DeadWindow[] = [];
  private remarkedAt = Number.NEGATIVE_INFINITY;

  constructor(address: string) {
    this.address = address;
  }

  /** Takes over what an earlier host said. A link that it left alive is not known to be: say its death first. */
  recall(said: readonly Said[]): void {
    if (this.alive !== null) return;
    this.knowsAll = said.length < recalledEvents;
    for (const { at, alive } of said) {
      if (alive === false) this.deadFrom ??= at;
      else if (alive === true && this.deadFrom !== null) {
        this.dead.push({ from: this.deadFrom, to: at, vouched: false });
        this.deadFrom = null;
      }
      if (alive !== null) [this.alive, this.changedAt] = [alive, at];
      this.knownFrom ??= at;
    }
    for (const window of this.dead) window.vouched = said.some(({ at, kind }) => kind === "history" && at >= window.from && at <= window.to);
    this.dead = this.dead.slice(-keptWindows);
  }

  /** Alive from `at` on. A clock that was set back does not put the birth before the death that it ends. */
  birth(at: number, detail: string, links: LinkChange[]): void {
    const from = this.alive === false ? Math.max(at, this.changedAt) : at;
    if (this.deadFrom !== null) {
      this.dead.push({ from: this.deadFrom, to: from, vouched: false });
      if (this.dead.length > keptWindows) this.dead.shift();
    }
    this.deadFrom = null;
    this.knownFrom ??= from;
    this.alive = true;
    this.changedAt = from;
    links.push({ address: this.address, at: from, kind: "birth", alive: true, detail });
  }

  /** Not known to be alive from `at` on. At one instant a death counts before a birth, so it is put behind the birth that it ends. */
  death(kind: "death" | "offline" | "sequence_gap", at: number, detail: string, links: LinkChange[]): void {
    const from = this.alive === true ? Math.max(at, this.changedAt + 1) : at;
    this.deadFrom ??= from;
    this.changedAt = Math.max(this.changedAt, from);
    this.alive = false;
    links.push({ address: this.address, at: from, kind, alive: false, detail });
  }

  /**
   * A value of `at` came as history: its edge was recording then. Said once for each dead window that it falls into. Of the time of which nothing was
   * ever said, it says that the link was alive from there on: once for a backlog that comes in order, at most once a minute for one that comes backwards.
   */
  history(at: number, links: LinkChange[]): void {
    const window = this.dead.find((w) => at >= w.from && at <= w.to);
    let alive: true | null = null;
    if (window) {
      if (window.vouched) return;
      window.vouched = true;
    } else {
      if (this.knownFrom !== null && at >= this.knownFrom) return;
      // Where windows are no longer known, one remark a minute reaches each that is longer.
      const before = this.knowsAll && this.knownFrom !== null ? this.knownFrom : this.remarkedAt;
      if (Math.abs(at - before) < thinningMs) return;
      if (this.knowsAll && this.knownFrom !== null) {
        alive = true;
        this.knownFrom = at;
      } else this.remarkedAt = at;
    }
    const detail = alive ? "Values from here on were delivered as history." : "Values of the time without link were delivered as history.";
    links.push({ address: this.address, at, kind: "history", alive, detail });
  }
}

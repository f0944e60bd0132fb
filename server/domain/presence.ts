/**
 * Was the link of a source alive? Its dead windows, from the values that it sent and from what it announced of itself.
 * Silence is two different things: a machine that makes nothing (its link is alive) and a machine of which nothing is known (its link is dead).
 */

import type { Window } from "./windows.ts";
import { clip, complement, minus, union } from "./windows.ts";

/** First and last value of a source in one minute (a row of source_minute). The time-out is at least 60 s, so no more of the minute is needed. */
export type PresenceMinute = { firstAt: number; lastAt: number };

/**
 * A row of link_event. `alive`: true from `at` on, false from `at` on, null a remark. Kind `history`: a value of that instant was delivered as history;
 * with `alive` true it is the first of a time of which nothing else was said, and vouches for nothing before it.
 */
export type LinkEvent = { at: number; kind: string; alive: boolean | null };

export type PresenceInput = {
  window: Window;
  now: number;
  /** Behind an announced death values may still arrive as backlog; those of a Sparkplug edge count only if it marks them as history. */
  form: "json" | "sparkplug" | "mapped";
  noDataTimeoutS: number;
  /** Of the window, and the last minute with a value before it and the first one after it. In any order; repeats do no harm. */
  minutes: readonly PresenceMinute[];
  /** ms. Nobody has listened to the source since: a birth vouches for no silence beyond this. Left out: someone listens now. */
  vouchedTo?: number | undefined;
  /** Of the window, and the last event with `alive` true or false before it and the first one after it. In any order; repeats do no harm. */
  linkEvents: readonly LinkEvent[];
};

type Announced = { alive: Window[]; dead: Window[] };

/**
 * The windows before `now` in which nothing vouches for the source; sorted, apart from each other, inside `window`.
 *
 * Between a birth and a death the link is alive however silent. Where nothing was announced, two neighbouring values at most
 * `noDataTimeoutS` apart vouch for the time between them, and the silence after the last value counts as alive until it is longer than that;
 * then it is dead from that value. From an announced death to the next birth it is dead, however short that is, except where backlog fills it:
 *
 * Time-out 60 s, values at 0, 50 and 200 s, now 230 s: 0 to 50 vouched (50 <= 60); 150 s of silence are dead from 50 to 200; 200 to 230 counts as alive.
 * The same at now 261 s: 61 s of silence, dead from 200.
 * Values at 0 and 30 s, death at 10 s, birth at 20 s: dead from 10 to 20, though 30 <= 60: no value lies in that window.
 * Values at 0, 50, 100 and 150 s, death at 10 s, birth at 140 s: of a JSON source nothing is dead (those at 50 and 100 are backlog), of a Sparkplug one 10 to 140.
 */
export function deadWindows({ window, now, form, noDataTimeoutS, minutes, vouchedTo, linkEvents }: PresenceInput): Window[] {
  const timeoutMs = noDataTimeoutS * 1000;
  const instants = [...minutes.flatMap((m) => [m.firstAt, m.lastAt]), ...linkEvents.map((e) => e.at)];
  // A window with history in it is alive as a whole, so whole windows are looked at first and cut to what was asked for at the end.
  const all: Window = { from: Math.min(window.from, ...spread(instants)), to: now };
  const announced = announcedWindows(linkEvents, now, vouchedTo ?? now);
  const pairs = vouchingPairs(minutes, timeoutMs);
  const lastAt = minutes.reduce((latest, m) => Math.max(latest, m.lastAt), Number.NEGATIVE_INFINITY);
  const silence: Window[] = now - lastAt <= timeoutMs ? [{ from: lastAt, to: now }] : [];

  const vouched = minus([...pairs, ...announced.alive, ...silence], announced.dead);
  const backlog = form === "sparkplug" ? [] : vouchedWithin(announced.dead, pairs);
  const history = linkEvents.filter((e) => e.kind === "history" && e.alive === null).map((e) => e.at);
  const dead = withoutAny(complement([...vouched, ...backlog], all), history);
  return clip(dead, { from: window.from, to: Math.min(window.to, now) });
}

/** Dead windows of a machine whose readings come from several sources: nothing is known of it while any of them is dead. */
export const deadWithAny = (perSource: readonly (readonly Window[])[]): Window[] => union(perSource.flat());

function announcedWindows(linkEvents: readonly LinkEvent[], now: number, vouchedTo: number): Announced {
  // At one instant a death comes before a birth: a source that reconnects says both.
  const said = linkEvents.filter((e) => e.alive !== null && e.at < now).sort((a, b) => a.at - b.at || Number(a.alive) - Number(b.alive));
  const result: Announced = { alive: [], dead: [] };
  said.forEach((event, i) => {
    const next = said[i + 1];
    const to = next?.at ?? now;
    if (!event.alive) result.dead.push({ from: event.at, to });
    else {
      // What was heard later was heard by someone: only the last word is cut short.
      const end = next ? to : Math.min(to, vouchedTo);
      if (end > event.at) result.alive.push({ from: event.at, to: end });
    }
  });
  return { alive: union(result.alive), dead: union(result.dead) };
}

function vouchingPairs(minutes: readonly PresenceMinute[], timeoutMs: number): Window[] {
  const instants = [...new Set(minutes.flatMap((m) => [m.firstAt, m.lastAt]))].sort((a, b) => a - b);
  const pairs: Window[] = [];
  for (let i = 1; i < instants.length; i += 1) {
    const from = instants[i - 1];
    const to = instants[i];
    if (from !== undefined && to !== undefined && to - from <= timeoutMs) pairs.push({ from, to });
  }
  return pairs;
}

/** What of the dead windows backlog fills: pairs of values of which at least one lies inside. Pairs are in order and do not overlap. */
function vouchedWithin(deadWindows: readonly Window[], pairs: readonly Window[]): Window[] {
  const result: Window[] = [];
  let next = 0;
  for (const dead of deadWindows) {
    while (next < pairs.length && (pairs[next]?.to ?? 0) <= dead.from) next += 1;
    for (let i = next; i < pairs.length; i += 1) {
      const pair = pairs[i];
      if (pair === undefined || pair.from >= dead.to) break;
      if (pair.from <= dead.from && pair.to >= dead.to) continue;
      result.push({ from: Math.max(pair.from, dead.from), to: Math.min(pair.to, dead.to) });
    }
  }
  return result;
}

/** The windows in which, edges included, none of the instants lies. */
function withoutAny(windows: readonly Window[], instants: readonly number[]): Window[] {
  const sorted = [...instants].sort((a, b) => a - b);
  let next = 0;
  return windows.filter((w) => {
    while (next < sorted.length && (sorted[next] ?? 0) < w.from) next += 1;
    const first = sorted[next];
    return first === undefined || first > w.to;
  });
}

/** Smallest and largest alone: a long list does not fit into the arguments of one call. */
function spread(instants: readonly number[]): number[] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const at of instants) {
    low = Math.min(low, at);
    high = Math.max(high, at);
  }
  return low <= high ? [low, high] : [];
}

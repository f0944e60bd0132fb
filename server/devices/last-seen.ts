/**
 * When devices were last heard of: from the publishers (sources) whose topics a device may publish to. The worker keeps that per source already, in the
 * transaction that writes the values, so it costs nothing on the way of a message. Pure.
 */
import { FilterIndex } from "#/server/domain/topic-filter.ts";

/** patterns: topic filters mapped to signals of the source. at: ms since 1970, newest receipt. */
export type HeardSource = { address: string; form: "json" | "sparkplug" | "mapped"; patterns: readonly string[]; at: number };

/** Topics that a source publishes to. */
export function topicsOf({ address, form, patterns }: HeardSource): string[] {
  if (form === "json") return [`takt/v1/${address}/#`];
  if (form === "mapped") return [...patterns];
  const [group = "", node = "", device] = address.split("/");
  return [`spBv1.0/${group}/+/${node}${device === undefined ? "" : `/${device}`}`];
}

/** Finds, for topic filters of a device, the newest receipt of what it may have sent; null: nothing yet. */
export function lastSeenBy(sources: readonly HeardSource[]): (topics: readonly string[]) => number | null {
  const heard = new FilterIndex<number>();
  for (const source of sources) for (const topic of topicsOf(source)) heard.add(topic, source.at);
  return (topics) => {
    let last: number | null = null;
    for (const topic of topics) for (const at of heard.overlapping(topic)) last = last === null || at > last ? at : last;
    return last;
  };
}

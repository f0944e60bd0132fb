/** The strip below a tile: what a machine did since its shift began. Pure. */
import type { ShownKind, StripPart } from "./picture-types.ts";

/** More parts than this no screen can show; a link that flaps all shift would make thousands. */
export const mostParts = 300;

/** Neighbours of one kind are one part. Where there are too many, each slice of the time takes the kind that it held longest. */
export function stripOf(intervals: readonly { kind: ShownKind; from: number; to: number }[], from: number, to: number): StripPart[] {
  const parts = joined(intervals.map(({ kind, from: partFrom, to: partTo }) => [kind, partFrom, partTo]));
  if (parts.length <= mostParts) return parts;
  const sliceMs = (to - from) / mostParts;
  const slices: StripPart[] = [];
  let next = 0;
  for (let i = 0; i < mostParts; i++) {
    const [sliceFrom, sliceTo] = [from + i * sliceMs, from + (i + 1) * sliceMs];
    const held = new Map<ShownKind, number>();
    while (next > 0 && (parts[next]?.[1] ?? 0) > sliceFrom) next -= 1;
    for (; next < parts.length; next++) {
      const part = parts[next];
      if (!part || part[1] >= sliceTo) break;
      const ms = Math.min(part[2], sliceTo) - Math.max(part[1], sliceFrom);
      if (ms > 0) held.set(part[0], (held.get(part[0]) ?? 0) + ms);
    }
    const longest = [...held].sort((a, b) => b[1] - a[1])[0];
    if (longest) slices.push([longest[0], Math.round(sliceFrom), Math.round(sliceTo)]);
  }
  return joined(slices);
}

function joined(parts: readonly StripPart[]): StripPart[] {
  const result: StripPart[] = [];
  for (const [kind, from, to] of parts) {
    const last = result.at(-1);
    if (last && last[0] === kind && last[2] === from) last[2] = to;
    else result.push([kind, from, to]);
  }
  return result;
}

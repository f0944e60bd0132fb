// web.lcp: until the largest part of a page is painted.
import { webFigure } from "./rounds.ts";

export const lcp = webFigure(
  { name: "web.lcp", what: "ms until the largest part of the slowest page is painted, with an empty cache", unit: "ms", target: { below: 1_500 } },
  ({ lcp: { lcpMs, lcp: part, firstByteMs } }) => ({ value: Math.round(lcpMs), why: `${part}; first byte after ${firstByteMs.toFixed(0)} ms.` }),
);

// web.cls: how much of a page jumps under the eyes.
import { webFigure } from "./rounds.ts";

export const cls = webFigure(
  { name: "web.cls", what: "cumulative layout shift of the page that moves most, from loading to the last click", unit: "", target: { below: 0.1 } },
  ({ cls: { cls: share, moved } }) => ({ value: Math.round(share * 10_000) / 10_000, why: `${moved || "nothing moved"}.` }),
);

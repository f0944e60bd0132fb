// web.inp: until a page answers a finger or a key.
import { webFigure } from "./rounds.ts";

export const inp = webFigure(
  { name: "web.inp", what: "ms from a click or key to the next paint, the slowest of what is done on the slowest page", unit: "ms", target: { below: 200 } },
  ({ inp: found }) => (found?.inpMs == null ? null : { value: Math.round(found.inpMs), why: `${found.slowest || "nothing took longer"}.` }),
);

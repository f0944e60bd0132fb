// web.js: how much program a page needs before it can be used.
import { kbOf, webFigure } from "./rounds.ts";

export const js = webFigure(
  { name: "web.js", what: "kB of scripts over the wire (gzip) for the first load of the heaviest page", unit: "kB", target: { below: 350 } },
  ({ js: { scriptBytes } }) => ({ value: Math.round(kbOf(scriptBytes)), why: `${scriptBytes.toLocaleString("en")} bytes.` }),
);

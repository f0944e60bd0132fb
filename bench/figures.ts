// Every figure there is, in the order in which they are measured. A new one is a file and a line here.
import type { Figure } from "./figure.ts";
import { batch100 } from "./ingest/batch100.ts";
import { copyRatio } from "./ingest/copy-ratio.ts";
import { latency } from "./ingest/latency.ts";
import { overload } from "./ingest/overload.ts";
import { rss } from "./ingest/rss.ts";
import { single } from "./ingest/single.ts";
import { sparkplug100 } from "./ingest/sparkplug100.ts";
import { cls } from "./web/cls.ts";
import { inp } from "./web/inp.ts";
import { js } from "./web/js.ts";
import { lcp } from "./web/lcp.ts";

export const figures: readonly Figure[] = [single, batch100, sparkplug100, copyRatio, latency, rss, overload, lcp, inp, cls, js];

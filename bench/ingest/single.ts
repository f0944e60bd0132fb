// ingest.single: one value a message.
import type { Figure } from "../figure.ts";
import { throughput } from "../sustain.ts";

export const single: Figure = throughput(
  {
    name: "ingest.single",
    what: "values/s, one a message: JSON, QoS 1, acknowledged after commit, all of the worker's duties included",
    unit: "values/s",
    target: { atLeast: 30_000 },
  },
  "single",
);

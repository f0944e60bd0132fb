// ingest.sparkplug100: 100 metrics a message.
import type { Figure } from "../figure.ts";
import { throughput } from "../sustain.ts";

export const sparkplug100: Figure = throughput(
  {
    name: "ingest.sparkplug100",
    what: "values/s, 100 metrics with aliases a message: Sparkplug B from 20 edge nodes, QoS 0 as edges do",
    unit: "values/s",
    target: { atLeast: 200_000 },
  },
  "sparkplug100",
);

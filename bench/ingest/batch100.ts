// ingest.batch100: 100 values a message.
import type { Figure } from "../figure.ts";
import { throughput } from "../sustain.ts";

export const batch100: Figure = throughput(
  {
    name: "ingest.batch100",
    what: "values/s, 100 a message (ten instants of a machine's ten signals): JSON, QoS 1",
    unit: "values/s",
    target: { atLeast: 250_000 },
  },
  "batch100",
);

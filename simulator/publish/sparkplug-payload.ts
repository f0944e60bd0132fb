// Readings as Sparkplug B metrics. Births name each metric with its type and alias; data goes by alias alone.
import sparkplug, { type UMetric, type UPayload } from "sparkplug-payload/lib/sparkplugbpayload.js";
import type { PlacedMachine, SignalDef } from "#/simulator/model/definition.ts";
import type { Reading, Value } from "#/simulator/model/readings.ts";

export type Birth = { name: string; alias: number; type: UMetric["type"]; signal: SignalDef };

/** The metrics of a machine in the order of its definition; aliases are unique in the edge node from `firstAlias` on. */
export const birthsOf = (machine: PlacedMachine, firstAlias: number): Birth[] =>
  machine.machine.signals
    .filter(({ mapped }) => !mapped)
    .map((signal, n) => ({ name: signal.metric ?? signal.key, alias: firstAlias + n, type: typeOf(signal), signal }));

function typeOf(signal: SignalDef): UMetric["type"] {
  const feed = signal.feed;
  if (feed.of === "count") return "Int64";
  if (feed.of === "state") return typeof feed.coding.run === "number" ? "Int32" : "String";
  if (feed.of === "job" || feed.of === "product" || feed.of === "fault") return "String";
  return "Double"; // a Float would not come back as the value that was sent
}

/** A metric that is born with no reading yet is null, as the specification has it. */
export const bornMetric = (birth: Birth, reading: Reading | undefined, bornAt: number): UMetric => ({
  name: birth.name,
  alias: birth.alias,
  type: birth.type,
  value: reading?.value ?? null,
  timestamp: reading?.at ?? bornAt,
});

export const dataMetric = (alias: number, type: UMetric["type"], at: number, value: Value, isHistorical: boolean): UMetric => ({
  alias,
  type,
  value,
  timestamp: at,
  ...(isHistorical ? { isHistorical: true } : {}),
});

export const encode = (payload: UPayload): Buffer => Buffer.from(sparkplug.encodePayload(payload));
export const decode = (payload: Uint8Array): UPayload => sparkplug.decodePayload(payload);

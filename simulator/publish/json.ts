// Readings as JSON messages: one value a message, many at once, or a foreign device's own shape.
import type { MachineForm, PlacedMachine } from "#/simulator/model/definition.ts";
import type { Reading } from "#/simulator/model/readings.ts";
import type { Message } from "#/simulator/publish/broker.ts";

export type Outgoing = Message & { machine: PlacedMachine; readings: readonly Reading[] };

export const topicOf = (machine: PlacedMachine): string => `takt/v1/${machine.machinePath}`;
export const onlineTopic = (machine: PlacedMachine): string => `${topicOf(machine)}/_online`;

/** Readings in device-time order -> messages in the same order. `most`: readings in one message. */
export function messagesOf(machine: PlacedMachine, readings: readonly Reading[], form: MachineForm, most = 200): Outgoing[] {
  const mapped = readings.filter(({ signal }) => signal.mapped).map((reading) => foreignMessage(machine, reading));
  const own = readings.filter(({ signal }) => !signal.mapped);
  if (form === "single") return [...own.map((reading) => singleMessage(machine, reading)), ...mapped];
  const out: Outgoing[] = mapped;
  for (let n = 0; n < own.length; n += most) out.push(batchMessage(machine, own.slice(n, n + most)));
  return out;
}

const singleMessage = (machine: PlacedMachine, reading: Reading): Outgoing => ({
  topic: `${topicOf(machine)}/${reading.signal.key}`,
  payload: JSON.stringify({ ts: reading.at, value: reading.value }),
  qos: 1,
  machine,
  readings: [reading],
});

/** One object for one instant; an array of them for several. */
function batchMessage(machine: PlacedMachine, readings: readonly Reading[]): Outgoing {
  const rows: Record<string, unknown>[] = [];
  let row: Record<string, unknown> | undefined;
  for (const { at, signal, value } of readings) {
    if (!row || row.ts !== at || signal.key in row) {
      row = { ts: at };
      rows.push(row);
    }
    row[signal.key] = value;
  }
  return { topic: topicOf(machine), payload: JSON.stringify(rows.length === 1 ? rows[0] : rows), qos: 1, machine, readings };
}

/** What a scale on its own gateway sends: its value and time lie somewhere inside, and the time is written out. */
function foreignMessage(machine: PlacedMachine, reading: Reading): Outgoing {
  const { mapped } = reading.signal;
  if (!mapped) throw new Error(`${reading.signal.key} is not mapped to a topic of its own.`);
  const payload: Record<string, unknown> = { device: mapped.topic.split("/").at(-1) };
  put(payload, mapped.path, reading.value);
  put(payload, mapped.tsPath, new Date(reading.at).toISOString());
  return { topic: mapped.topic, payload: JSON.stringify(payload), qos: 1, machine, readings: [reading] };
}

function put(into: Record<string, unknown>, path: string, value: unknown): void {
  const steps = path.split(".");
  const last = steps.pop() ?? "";
  let here = into;
  for (const step of steps) {
    const next = here[step];
    const inner: Record<string, unknown> = isRecord(next) ? next : {};
    here[step] = inner;
    here = inner;
  }
  here[last] = value;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Recorded data through the broker: each row of a CSV becomes a message of its machine with all of its signals. Times move by whole weeks, so that weekday
 * and time of day stay (in UTC), and the last row falls into the last seven days.
 */
import { createReadStream, existsSync } from "node:fs";
import { pipeline } from "node:stream";
import { parse } from "csv-parse";
import { env } from "#/simulator/env.ts";
import { Wire } from "#/simulator/mischief.ts";
import type { Value } from "#/simulator/model/readings.ts";
import type { Options } from "#/simulator/options.ts";
import { type BrokerAddress, type Message, Outbox, open } from "#/simulator/publish/broker.ts";
import { liftMaxBackfill } from "#/simulator/replay/lift-max-backfill.ts";
import { cellValue, type Mapping, readMapping } from "#/simulator/replay/mapping.ts";
import { messageOf, Trouble } from "#/simulator/trouble.ts";
import { Truth } from "#/simulator/truth.ts";

const weekMs = 7 * 86_400_000;
/** As long as Takt keeps raw measurements, less what the way takes. */
const measurementsMs = weekMs - 1_800_000;

type ReplayReading = { signal: { key: string; counter?: "cumulative" | "increment" }; trend: boolean; at: number; value: Value; pieces?: number };
export type Row = { machinePath: string; at: number; readings: ReplayReading[] };

/** The weeks, in ms, that bring `lastAt` into the seven days before `now`. */
export const weeksToNow = (lastAt: number, now: number): number => Math.floor((now - lastAt) / weekMs) * weekMs;

/**
 * Rows in order of time. A machine that has several rows for one instant would say two things at once: then it is refused, because which of them is true
 * only its owner knows.
 */
export async function readRows(file: string, mapping: Mapping): Promise<Row[]> {
  if (!existsSync(file)) throw new Trouble(`There is no file ${file}.`);
  const rows: Row[] = [];
  const seen = new Set<string>();
  const totals = new Map<string, number>();
  let line = 1;
  // an error of the file ends the parser too, and so comes out of the loop
  const parser = pipeline(createReadStream(file), parse({ columns: true, bom: true, trim: true, skip_empty_lines: true }), () => undefined);
  try {
    for await (const record of parser) {
      line++;
      const row = readRow(record as Record<string, string>, mapping, totals);
      const identity = `${row.machinePath} ${row.at}`;
      if (seen.has(identity)) throw new RangeError(`${row.machinePath} has a second row for ${new Date(row.at).toISOString()}`);
      seen.add(identity);
      rows.push(row);
    }
  } catch (error) {
    throw new Trouble(`${file}, row ${line}: ${messageOf(error)}.`);
  }
  if (rows.length === 0) throw new Trouble(`${file} has no rows.`);
  return rows.sort((a, b) => a.at - b.at);
}

function readRow(record: Record<string, string>, mapping: Mapping, totals: Map<string, number>): Row {
  const cell = (name: string): string => {
    const text = record[name];
    if (text === undefined) throw new RangeError(`there is no column ${name}; there are ${Object.keys(record).join(", ")}`);
    return text;
  };
  const named = cell(mapping.machine.column);
  const machinePath = mapping.machine.paths[named];
  if (!machinePath) throw new RangeError(`the mapping names no machine for ${mapping.machine.column} ${named}`);
  const time = cell(mapping.time.column);
  const at = /(Z|[+-]\d\d:?\d\d)$/.test(time) ? Date.parse(time.replace(" ", "T")) : Number.NaN;
  if (!Number.isFinite(at)) throw new RangeError(`"${time}" is no instant with a zone, such as 2022-08-31 22:00:00+00:00`);
  const readings: ReplayReading[] = [];
  for (const [name, column] of Object.entries(mapping.columns)) {
    const value = cellValue(cell(name), column);
    if (value === null) continue;
    const signal = { key: column.signal, ...(column.counter ? { counter: column.counter } : {}) };
    const reading: ReplayReading = { signal, trend: column.class === "trend", at, value };
    if (column.counter && typeof value === "number") {
      const key = `${machinePath}/${column.signal}`;
      const before = totals.get(key);
      totals.set(key, value);
      reading.pieces = column.counter === "increment" ? value : before === undefined ? 0 : value >= before ? value - before : value;
    }
    readings.push(reading);
  }
  for (const [key, value] of Object.entries(mapping.constants)) readings.push({ signal: { key }, trend: false, at, value });
  return { machinePath, at, readings };
}

type RowMessage = Message & { row: Row };

const messageFor = (row: Row): RowMessage => ({
  topic: `takt/v1/${row.machinePath}`,
  payload: JSON.stringify({ ts: row.at, ...Object.fromEntries(row.readings.map(({ signal, value }) => [signal.key, value])) }),
  qos: 1,
  row,
});

export async function replay(options: Options, broker: BrokerAddress, stop: AbortSignal, log: (sentence: string) => void): Promise<void> {
  if (!options.replay) throw new Trouble("--replay needs a file.");
  const startedAt = Date.now();
  const recorded = await readRows(options.replay.file, readMapping(options.replay.map));
  const firstAt = recorded[0]?.at ?? 0;
  const shiftMs = options.replay.asRecorded ? 0 : weeksToNow(recorded.at(-1)?.at ?? 0, startedAt);
  if (options.replay.asRecorded && !options.replay.maxBackfillIsSet) {
    const machinePaths = [...new Set(recorded.map(({ machinePath }) => machinePath))];
    const sentence = await liftMaxBackfill(env.databaseUrl, machinePaths, startedAt - firstAt);
    if (sentence) log(sentence);
  }
  const { rows, leftOut } = moved(recorded, shiftMs, startedAt);
  if (shiftMs !== 0) log(`Times are moved by ${shiftMs / weekMs} weeks: the first row is of ${new Date(firstAt + shiftMs).toISOString()}.`);
  if (leftOut > 0) log(`${leftOut} measurements older than seven days are left out, because Takt keeps them no longer; states, counts and codes are all sent.`);

  const truth = new Truth({
    ...(options.truth ? { path: options.truth } : {}),
    ...(options.truthValues ? { valuesPath: options.truthValues } : {}),
    run: { startedAt, replay: options.replay.file, shiftMs, rows: rows.length },
  });
  const wire = new Wire<RowMessage>(options);
  const outbox = new Outbox(await open(broker, { clientId: `takt-replay-${process.pid}`, clean: true }), options.inFlight);
  const deliver = (message: RowMessage) => outbox.send(message, () => truth.acknowledged(message.row, message.row.readings));
  for (const row of rows) {
    if (stop.aborted) break;
    const dueAt = startedAt + (row.at - firstAt - shiftMs) / options.speed;
    while (options.speed !== Infinity && Date.now() < dueAt && !stop.aborted) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(200, Math.max(1, dueAt - Date.now()))));
      for (const message of wire.due(Date.now())) await deliver(message);
    }
    for (const message of [...wire.pass(messageFor(row), Date.now()), ...wire.due(Date.now())]) await deliver(message);
  }
  for (const message of wire.due(Infinity)) await deliver(message);
  const complete = await outbox.close(30_000);
  await truth.close();
  if (!complete) throw new Trouble("The broker went away before it had acknowledged everything. Start the replay again: what arrived already does no harm.");
  console.log(JSON.stringify({ rows: rows.length, values: truth.values, messages: truth.messages, shiftMs, leftOut }));
}

/** Rows at their new times, without measurements that would be too old on arrival. */
function moved(recorded: readonly Row[], shiftMs: number, now: number): { rows: Row[]; leftOut: number } {
  let leftOut = 0;
  const rows = recorded.map(({ machinePath, at, readings }) => {
    const kept = readings.filter(({ trend }) => !trend || now - at - shiftMs < measurementsMs);
    leftOut += readings.length - kept.length;
    return { machinePath, at: at + shiftMs, readings: kept.map((reading) => ({ ...reading, at: at + shiftMs })) };
  });
  return { rows, leftOut };
}

// ingest.copy_ratio: what of the database's plain speed is left when the worker has done all that it does.
import pg from "pg";
import { from as copyFrom, to as copyTo } from "pg-copy-streams";
import type { Figure, Reading } from "../figure.ts";
import { Rig } from "../rig.ts";
import { sustain } from "../sustain.ts";

/** Rows of each class that are copied at most: enough for some seconds, few enough to hold in memory. */
const maxRows = 3_000_000;
const tables = [
  { name: "sample", columns: "signal_id, at, value, flags", time: "6 hours" },
  { name: "ledger_sample", columns: "signal_id, at, value, text_value, flags, received_at", time: "1 day" },
] as const;

export const copyRatio: Figure = {
  name: "ingest.copy_ratio",
  what: "rate of ingest.batch100 / rate of one plain binary COPY of the same rows into the same kind of hypertable with the same key, in the same run",
  unit: "ratio",
  target: { atLeast: 0.45 },
  seconds: 30,
  quickSeconds: 10,
  async measure(conditions): Promise<Reading> {
    const rig = await Rig.start({ name: "ingest.copy_ratio", mode: "batch100", profile: conditions.profile, say: conditions.say });
    try {
      const { valuesPerS, use, broken, notes } = await sustain(rig, conditions);
      await rig.stopWorker();
      conditions.say("the same rows by plain COPY");
      const rowsPerS = await copyRate(rig.embedded.migrateUrl);
      return {
        value: Math.round((valuesPerS / rowsPerS) * 1000) / 1000,
        broken,
        notes: [`ingest.batch100 ${Math.round(valuesPerS)} values/s, plain COPY ${Math.round(rowsPerS)} rows/s.`, ...notes],
        disturbed: use.disturbed,
      };
    } finally {
      await rig.stop();
    }
  },
};

/** Rows a second of binary COPY, in the order and the shares in which the rows came, one transaction a table. */
async function copyRate(databaseUrl: string): Promise<number> {
  const db = new pg.Client({ connectionString: databaseUrl, application_name: "takt-bench copy" });
  await db.connect();
  try {
    await db.query("set timescaledb.max_open_chunks_per_insert = 32");
    const counted = await db.query<{ n: string; m: string }>("select (select count(*) from sample) as n, (select count(*) from ledger_sample) as m");
    const share = Math.min(1, maxRows / Number(counted.rows[0]!.n));
    let rows = 0;
    let ms = 0;
    for (const { name, columns, time } of tables) {
      await db.query(`create table ${name}_copy (like ${name})`);
      await db.query(`alter table ${name}_copy add primary key (signal_id, at)`);
      await db.query(`select create_hypertable('${name}_copy', by_range('at', interval '${time}'), create_default_indexes => false)`);
      const all = Number(name === "sample" ? counted.rows[0]!.n : counted.rows[0]!.m);
      const taken = Math.floor(all * share);
      const bytes = await read(db, `copy (select ${columns} from ${name} limit ${taken}) to stdout binary`);
      const from = performance.now();
      await write(db, `copy ${name}_copy (${columns}) from stdin binary`, bytes);
      ms += performance.now() - from;
      rows += taken;
    }
    return rows / (ms / 1000);
  } finally {
    await db.end();
  }
}

async function read(db: pg.Client, sql: string): Promise<Buffer[]> {
  const out: Buffer[] = [];
  for await (const chunk of db.query(copyTo(sql))) out.push(chunk as Buffer);
  return out;
}

function write(db: pg.Client, sql: string, chunks: readonly Buffer[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = db.query(copyFrom(sql));
    stream.on("finish", resolve);
    stream.on("error", reject);
    const next = (i: number) => {
      for (let at = i; at < chunks.length; at++) {
        if (stream.write(chunks[at])) continue;
        stream.once("drain", () => next(at + 1));
        return;
      }
      stream.end();
    };
    next(0);
  });
}

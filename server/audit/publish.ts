/** The heads of the chains go outside of the database, where whoever rewrites a chain does not reach them: a file, mail, MQTT. */
import { open } from "node:fs/promises";
import { connectAsync } from "mqtt";
import { createTransport } from "nodemailer";
import type { Db } from "#/server/db.ts";
import type { HeadTargets } from "./env.ts";
import { type Head, linesOf, readHeads } from "./heads.ts";

/** What took longer is tried again at the next turn. */
const giveUpMs = 20_000;

type Target = keyof HeadTargets;
/** One for each process: it remembers what it has published, so that nothing is said twice while nothing changes. */
export type HeadPublisher = (db: Db, now: Date) => Promise<{ published: number; to: Target[] }>;

/** @throws Error that names each target which failed, after the others have been served */
export function headPublisher(targets: HeadTargets): HeadPublisher {
  const said = new Map<Target, Map<number, string>>();
  return async (db, now) => {
    const heads = await readHeads(db);
    const moved = (target: Target) => heads.filter((head) => said.get(target)?.get(head.chain) !== head.hash);
    const served: Target[] = [];
    const failed: string[] = [];
    let published = 0;
    for (const target of ["file", "mail", "mqtt"] as const) {
      const news = moved(target);
      if (targets[target] === null || news.length === 0) continue;
      try {
        await send(target, targets, news, heads, now);
        said.set(target, new Map(heads.map((head) => [head.chain, head.hash])));
        served.push(target);
        published = Math.max(published, news.length);
      } catch (error) {
        failed.push(`${nameOf[target]}: ${error instanceof Error ? error.message : error}`);
      }
    }
    if (failed.length > 0) throw new Error(`The heads of the audit trail could not be published (${failed.join("; ")}).`);
    return { published, to: served };
  };
}

const nameOf: Record<Target, string> = { file: "AUDIT_HEAD_FILE", mail: "AUDIT_HEAD_MAIL", mqtt: "AUDIT_HEAD_TOPIC" };

function send(target: Target, { file, mail, mqtt }: HeadTargets, news: readonly Head[], all: readonly Head[], now: Date): Promise<void> {
  if (target === "file" && file) return append(file, linesOf(news, now));
  if (target === "mail" && mail) return post(mail, linesOf(news, now), now);
  if (target === "mqtt" && mqtt) return retainOn(mqtt, linesOf(all, now)); // it replaces what was said before, so it says all
  return Promise.resolve();
}

async function append(path: string, text: string): Promise<void> {
  const file = await open(path, "a", 0o640);
  try {
    await file.appendFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function post({ smtpUrl, from, to }: NonNullable<HeadTargets["mail"]>, text: string, now: Date): Promise<void> {
  const transport = createTransport(smtpUrl, { connectionTimeout: giveUpMs, greetingTimeout: giveUpMs, socketTimeout: giveUpMs } as object);
  try {
    await transport.sendMail({
      from,
      to,
      subject: `Takt: heads of the audit trail, ${now.toISOString().slice(0, 16).replace("T", " ")} UTC`,
      text: `Keep this mail. With it, a change of the audit trail can be found out: save the lines below in a file and run\nnpm run audit -- verify --heads FILE\n\n${text}`,
      // Lines are not broken, so that they can be read back.
      textEncoding: "base64",
    });
  } finally {
    transport.close();
  }
}

async function retainOn({ topic, url, ...options }: NonNullable<HeadTargets["mqtt"]>, text: string): Promise<void> {
  const client = await connectAsync(url, { ...options, protocolVersion: 4, reconnectPeriod: 0, connectTimeout: giveUpMs }, false);
  try {
    await client.publishAsync(topic, text, { qos: 1, retain: true });
  } finally {
    await client.endAsync();
  }
}

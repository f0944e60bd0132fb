/** The heads of the chains go outside of the database, where whoever rewrites a chain does not reach them: a file, mail, MQTT. */
import { open } from "node:fs/promises";
import { connectAsync } from "mqtt";
import { createTransport } from "nodemailer";
import type { Db } from "#/server/db.ts";
import type { HeadTargets } from "./env.ts";
import { type Head, linesOf, type PublishedHead, parseHeads, readHeads } from "./heads.ts";
import { recordPublication, type Target, variableOf } from "./publications.ts";

/** What took longer is tried again at the next turn. */
const giveUpMs = 20_000;

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
        await recordPublication(db, target, placeOf(target, targets), news);
        served.push(target);
        published = Math.max(published, news.length);
      } catch (error) {
        failed.push(`${variableOf[target]}: ${error instanceof Error ? error.message : error}`);
      }
    }
    await passOver(db, heads, served.length, said);
    if (failed.length > 0) throw new Error(`The heads of the audit trail could not be published (${failed.join("; ")}).`);
    return { published, to: served };
  };
}

/** That something was published moves the head of chain 0; alone it is nothing to publish, or each hour would have something. */
async function passOver(db: Db, before: readonly Head[], entries: number, said: ReadonlyMap<Target, Map<number, string>>): Promise<void> {
  if (entries === 0) return;
  const was = before.find(({ chain }) => chain === 0);
  const is = (await readHeads(db)).find(({ chain }) => chain === 0);
  if (!is || is.seq !== (was?.seq ?? 0) + entries) return; // somebody else's entries are among them
  for (const heads of said.values()) if (heads.get(0) === was?.hash) heads.set(0, is.hash);
}

const placeOf = (target: Target, { file, mail, mqtt }: HeadTargets): string =>
  target === "file" ? (file ?? "") : target === "mail" ? (mail?.to ?? "") : (mqtt?.topic ?? "");

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

const connected = ({ topic: _topic, url, ...options }: NonNullable<HeadTargets["mqtt"]>) =>
  connectAsync(url, { ...options, protocolVersion: 4, reconnectPeriod: 0, connectTimeout: giveUpMs }, false);

async function retainOn(mqtt: NonNullable<HeadTargets["mqtt"]>, text: string): Promise<void> {
  const { topic } = mqtt;
  const client = await connected(mqtt);
  try {
    await client.publishAsync(topic, text, { qos: 1, retain: true });
  } finally {
    await client.endAsync();
  }
}

/** A broker sends what it retains at once; what has not come by then is not there. */
const retainedWithinMs = 3_000;

/** The heads that the topic retains; null: it retains nothing. @throws Error where the broker cannot be reached or asked */
export async function readRetained(mqtt: NonNullable<HeadTargets["mqtt"]>): Promise<PublishedHead[] | null> {
  const client = await connected(mqtt);
  try {
    let timer: NodeJS.Timeout | undefined;
    const text = new Promise<string | null>((resolve) => {
      client.on("message", (_topic, bytes, { retain }) => retain && resolve(bytes.toString("utf8")));
      timer = setTimeout(() => resolve(null), retainedWithinMs);
    });
    const [granted] = await client.subscribeAsync(mqtt.topic, { qos: 1 });
    if (!granted || granted.qos > 2) throw new Error("the broker does not let this user read it");
    const said = await text;
    clearTimeout(timer);
    return said === null ? null : parseHeads(said).heads;
  } finally {
    await client.endAsync();
  }
}

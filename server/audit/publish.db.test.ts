/** A real file, a real broker, a real SMTP server. */
import { once } from "node:events";
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync } from "mqtt";
import { SMTPServer } from "smtp-server";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aDatabase, aLine, type TestDatabase } from "#/server/testing.ts";
import { type HeadTargets, readHeadTargets } from "./env.ts";
import { parseHeads, readHeads } from "./heads.ts";
import { headPublisher, readRetained } from "./publish.ts";
import { verify } from "./verify.ts";

const folder = mkdtempSync(join(tmpdir(), "takt-heads-"));
const nowhere: HeadTargets = { file: null, mail: null, mqtt: null };
const now = new Date("2026-05-04T10:00:00Z");
let db: TestDatabase;
beforeAll(async () => {
  db = await aDatabase();
});
beforeEach(async () => {
  await aLine(db);
});
afterAll(async () => {
  await db.drop();
  rmSync(folder, { recursive: true, force: true });
});

describe("the heads of the chains are published", () => {
  it("to a file: what moved, once, so that verify can hold them against the trail", async () => {
    const file = join(folder, "heads.jsonl");
    const publish = headPublisher({ ...nowhere, file });
    const heads = await readHeads(db);
    expect(await publish(db, now)).toEqual({ published: heads.length, to: ["file"] });
    expect(await publish(db, now)).toEqual({ published: 0, to: [] });
    const { siteId } = await aLine(db);
    expect(await publish(db, now)).toEqual({ published: 2, to: ["file"] }); // the new site's, and that of all sites: the enterprise
    const { heads: read, unreadable } = parseHeads(readFileSync(file, "utf8"));
    expect(unreadable).toEqual([]);
    expect(read).toHaveLength(heads.length + 2);
    expect(read.at(-1)).toMatchObject({ chain: siteId, seq: 3, published: now.toISOString() });
    expect((await verify(db, { published: read })).findings).toEqual([]);
    appendFileSync(file, '{"chain":1,"si\n'); // a disk that was full
    expect(parseHeads(readFileSync(file, "utf8")).unreadable).toEqual([read.length + 1]);
  });

  it("to a topic, retained: whoever comes later has them", async () => {
    const targets = readHeadTargets({ AUDIT_HEAD_TOPIC: `audit-${process.pid}/heads`, MQTT_URL: process.env.MQTT_URL });
    if ("wrong" in targets) throw new Error(targets.wrong.join());
    const were = await readHeads(db);
    expect((await headPublisher(targets)(db, now)).to).toEqual(["mqtt"]);
    const reader = await connectAsync(process.env.MQTT_URL ?? "");
    const message = new Promise<[string, Buffer]>((resolve) => reader.once("message", (name, bytes) => resolve([name, bytes])));
    await reader.subscribeAsync(`audit-${process.pid}/heads`, { qos: 1 });
    const [topic, payload] = await message;
    const { heads } = parseHeads(payload.toString());
    expect(heads.map(({ published: _, ...head }) => head)).toEqual(were);
    expect(await readRetained(targets.mqtt as NonNullable<HeadTargets["mqtt"]>)).toEqual(heads);
    await reader.publishAsync(topic, "", { retain: true });
    await reader.endAsync();
    expect(await readRetained(targets.mqtt as NonNullable<HeadTargets["mqtt"]>)).toBeNull();
  });

  it("by mail, in lines that can be saved and read back", async () => {
    const mails: string[] = [];
    const smtp = new SMTPServer({
      authOptional: true,
      disabledCommands: ["STARTTLS"],
      onData(stream, _session, done) {
        let text = "";
        stream.on("data", (chunk: Buffer) => {
          text += chunk.toString();
        });
        stream.on("end", () => {
          mails.push(text);
          done();
        });
      },
    });
    smtp.listen(0, "127.0.0.1");
    await once(smtp.server, "listening");
    const { port } = smtp.server.address() as { port: number };
    const targets = readHeadTargets({
      AUDIT_HEAD_MAIL: "auditor@example.com, second@example.com",
      SMTP_URL: `smtp://127.0.0.1:${port}`,
      MAIL_FROM: "takt@example.com",
    });
    if ("wrong" in targets) throw new Error(targets.wrong.join());
    const were = await readHeads(db);
    await headPublisher(targets)(db, now);
    const [head = "", ...body] = (mails[0] ?? "").split("\r\n\r\n");
    expect(head).toMatch(/^To: auditor@example\.com, second@example\.com$/m);
    expect(head).toContain("Subject: Takt: heads of the audit trail, 2026-05-04 10:00 UTC");
    const text = Buffer.from(body.join(""), "base64").toString();
    const quoted = text.replaceAll(/^/gm, "> ");
    for (const one of [text, quoted]) expect(parseHeads(one).heads.map(({ published: _, ...rest }) => rest)).toEqual(were);
    await new Promise<void>((resolve) => smtp.close(resolve));
  });

  it("to all others where one fails; that one is tried again, and said", async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const { port } = closed.address() as { port: number };
    closed.close();
    const file = join(folder, "others.jsonl");
    const publish = headPublisher({
      file,
      mail: { to: "a@b.c", from: "t@b.c", smtpUrl: `smtp://127.0.0.1:${port}` },
      mqtt: { topic: "x", url: `mqtt://127.0.0.1:${port}` },
    });
    for (let i = 0; i < 2; i++) {
      await expect(publish(db, now)).rejects.toThrow(
        /^The heads of the audit trail could not be published \(AUDIT_HEAD_MAIL: .*ECONNREFUSED.*; AUDIT_HEAD_TOPIC: .*ECONNREFUSED/,
      );
    }
    expect(parseHeads(readFileSync(file, "utf8")).heads).toHaveLength((await readHeads(db)).length);
  });
});

describe("the environment", () => {
  it("says one line for each wrong variable, and never a value", () => {
    expect(readHeadTargets({})).toEqual(nowhere);
    expect(readHeadTargets({ AUDIT_HEAD_MAIL: "secret", AUDIT_HEAD_TOPIC: "a/#", AUDIT_HEAD_FILE: "heads/", SMTP_URL: "http://x", MQTT_URL: "x" })).toEqual({
      wrong: [
        "AUDIT_HEAD_FILE must be a file, for example /var/lib/takt-heads/heads.jsonl",
        "AUDIT_HEAD_MAIL must be one or more mail addresses with commas between them",
        "AUDIT_HEAD_TOPIC must be an MQTT topic without + and #, for example takt/audit/heads",
        "SMTP_URL must begin with smtp:// or smtps://, for example smtps://user:password@mail.example.com",
        "MQTT_URL must begin with mqtt://, mqtts://, ws:// or wss://",
      ],
    });
    expect(readHeadTargets({ AUDIT_HEAD_MAIL: "a@b.c", AUDIT_HEAD_TOPIC: "a", MQTT_KEY_FILE: "/nowhere" })).toEqual({
      wrong: [
        "SMTP_URL is missing: AUDIT_HEAD_MAIL is set, and mail is sent through it",
        "MQTT_URL is missing: AUDIT_HEAD_TOPIC is set, and its broker is this one",
        "MQTT_CERT_FILE and MQTT_KEY_FILE go together: set both or neither",
      ],
    });
    expect(readHeadTargets({ AUDIT_HEAD_TOPIC: "a", MQTT_URL: "mqtts://b", MQTT_CA_FILE: "/nowhere" })).toEqual({
      wrong: ["MQTT_CA_FILE names a file that cannot be read (ENOENT)"],
    });
  });
});

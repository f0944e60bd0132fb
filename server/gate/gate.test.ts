import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { rates } from "#/server/limits/rates.ts";
import { times } from "#/server/limits/times.ts";
import type { Gate } from "./gate.ts";
import { ask, speak } from "./testing.ts";

process.env.DATABASE_URL = "postgres://nobody@127.0.0.1:1/none";
process.env.AUTH_SECRET = "a secret of the tests, long enough to be one";
process.env.LOG_LEVEL = "silent";
process.env.TRUSTED_PROXIES = "127.0.0.2";
const { guard } = await import("./gate.ts");

type Seen = { method: string; url: string; headers: IncomingMessage["headers"]; body: string };
const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

/** A server behind the gate that says what it was given. */
async function behindGate(gate: Partial<Gate> = {}): Promise<{ port: number; seen: Seen[]; server: Server }> {
  const seen: Seen[] = [];
  const server = createServer({ connectionsCheckingInterval: 50 }, async (request, response) => {
    let body = "";
    try {
      for await (const part of request) body += part;
    } catch {
      return; // its sender went away
    }
    seen.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers, body });
    if (request.url === "/own") response.setHeader("cache-control", "public, max-age=300").setHeader("content-security-policy", "default-src 'self'");
    if (request.url === "/broken") response.statusCode = 500;
    response.end("seen");
  });
  server.on("upgrade", (_request, socket) => socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"));
  open.push(server.listen(0, "127.0.0.1"));
  await once(server, "listening");
  guard(server, { publicUrl: null, developing: false, ...gate });
  return { port: (server.address() as AddressInfo).port, seen, server };
}

const json = { "content-type": "application/json" };
const carried = [
  "content-security-policy",
  "x-content-type-options",
  "x-frame-options",
  "referrer-policy",
  "cross-origin-resource-policy",
  "permissions-policy",
];

describe("what every answer carries", () => {
  it("is there on pages, files, faults and refusals", async () => {
    const { port } = await behindGate();
    const answers = await Promise.all([
      ask(port, "/"),
      ask(port, "/_next/static/a.js"),
      ask(port, "/broken"),
      ask(port, "/", { method: "DELETE" }),
      ask(port, "/", { headers: { host: "evil.example" } }),
      ask(port, "/api/trpc/a.b", { method: "POST" }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 500, 405, 421, 403]);
    for (const { headers } of answers) for (const name of carried) expect(headers[name], name).toBeTruthy();
    for (const { headers } of answers) expect(headers["strict-transport-security"]).toBeUndefined();
  });

  it("is there where the request could not even be read", async () => {
    const { port } = await behindGate();
    const malformed = (await speak(port, "no request\r\n\r\n")).toLowerCase();
    expect(malformed).toMatch(/^http\/1.1 400 bad request\r\n/);
    for (const name of carried) expect(malformed).toContain(`${name}: `);
    expect(await speak(port, `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(20_000)}\r\n\r\n`)).toContain("431 Request Header Fields Too Large");
  });

  it("says that browsers must come by TLS, where they do", async () => {
    const { port } = await behindGate({ publicUrl: "https://takt.example.com" });
    const { headers } = await ask(port, "/", { headers: { host: "takt.example.com" } });
    expect(headers["strict-transport-security"]).toBe("max-age=63072000");
    expect((await ask(port, "/", { headers: { host: "evil.example" } })).headers["strict-transport-security"]).toBe("max-age=63072000");
  });

  it("gives way to what the answer itself says, once", async () => {
    const { port } = await behindGate();
    const { headers } = await ask(port, "/own");
    expect([headers["cache-control"], headers["content-security-policy"]]).toEqual(["public, max-age=300", "default-src 'self'"]);
    expect((await ask(port, "/other")).headers["cache-control"]).toBe("no-store");
  });
});

describe("what does not pass", () => {
  it("another name than Takt's, but for the look of a load balancer", async () => {
    const { port, seen } = await behindGate({ publicUrl: "https://takt.example.com" });
    for (const host of ["evil.example", "localhost", "takt.example.com.evil.example"]) expect((await ask(port, "/", { headers: { host } })).status).toBe(421);
    expect((await ask(port, "/", { headers: { host: "evil.example", "x-forwarded-host": "takt.example.com" } })).status).toBe(421);
    expect(seen).toEqual([]);
    expect((await ask(port, "/api/health", { headers: { host: "10.0.0.7:3000" } })).status).toBe(200);
    expect((await ask(port, "/", { headers: { host: "inner:3000", "x-forwarded-host": "evil.example, takt.example.com" }, from: "127.0.0.2" })).status).toBe(
      200,
    );
    expect(seen.at(-1)?.headers.host).toBe("takt.example.com");
  });

  it("an address that is none", async () => {
    const { port, seen } = await behindGate();
    expect(await speak(port, "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")).toMatch(/^HTTP\/1.1 400 /);
    for (const path of ["/board/%00/a/b", "/audit/export?text=%00", "/sign-in?next=a%00"])
      expect(await speak(port, `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`), path).toMatch(/^HTTP\/1.1 400 /);
    expect(await speak(port, "OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")).toMatch(/^HTTP\/1.1 400 /);
    expect(seen).toEqual([]);
  });

  it("an address that cannot be decoded: with a page for people, and the id that the log has", async () => {
    const { port, seen } = await behindGate();
    for (const path of ["/people/%E0%A4%A", "/board/%E0%A4%A/a/b", "/board/%/a/b", "/people/a%00b"]) expect((await ask(port, path)).status, path).toBe(400);
    expect(seen).toEqual([]);
    const { headers, text } = await ask(port, "/people/%E0%A4%A", { headers: { accept: "text/html" } });
    expect(headers["content-type"]).toContain("text/html");
    expect(text).toContain("This address is malformed");
    expect(text).toMatch(/number [0-9a-f]{8} in the log/);
    expect((await ask(port, "/people/%F0%9F%98%80?x=%E0%A4%A")).status).toBe(200);
  });

  it("any verb but reading, and sending where something is taken", async () => {
    const { port, seen } = await behindGate();
    for (const method of ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]) {
      const { status, headers } = await ask(port, "/api/trpc/a.b", { method, headers: json });
      expect([status, headers.allow], method).toEqual([405, "GET, HEAD, POST"]);
    }
    expect((await ask(port, "/sign-out", { method: "POST", headers: json, body: "{}" })).status).toBe(405);
    expect(seen).toEqual([]);
  });

  it("what another site sends by its visitor's browser", async () => {
    const { port, seen } = await behindGate();
    const post = async (headers: Record<string, string>) => (await ask(port, "/api/auth/sign-out", { method: "POST", headers, body: "{}" })).status;
    expect(await post({ ...json, origin: "http://evil.example" })).toBe(403);
    expect(await post({ ...json, origin: "null" })).toBe(403);
    expect(await post({ ...json, "sec-fetch-site": "cross-site" })).toBe(403);
    expect(await post({ ...json, origin: "http://evil.example", "x-forwarded-host": "evil.example" })).toBe(403);
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
      expect(await post({ "content-type": type })).toBe(403);
    expect(seen).toEqual([]);
    expect(await post({ ...json, origin: `http://localhost:${port}`, host: `localhost:${port}`, "sec-fetch-site": "same-origin" })).toBe(200);
  });

  it("a change to another protocol", async () => {
    const { port } = await behindGate();
    const said = await speak(
      port,
      "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n",
    );
    expect(said).not.toContain(" 101 ");
  });
});

describe("bodies", () => {
  const send = (port: number, path: string, body: string | string[]) => ask(port, path, { method: "POST", headers: json, body });
  const kB = (n: number) => "x".repeat(n * 1024);

  it("are refused in words where they say that they are longer than is taken", async () => {
    const { port, seen } = await behindGate();
    const { status, text } = await send(port, "/api/auth/sign-in/username", kB(17));
    expect([status, JSON.parse(text)]).toEqual([413, { code: "TOO_LARGE", message: "This is longer than the 16 kB that are taken here." }]);
    expect((await send(port, "/api/trpc/plant.put", kB(4097))).status).toBe(413);
    expect((await ask(port, "/", { headers: { "content-length": "3" }, body: "abc" })).status).toBe(413);
    expect(seen).toEqual([]);
  });

  it("are refused where they are longer and had not said how long", async () => {
    const { port, seen } = await behindGate();
    expect((await send(port, "/api/auth/sign-in/username", [kB(10), kB(10)])).status).toBe(413);
    expect((await send(port, "/api/trpc/plant.put", Array(50).fill(kB(100)))).status).toBe(413);
    expect(seen).toEqual([]);
  });

  it("pass whole where they are not", async () => {
    const { port, seen } = await behindGate();
    await send(port, "/api/auth/sign-in/username", kB(16));
    await send(port, "/api/trpc/plant.put", ["ab", "cd", kB(300)]);
    await send(port, "/api/trpc/plant.put", [""]);
    expect(seen.map(({ body, headers }) => [body.length, headers["content-length"], headers["transfer-encoding"]])).toEqual([
      [16_384, "16384", undefined],
      [4 + 300 * 1024, String(4 + 300 * 1024), undefined],
      [0, "0", undefined],
    ]);
    expect(seen[1]?.body.slice(0, 5)).toBe("abcdx");
  });

  it("that break off in the midst harm nobody", async () => {
    const { port, seen } = await behindGate();
    const socket = connect(port, "127.0.0.1");
    socket.write("POST /api/trpc/a.b HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n");
    await once(socket, "connect");
    await ask(port, "/");
    socket.destroy();
    await once(socket, "close");
    expect((await ask(port, "/")).status).toBe(200);
    expect(seen.map(({ url }) => url)).toEqual(["/", "/"]);
  });
});

describe("rates", () => {
  it("stop a token that runs wild: 429, and when to come back, in the form of whoever asks", async () => {
    const { port } = await behindGate();
    const headers = { authorization: "Bearer takt_x" };
    const emptied = await Promise.all(Array.from({ length: rates.token.burst }, () => ask(port, "/api/v1/lines", { headers })));
    expect(new Set(emptied.map(({ status }) => status))).toEqual(new Set([200]));
    // A token comes back every now and then: it is asked until there is none.
    const refused = async (path: string, how: Parameters<typeof ask>[2]) => {
      for (;;) {
        const answer = await ask(port, path, how);
        if (answer.status === 429) return answer;
      }
    };
    const { status, headers: said, text } = await refused("/api/v1/lines", { headers });
    expect(status).toBe(429);
    expect(Number(said["retry-after"])).toBeGreaterThanOrEqual(1);
    expect(JSON.parse(text)).toEqual({ error: { code: "TOO_MANY_REQUESTS", message: `Too many requests. Try again in ${said["retry-after"]} s.` } });

    const batch = await refused("/api/trpc/boards.lines,plant.tree?batch=1", { headers });
    expect(batch.status).toBe(429);
    const errors = JSON.parse(batch.text);
    expect(errors).toHaveLength(2);
    expect(errors[0].error.json).toMatchObject({ code: -32029, data: { kind: "TOO_MUCH", httpStatus: 429 } });
    const auth = JSON.parse((await refused("/api/auth/sign-out", { method: "POST", headers: { ...headers, ...json }, body: "{}" })).text);
    expect(auth).toMatchObject({ code: "WAIT", waitS: expect.any(Number) });
    const page = await refused("/", { headers: { ...headers, accept: "text/html" } });
    expect(page.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(page.text).toMatch(/Too many requests.*http-equiv="refresh"|http-equiv="refresh"[\s\S]*Too many requests/);
    const german = await refused("/", { headers: { ...headers, accept: "text/html", cookie: "takt-locale=de" } });
    expect(german.text).toMatch(/<html lang="de">[\s\S]*Zu viele Anfragen\. Versuchen Sie es in \d+ s noch einmal\./);
    const program = await refused("/api/v1/lines", { headers: { ...headers, "accept-language": "de" } });
    expect(program.text).toContain("Too many requests.");

    expect((await ask(port, "/api/v1/lines", { headers: { authorization: "Bearer other" } })).status).toBe(200);
    expect((await ask(port, "/")).status).toBe(200);
  });

  it("count those behind a known proxy each for themselves, and believe nobody else about it", async () => {
    const { port, seen } = await behindGate();
    await ask(port, "/", { headers: { "x-forwarded-for": "198.51.100.9", "x-takt-peer": "198.51.100.8", "x-takt-path": "/x", "x-nonce": "n" } });
    expect(seen[0]?.headers).not.toHaveProperty("x-forwarded-for");
    expect(seen[0]?.headers).not.toHaveProperty("x-takt-path");
    expect(seen[0]?.headers).not.toHaveProperty("x-nonce");
    expect(seen[0]?.headers["x-takt-peer"]).toBe("127.0.0.1");
    await ask(port, "/", { headers: { "x-forwarded-for": "198.51.100.9" }, from: "127.0.0.2" });
    expect(seen[1]?.headers["x-forwarded-for"]).toBe("198.51.100.9");
  });
});

describe("connections", () => {
  const slow = { ...times, headersMs: 200, requestMs: 400, silenceMs: 300 };

  it("that send their headers slowly are closed", async () => {
    const { port } = await behindGate({ times: slow });
    expect(await speak(port, "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")).toContain("408 Request Timeout");
  });

  it("that send their body slowly are closed", async () => {
    const { port } = await behindGate({ times: { ...slow, silenceMs: 5_000 } });
    expect(await speak(port, "POST /api/trpc/a.b HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\nabc")).not.toContain(
      " 200 ",
    );
  });

  it("on which nothing comes at all are closed", async () => {
    const { port } = await behindGate({ times: { ...slow, headersMs: 5_000, requestMs: 5_000 } });
    expect(await speak(port, "")).toBe("");
  });

  it("of one address are so many and no more; of a known proxy any", async () => {
    const { port } = await behindGate({ times: { ...times, mostConnections: 3 } });
    const held = Array.from({ length: 3 }, () => connect(port, "127.0.0.1"));
    await Promise.all(held.map((socket) => once(socket, "connect")));
    await expect(ask(port, "/")).rejects.toThrow();
    expect((await ask(port, "/", { from: "127.0.0.2" })).status).toBe(200);
    held[0]?.destroy();
    await expect
      .poll(() =>
        ask(port, "/").then(
          ({ status }) => status,
          () => null,
        ),
      )
      .toBe(200);
    for (const socket of held) socket.destroy();
  });
});

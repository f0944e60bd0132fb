// That a visit sees what is wrong with a page, in a real browser: a page made for it paints late, moves, answers slowly and sends a script as it is.
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { type Browser, chromium } from "@playwright/test";
import { afterAll, beforeAll, expect, it } from "vitest";
import { findChromium } from "#/scripts/test/chromium.ts";
import type { Deed } from "./pages.ts";
import { visit } from "./visit.ts";

const script = `document.documentElement.dataset.awake = "";${"// as long as one that is worth compressing\n".repeat(100)}`;
const zipped = gzipSync(script);
const lateMs = 400;
const slowMs = 300;

const page = (parts: string) => `<!doctype html><title>Test</title><body style="margin:0"><script src="/zipped.js"></script>${parts}`;
const good = page("<h1>All is well</h1>");
const bad = page(`
  <script src="/bare.js"></script>
  <button onclick="const end = Date.now() + ${slowMs}; while (Date.now() < end);">Slow</button>
  <main style="height:400px;background:#ccc"><p>Something small</p></main>
  <script>setTimeout(() => document.querySelector("main").insertAdjacentHTML("beforebegin", '<h1 style="font-size:80px;margin:0">The largest part comes late</h1>'), ${lateMs})</script>`);

let server: Server;
let browser: Browser;
let url = "";

beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === "/zipped.js") response.writeHead(200, { "content-type": "text/javascript", "content-encoding": "gzip" }).end(zipped);
    else if (request.url === "/bare.js") response.writeHead(200, { "content-type": "text/javascript" }).end(script);
    else response.writeHead(200, { "content-type": "text/html" }).end(request.url === "/bad" ? bad : good);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  browser = await chromium.launch({ executablePath: findChromium(() => undefined), args: ["--no-sandbox", "--disable-gpu"] });
});
afterAll(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
});

const viewport = { width: 800, height: 600 };

it("a page that paints late, moves, answers slowly, and sends a script as it is", async () => {
  const deeds: Deed[] = [
    { what: "a key", act: (at) => at.keyboard.press("Tab") },
    { what: "press Slow", act: (at) => at.getByRole("button").click() },
  ];
  const seen = await visit(browser, { url: `${url}/bad`, cookies: [], viewport, deeds });
  expect(seen.lcp).toContain("The largest part comes late");
  expect(seen.lcpMs).toBeGreaterThan(lateMs);
  expect(seen.cls).toBeGreaterThan(0.05);
  expect(seen.moved).toContain("Something small");
  expect(seen.inpMs).toBeGreaterThanOrEqual(slowMs);
  expect(seen.slowest).toBe("press Slow");
  expect(seen.scriptBytes).toBe(zipped.length + script.length);
  expect(seen.faults).toEqual(["/bare.js came without being compressed."]);
});

it("a page without faults, on which there is nothing to press", async () => {
  const seen = await visit(browser, { url: `${url}/good`, cookies: [], viewport, deeds: [] });
  expect(seen).toMatchObject({ cls: 0, inpMs: null, scriptBytes: zipped.length, faults: [] });
});

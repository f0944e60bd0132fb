import { describe, expect, it } from "vitest";
import { costOf, Rates, rates } from "./rates.ts";

const ask = (meters: Rates, address: string, authorization: string | null, cost = 1) => meters.waitS({ address, authorization, cost }, 0);
const many = (n: number, once: (n: number) => number) => Array.from({ length: n }, (_, i) => once(i)).filter((wait) => wait > 0).length;

describe("Rates", () => {
  it("stops a token that runs wild, and nobody else behind its address", () => {
    const meters = new Rates();
    expect(many(rates.token.burst + 5, () => ask(meters, "192.0.2.1", "Bearer a"))).toBe(5);
    expect(ask(meters, "192.0.2.2", "Bearer a")).toBeGreaterThan(0);
    expect(ask(meters, "192.0.2.1", "Bearer b")).toBe(0);
    expect(ask(meters, "192.0.2.1", null)).toBe(0);
  });

  it("stops an address that tries one token after the other", () => {
    const meters = new Rates();
    expect(many(rates.programs.burst + 7, (n) => ask(meters, "192.0.2.1", `Bearer ${n}`))).toBe(7);
    expect(ask(meters, "192.0.2.1", null)).toBe(0);
  });

  it("lets 200 screens of one address come back at once, and still stops a browser that runs wild", () => {
    const meters = new Rates();
    expect(many(200 * 8, () => ask(meters, "192.0.2.1", null))).toBe(0);
    expect(many(rates.browsers.burst, () => ask(meters, "192.0.2.1", null))).toBe(200 * 8);
    expect(ask(meters, "192.0.2.2", null)).toBe(0);
  });

  it("takes what one IPv6 owner chooses freely for one address", () => {
    const meters = new Rates();
    expect(many(rates.browsers.burst + 3, (n) => ask(meters, `2001:db8::${n.toString(16)}`, null))).toBe(3);
    expect(ask(meters, "2001:db8:0:1::1", null)).toBe(0);
  });
});

describe("costOf", () => {
  it("counts the procedures of a batch, and files not at all", () => {
    expect(["/", "/api/trpc/a.b", "/api/trpc/a.b,c.d%2Ce.f", "/display/api/displays.own,displays.beat", "/board/a/b,c/d"].map(costOf)).toEqual([1, 1, 3, 2, 1]);
    expect(["/_next/static/chunks/a.js", "/icons/192.png", "/icon.svg", "/api/health"].map(costOf)).toEqual([0, 0, 0, 0]);
  });
});

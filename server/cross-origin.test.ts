import { describe, expect, it } from "vitest";
import { whyNotFromHere } from "./cross-origin.ts";

const post = (headers: Record<string, string>) =>
  whyNotFromHere("POST", new Headers({ host: "takt.plant:3000", "content-type": "application/json", ...headers }));

describe("whyNotFromHere", () => {
  it("lets this app's own pages and programs pass", () => {
    expect(post({})).toBeNull();
    expect(post({ origin: "http://takt.plant:3000", "sec-fetch-site": "same-origin" })).toBeNull();
    expect(post({ origin: "https://mes.plant", "x-forwarded-host": "mes.plant" })).toBeNull();
  });
  it("refuses other sites", () => {
    expect(post({ "sec-fetch-site": "cross-site" })).toContain("another site");
    expect(post({ "sec-fetch-site": "same-site" })).toContain("another site");
    expect(post({ origin: "http://evil.example" })).toContain("another address");
    expect(post({ origin: "null" })).toContain("another address");
    expect(post({ origin: "http://takt.plant:3001" })).toContain("another address");
  });
  it("refuses what a form can send", () => {
    expect(post({ "content-type": "text/plain" })).toContain("JSON");
    expect(post({ "content-type": "application/x-www-form-urlencoded" })).toContain("JSON");
  });
  it("takes files where they are wanted, and never as a form sends them", () => {
    const upload = (type: string, takes: string[]) => whyNotFromHere("POST", new Headers({ host: "takt.plant:3000", "content-type": type }), takes);
    expect(upload("text/csv; charset=utf-8", ["text/csv"])).toBeNull();
    expect(upload("application/json", ["text/csv"])).toContain("text/csv");
    for (const type of ["text/plain", "multipart/form-data; boundary=x", ""]) expect(upload(type, ["text/csv", type.split(";")[0] ?? ""]), type).not.toBeNull();
  });
  it("leaves reading alone", () => expect(whyNotFromHere("GET", new Headers({ "sec-fetch-site": "cross-site" }))).toBeNull());
});

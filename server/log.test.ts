import { describe, expect, it } from "vitest";
import { saidIn } from "./log.ts";

describe("saidIn", () => {
  it("finds the fault, and takes the framework's sign for no words", () => {
    const error = new Error("no");
    expect(saidIn(["\u001b[31m⨯\u001b[39m", error])).toEqual({ error, text: "a page failed" });
    expect(saidIn([error])).toEqual({ error, text: "a page failed" });
    expect(saidIn(["Failed to prepare server", error, { port: 3000 }])).toEqual({ error, text: "Failed to prepare server { port: 3000 }" });
  });

  it("keeps no address below its first part", () => {
    const of = (text: string) => saidIn([text]).text;
    expect(of("Failed to handle request for /display/abc.def?token=1")).toBe("Failed to handle request for /display");
    expect(of('no such page "/a/b/c", and /?secret#x')).toBe('no such page "/a", and /');
    expect(of("one/two and https://takt.example/a are left")).toBe("one/two and https://takt.example/a are left");
  });
});

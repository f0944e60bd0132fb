import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { whyNotThisHost } from "./host.ts";

describe("whyNotThisHost", () => {
  it("without PUBLIC_URL takes the names of this machine, at any port", () => {
    for (const host of ["localhost", "localhost:3000", "LOCALHOST:8080", "takt.localhost:3000", "127.0.0.1:3000", "127.1.2.3", "[::1]:3000"])
      expect(whyNotThisHost(host, null), host).toBeNull();
  });

  it("without PUBLIC_URL refuses everything else, and says what to set", () => {
    for (const host of ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "192.168.1.20:3000", "0.0.0.0:3000", "[2001:db8::1]:3000"])
      expect(whyNotThisHost(host, null), host).toContain("PUBLIC_URL");
  });

  it("with PUBLIC_URL takes its host alone", () => {
    const at = "https://takt.example.com";
    for (const host of ["takt.example.com", "Takt.Example.COM", "takt.example.com:443"]) expect(whyNotThisHost(host, at), host).toBeNull();
    for (const host of [
      "takt.example.com:80",
      "takt.example.com:3000",
      "example.com",
      "evil.example",
      "localhost:3000",
      "127.0.0.1",
      "takt.example.com.evil.example",
    ])
      expect(whyNotThisHost(host, at), host).toContain(at);
    expect(whyNotThisHost("10.0.0.5:3000", "http://10.0.0.5:3000")).toBeNull();
    expect(whyNotThisHost("10.0.0.5", "http://10.0.0.5")).toBeNull();
    expect(whyNotThisHost("10.0.0.5:443", "http://10.0.0.5")).not.toBeNull();
    expect(whyNotThisHost("[2001:DB8::1]", "https://[2001:db8::1]")).toBeNull();
  });

  it("refuses what is no host, and never throws", () => {
    for (const host of [
      undefined,
      "",
      "a b",
      "takt.example.com/x",
      "user@takt.example.com",
      "takt.example.com, evil.example",
      "<script>",
      "localhost:99999999",
    ])
      expect(whyNotThisHost(host, "https://takt.example.com"), host).not.toBeNull();
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.constantFrom(null, "https://takt.example.com"), (host, at) => {
        const why = whyNotThisHost(host, at);
        expect(why === null || why.length > 20).toBe(true);
      }),
    );
  });
});

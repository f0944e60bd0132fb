import { describe, expect, it } from "vitest";
import { addressOf, networkOf } from "./address.ts";

process.env.AUTH_SECRET = "a secret of the tests that is long enough";
process.env.TRUSTED_PROXIES = "10.0.0.5, 192.168.1.0/24, fd00::/8";

const from = (peer: string | null, forwarded?: string) =>
  addressOf(new Headers({ ...(peer === null ? {} : { "x-takt-peer": peer }), ...(forwarded === undefined ? {} : { "x-forwarded-for": forwarded }) }));

describe("addressOf", () => {
  it("is the connection's address, whatever the client says of itself", () => {
    expect(from("203.0.113.9")).toBe("203.0.113.9");
    expect(from("203.0.113.9", "1.2.3.4")).toBe("203.0.113.9");
    expect(from("::ffff:203.0.113.9", "1.2.3.4")).toBe("203.0.113.9");
    expect(from("10.0.0.6", "1.2.3.4")).toBe("10.0.0.6");
  });
  it("is what the named proxies say, read from the end: what the client put before it does not count", () => {
    expect(from("10.0.0.5", "198.51.100.7")).toBe("198.51.100.7");
    expect(from("10.0.0.5", "6.6.6.6, 198.51.100.7, 192.168.1.20")).toBe("198.51.100.7");
    expect(from("fd00::1", "2001:db8::1")).toBe("2001:db8::1");
    expect(from("10.0.0.5", "192.168.1.9")).toBe("192.168.1.9");
    expect(from("10.0.0.5")).toBe("10.0.0.5");
    expect(from("10.0.0.5", "' or 1=1")).toBe("10.0.0.5");
  });
  it("is unknown where there is no connection", () => {
    expect(from(null, "1.2.3.4")).toBeNull();
    expect(from("", "1.2.3.4")).toBeNull();
  });
});

describe("networkOf", () => {
  it.each([
    ["203.0.113.9", "203.0.113.9"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:DB8:1:2::6", "2001:db8:1:2::/64"],
    ["2001:0db8:0001:0002::", "2001:db8:1:2::/64"],
    ["::1", "0:0:0:0::/64"],
    ["fe80::1", "fe80:0:0:0::/64"],
  ])("%s is in %s", (address, network) => expect(networkOf(address)).toBe(network));
});

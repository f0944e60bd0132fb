import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { certificateIn } from "./certificate-text.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const block = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----";

describe("certificateIn", () => {
  it("takes the first certificate of a file, and nothing else of it", () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const key = String(privateKey.export({ type: "pkcs8", format: "pem" }));
    const found = certificateIn(bytes(`${key}subject=CN=gw\n${block}\n${block.replace("MIIB", "MIIC")}\n`));
    expect(found).toEqual({ pem: block });
  });

  it("takes no private key, as text or in DER", () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    expect(certificateIn(bytes(String(privateKey.export({ type: "pkcs8", format: "pem" }))))).toBe("key");
    expect(certificateIn(privateKey.export({ type: "pkcs8", format: "der" }))).toBe("key");
    expect(certificateIn(privateKey.export({ type: "sec1", format: "der" }))).toBe("key");
  });

  it("takes a certificate in DER as Base64", () => {
    const der = Uint8Array.from([0x30, 0x82, 0x01, 0x02, 0x30, 0x81, 0x05]);
    expect(certificateIn(der)).toEqual({ pem: "MIIBAjCBBQ==" });
  });

  it.each([
    ["nothing", ""],
    ["a picture", "\u0089PNG"],
    ["a large one", `${block.replace("MIIB", "A".repeat(20_000))}`],
  ])("none: %s", (_, text) => expect(certificateIn(bytes(text))).toBe("none"));
});

/** What a device's certificate says of it. */
import { X509Certificate } from "node:crypto";
import { Refusal } from "#/server/errors.ts";

/** identity: common name, which the broker takes for the user name. fingerprint: SHA-256 of the certificate, 64 hexadecimal digits. expires: instant. */
export type CertificateFacts = { identity: string; fingerprint: string; expires: string; from: string; issuer: string; serial: string };

/** pem: text with one certificate in it, as PEM or Base64 of DER. @throws Refusal INVALID */
export function readCertificate(pem: string): CertificateFacts {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem.includes("BEGIN") ? pem : Buffer.from(pem, "base64"));
  } catch {
    throw new Refusal(
      "INVALID",
      "This is no certificate. Paste the text of the device's certificate, from -----BEGIN CERTIFICATE----- on; never its private key.",
    );
  }
  const identity = /^CN=(.*)$/m.exec(certificate.subject)?.[1]?.trim() ?? "";
  if (identity === "") throw new Refusal("INVALID", "This certificate has no common name (CN), so the broker cannot tell whose it is.");
  return {
    identity,
    fingerprint: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
    expires: new Date(certificate.validTo).toISOString().replace(".000Z", "Z"),
    from: new Date(certificate.validFrom).toISOString().replace(".000Z", "Z"),
    issuer: certificate.issuer.replaceAll("\n", ", "),
    serial: certificate.serialNumber,
  };
}

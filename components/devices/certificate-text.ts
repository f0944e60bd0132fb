/** What a chosen file holds, before anything of it leaves the browser: of a private key nothing ever does. Pure. */

/** PEM: the first certificate of the file, the device's own where the chain follows it. DER: as Base64. */
export type CertificateFound = { pem: string } | "key" | "none";

/** No certificate is larger. */
const mostBytes = 12_000;

export function certificateIn(bytes: Uint8Array): CertificateFound {
  const text = new TextDecoder("latin1").decode(bytes);
  const [block] = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/.exec(text) ?? [];
  if (block !== undefined) return block.length <= mostBytes ? { pem: block } : "none";
  if (/PRIVATE KEY-----/.test(text)) return "key";
  // DER begins with a sequence; so does a key in DER, whose first element is a number and not another sequence.
  if (bytes[0] !== 0x30 || bytes.length > mostBytes) return "none";
  const lengthBytes = (bytes[1] ?? 0) & 0x80 ? (bytes[1] ?? 0) & 0x7f : 0;
  if (bytes[2 + lengthBytes] !== 0x30) return "key";
  return { pem: btoa(String.fromCharCode(...bytes)) };
}

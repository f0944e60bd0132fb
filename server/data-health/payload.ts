/** A set-aside payload in forms that people read. Pure. */

/** At most so many bytes go to a screen. */
export const mostShownBytes = 16_384;

/** text null: not UTF-8. decoded null: neither JSON nor Sparkplug; why says what stands in the way. cut: more was received than is shown. */
export type ShownPayload = { size: number; shown: number; cut: boolean; text: string | null; hex: string; decoded: string | null; why: string | null };

/** Control characters but line breaks and tabs would be invisible, or worse. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const controls = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/g;
const visible = (text: string) => text.replace(controls, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** `decodeSparkplug` throws where the bytes are no Sparkplug payload. */
export function showPayload(payload: Uint8Array, size: number, decodeSparkplug: ((bytes: Uint8Array) => unknown) | null): ShownPayload {
  const bytes = payload.subarray(0, mostShownBytes);
  const cut = size > bytes.length;
  return { size, shown: bytes.length, cut, text: textOf(bytes, cut), hex: hexDump(bytes.subarray(0, 4096)), ...decodedOf(payload, size, decodeSparkplug) };
}

function textOf(bytes: Uint8Array, cut: boolean): string | null {
  try {
    return visible(new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: cut })); // the cut may fall into a character
  } catch {
    return null;
  }
}

function decodedOf(payload: Uint8Array, size: number, decodeSparkplug: ((bytes: Uint8Array) => unknown) | null): Pick<ShownPayload, "decoded" | "why"> {
  if (size > payload.length) return { decoded: null, why: "Only its head was kept." };
  try {
    const value = decodeSparkplug ? decodeSparkplug(payload) : JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
    return { decoded: visible(JSON.stringify(value, plainValues, 2).slice(0, mostShownBytes)), why: null };
  } catch (error) {
    return { decoded: null, why: visible(error instanceof Error ? error.message : String(error)).slice(0, 300) };
  }
}

/** 64-bit numbers of protobuf and raw bytes, as JSON can say them. */
function plainValues(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value !== null && typeof value === "object" && "low" in value && "high" in value && "unsigned" in value) return String(value);
  return value;
}

/** Offset, 16 bytes, and what of them is printable. */
export function hexDump(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = [...bytes.subarray(at, at + 16)];
    const hex = row
      .map((byte) => byte.toString(16).padStart(2, "0"))
      .join(" ")
      .padEnd(47);
    const print = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".")).join("");
    lines.push(`${at.toString(16).padStart(6, "0")}  ${hex}  ${print}`);
  }
  return lines.join("\n");
}

/** The body of a request that is a file, no longer than it may be. */
import { Refusal } from "#/server/errors.ts";

/** Stops reading as soon as there is too much. @throws Refusal INVALID */
export async function bytesOf(request: Request, mostBytes: number): Promise<Uint8Array> {
  const tooLong = () => new Refusal("INVALID", `The file is too large; at most ${Math.floor(mostBytes / 1024 / 1024)} MB are read.`);
  if (Number(request.headers.get("content-length") ?? 0) > mostBytes) throw tooLong();
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of request.body ?? []) {
    length += part.length;
    if (length > mostBytes) throw tooLong();
    parts.push(part);
  }
  return new Uint8Array(Buffer.concat(parts, length));
}

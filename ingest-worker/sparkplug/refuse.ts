// Messages that are refused as they came.
import { parseState } from "./state.ts";
import type { StateTopic } from "./topic.ts";
import type { HostOutput, RefusalCode } from "./types.ts";

type Came = { topic: string; payload: Buffer };

export function refuse(out: HostOutput, { topic, payload }: Came, code: RefusalCode, reason: string, valueCount: number): void {
  out.refused.push({ topic, metric: null, payload, form: "message", code, reason, valueCount });
}

/** A fault of this host's own met one message. Nobody knows how many of its values were read, so it counts as one. */
export function refuseFailed(out: HostOutput, came: Came, error: unknown): void {
  refuse(out, came, "sparkplug_malformed", `The message could not be read: ${(error as Error).message}`, 1);
}

/** Other hosts come and go without any effect on this one. What is said of this host itself is OwnState's, at the connection. */
export function checkState(out: HostOutput, to: StateTopic, came: Came): void {
  if (came.payload.length === 0) return; // a retained state was cleared
  const state = parseState(came.payload);
  if (typeof state === "string") refuse(out, came, "sparkplug_malformed", `${state} It speaks of the host application ${to.hostId}.`, 1);
}

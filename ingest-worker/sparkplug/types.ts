// What a Sparkplug host application gives out: values, what links said of themselves, letters, commands.

/** A value as an edge sent it, before it is known which signal it belongs to. */
export type SparkplugValue = {
  /** group/node or group/node/device */
  address: string;
  /** Name of the metric; members of a template instance are name/member. */
  metric: string;
  /** Device time, ms since 1970 UTC; null: neither the metric nor its message had one. */
  at: number | null;
  /** null: the edge said that there is no value (is_null, or none sent). */
  value: number | string | boolean | null;
  /** Delivered as history (is_historical): not the newest state of affairs. */
  historical: boolean;
  /** false: the property "Quality" of the metric says bad or stale. */
  good: boolean;
  /** The edge asks not to keep it in a history (is_transient). */
  transient: boolean;
  /** Receipt of the message, ms; earlier than now where the message was held for its order or for its birth. */
  receivedAt: number;
};

/**
 * What a link said of itself, and what was seen missing on it. alive: true from `at` on, false from `at` on, null a remark.
 * history: a value of that instant was delivered as history while the link was dead; with alive true, the first of a time of which nothing else is known.
 */
export type LinkChange = {
  address: string;
  at: number;
  kind: "birth" | "death" | "offline" | "sequence_gap" | "rebirth_requested" | "history";
  alive: boolean | null;
  detail: string;
};

/** The reason codes of letters that this host writes. */
export type RefusalCode = "sparkplug_malformed" | "sparkplug_unknown_alias" | "sparkplug_before_birth" | "sparkplug_type" | "value_not_finite";

/**
 * What could not become a value, with its reason for the plant engineer.
 * message: payload is a Sparkplug payload with the refused metrics alone (or the whole message where it could not be read), metric is null;
 * `onRetry` takes it again.
 * value: payload is {"ts","value"} of one metric, topic is spBv1.0/<address>.
 */
export type Refused = {
  topic: string;
  metric: string | null;
  payload: Buffer;
  form: "message" | "value";
  code: RefusalCode;
  reason: string;
  valueCount: number;
};

/** To be published as it stands. */
export type Command = { topic: string; payload: Buffer; qos: 0 | 1; retain: boolean };

/** Every metric of every message ends in exactly one of values, refused, duplicates, repeats, own, or is held for a later output. */
export type HostOutput = {
  values: SparkplugValue[];
  links: LinkChange[];
  refused: Refused[];
  commands: Command[];
  /** Metrics of messages that had come before, byte for byte. */
  duplicates: number;
  /** Metrics of a type that cannot be kept (`sparkplug_type`), refused once since their birth: these are set aside without a letter of their own. */
  repeats: number;
  /** Metrics that are the protocol's own: bdSeq, Node Control/..., Device Control/..., template definitions. */
  own: number;
};

export const emptyOutput = (): HostOutput => ({ values: [], links: [], refused: [], commands: [], duplicates: 0, repeats: 0, own: 0 });

export type HostOptions = {
  /** Name of this host application, unique in the plant. */
  hostId: string;
  /** How long a missing sequence number is waited for, ms. 0: not at all. */
  reorderTimeoutMs?: number;
  /** Least time between two rebirth requests to one edge node, ms; doubled with each that was not answered, up to 5 min. */
  rebirthThrottleMs?: number;
  /** Most rebirth requests a second to all edge nodes together. */
  rebirthsPerS?: number;
  /** How long messages of an edge node or device without a birth are kept for it, ms. */
  birthWaitMs?: number;
  maxNodes?: number;
  maxDevicesPerNode?: number;
  /** Metrics of all births together. */
  maxMetrics?: number;
  /** Messages held for one edge node, for their order and for their birth, each. At most 128: beyond that order cannot be told from a sequence of 256. */
  maxHeldMessages?: number;
  /** Bytes held for one edge node. */
  maxHeldBytes?: number;
  /** Bytes held for all edge nodes. */
  maxHeldBytesTotal?: number;
};

/** 2 s: the specification names a couple of seconds; the limits keep the host below some 250 MB at their worst. */
export const defaults: Required<Omit<HostOptions, "hostId">> = {
  reorderTimeoutMs: 2_000,
  rebirthThrottleMs: 10_000,
  rebirthsPerS: 100,
  birthWaitMs: 60_000,
  maxNodes: 5_000,
  maxDevicesPerNode: 2_000,
  maxMetrics: 500_000,
  maxHeldMessages: 128,
  maxHeldBytes: 4 * 1024 * 1024,
  maxHeldBytesTotal: 64 * 1024 * 1024,
};

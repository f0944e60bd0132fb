/**
 * What may be typed where a topic, a topic filter or a publisher's address is asked for. A topic is the bytes that it is written with: a broker compares them, and so
 * does Takt wherever it asks whose a topic is. So it is kept as it was typed or refused, never tidied up. Sentences go on after the topic in quotes; null: it is good.
 */
import { isDisguised } from "./naming.ts";
import { filtersOverlap } from "./topic-filter.ts";

/** What nobody sees, and spaces that are none of the keyboard's. U+2800: the empty pattern of Braille. */
const unseen = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{White_Space}/u;

/** Of any text that a broker or a publisher says: a topic, an identity, the address of a publisher. */
export function whyNoBrokerText(text: string): string | null {
  if (unseen.test(text)) return "it has characters in it that cannot be seen, or spaces other than plain ones; type it anew";
  if (text.startsWith(" ") || text.endsWith(" ")) return "it begins or ends with a space, and would be something else than without it";
  if (text.normalize("NFC") !== text || isDisguised(text)) return "some of its letters are others than they look like; type it anew, with one alphabet";
  return null;
}

/** Of an MQTT topic filter. One that begins with / is another topic than without, and publishers have such. */
export function whyNoFilter(filter: string): string | null {
  const levels = filter.split("/");
  if (filter.startsWith("$")) return "topics that begin with $ belong to the broker";
  if (levels.slice(0, -1).some((level) => level.includes("#")) || (filter.includes("#") && levels.at(-1) !== "#"))
    return "# must be the last level of a topic filter, and alone in it";
  if (levels.some((level) => level.includes("+") && level !== "+")) return "+ must be alone in its level of a topic filter";
  if (levels.slice(1).includes("")) return "it has an empty level: no // in it, and no / at its end";
  if (Buffer.byteLength(filter) > 65_535) return "this is no MQTT topic";
  return whyNoBrokerText(filter);
}

/** Where host applications say that they are there: of Sparkplug 3, and of 2. */
const hostStates = ["spBv1.0/STATE/+", "STATE/+"];
const isOfHosts = (filter: string) => filter === "STATE" || filter.startsWith("STATE/") || filter === "spBv1.0/STATE" || filter.startsWith("spBv1.0/STATE/");

/** Below takt/ there is takt/v1/<site>; all else is for what Takt itself publishes. */
const isTakts = (filter: string) => {
  const [first, second, third] = filter.split("/");
  return first === "takt" && (second !== "v1" || third === undefined);
};
const taktsOwn = "below takt/ there is takt/v1/<site> for machines and devices; the rest is Takt's own";
const hostsOwn = "there Takt says to Sparkplug nodes that it is there; nobody else does";

export const whyOwn = "Takt itself publishes there";

/** Of a filter that a device is given to publish to. own: topics that Takt itself publishes to besides. */
export function whyNotToPublish(filter: string, own: readonly string[] = []): string | null {
  if (filter.startsWith("#") || filter.startsWith("+")) return "a device has topics of its own: begin with their first level";
  if (isTakts(filter)) return taktsOwn;
  if (isOfHosts(filter)) return hostsOwn;
  if (hostStates.some((states) => filtersOverlap(filter, states))) return "it reaches spBv1.0/STATE, where Takt says that it is there: name the group";
  return own.some((topic) => filtersOverlap(filter, topic)) ? whyOwn : null;
}

/** Of a filter whose messages are read into a signal. */
export function whyNotToMap(filter: string): string | null {
  if (isTakts(filter)) return taktsOwn;
  if (isOfHosts(filter)) return hostsOwn;
  return filter.startsWith("spBv1.0/") ? "what Sparkplug publishes is no JSON: give its descriptor (group/node/device) and a metric" : null;
}

/** Of the address of a Sparkplug publisher: group/node or group/node/device. */
export function whyNoDescriptor(address: string): string | null {
  if (!/^[^/+#]+\/[^/+#]+(\/[^/+#]+)?$/.test(address)) return `"${address}" is no Sparkplug address: it is group/node or group/node/device, without + and #`;
  if (address.startsWith("STATE/")) return `"${address}" is no Sparkplug address: no group is called STATE`;
  const why = whyNoBrokerText(address);
  return why === null ? null : `"${address}": ${why}`;
}

/** Takt's own programs are called so at the broker: takt-ingest, takt-jobs, and what is set up beside them. */
const isProgram = (identity: string) => /^takt($|[-_. ])/i.test(identity);

/** Of the name by which the broker knows a device. */
export function whyNoIdentity(identity: string): string | null {
  return isProgram(identity) ? "names that begin with takt are those of Takt's own programs at the broker" : whyNoBrokerText(identity);
}

/**
 * What Mosquitto is told of the devices. Who a device is, its certificate says: signed by the plant's authority, its common name is the user name
 * (use_identity_as_username) and the client id (use_username_as_clientid), so no device can speak as, or cut off, another one. What it may publish and read, the
 * list of rights says; who is not in it may neither. Mosquitto knows no fingerprints: a certificate that was replaced or stolen is taken back by the
 * authority's revocation list (crlfile). Pure.
 */
import { whyNotToPublish } from "#/server/domain/topic-rules.ts";
import type { DeviceRow } from "./queries.ts";

type Device = Pick<DeviceRow, "address" | "identity" | "topics">;

/**
 * What can be told to Mosquitto, and what is left out, in sentences. Mosquitto reads its list line by line and overlooks spaces at the edges, so that a topic or a
 * name that is stored with them would be another one there than the one that rights were asked for; rules for what is typed refuse these, and here is the last look.
 * programs: as for `accessList`. own: topics that Takt itself publishes to.
 */
export function admitted<Of extends Device>(devices: readonly Of[], programs: readonly string[], own: readonly string[]): { devices: Of[]; leftOut: string[] } {
  const leftOut: string[] = [];
  const found = devices.flatMap((device) => {
    const why = programs.includes(device.identity) ? "--program names it: the device could then read and write everything" : whyMisread(device.identity);
    if (why !== null) {
      leftOut.push(`The device ${device.address} is left out, because of its identity "${device.identity}": ${why}.`);
      return [];
    }
    const topics = device.topics.filter((topic) => {
      const trouble = whyMisread(topic) ?? whyNotToPublish(topic, own);
      if (trouble !== null) leftOut.push(`A topic of the device ${device.address} is left out, "${topic}": ${trouble}.`);
      return trouble === null;
    });
    return [{ ...device, topics }];
  });
  return { devices: found, leftOut };
}

const whyMisread = (text: string) =>
  text !== text.trim() || text === "" || /\p{Cc}/u.test(text) ? "it begins or ends with a space, or has control characters in it; type it anew" : null;

/** devices: as `admitted` gives them. programs: user names (of certificates or passwords) of Takt's own workers and of others that may read and write everything. */
export function accessList(devices: readonly Device[], programs: readonly string[]): string {
  const lines = [
    "# Written by `npm run broker -- write`; changes by hand are lost at the next time.",
    "# Who is not named here may do nothing.",
    ...programs.flatMap((name) => ["", `# program`, `user ${name}`, "topic readwrite #", "topic read $SYS/broker/uptime"]), // # leaves out what begins with $
    ...[...devices]
      .sort((a, b) => (a.address < b.address ? -1 : 1))
      .flatMap((device) => ["", `# device ${device.address}`, `user ${device.identity}`, ...device.topics.flatMap(rights)]),
  ];
  return `${lines.join("\n")}\n`;
}

/** A Sparkplug node also hears commands to itself, and whether its host is there. */
function rights(topic: string): string[] {
  if (!topic.startsWith("spBv1.0/")) return [`topic write ${topic}`];
  const [, group = "+", , ...node] = topic.split("/");
  const own = node.length === 0 ? "#" : node.join("/");
  return [`topic write ${topic}`, `topic read spBv1.0/${group}/NCMD/${own}`, `topic read spBv1.0/${group}/DCMD/${own}`, "topic read spBv1.0/STATE/#"];
}

export type BrokerPaths = { accessFile: string; port: number; caFile: string; certFile: string; keyFile: string; crlFile: string | null };

/** A listener for devices, to be included by mosquitto.conf (include_dir), or a whole configuration by itself. */
export function brokerConfiguration({ accessFile, port, caFile, certFile, keyFile, crlFile }: BrokerPaths): string {
  return `# Written by \`npm run broker -- write\`. After a change of the list of rights: kill -HUP of the broker; after one of this file: restart.
# For all listeners. With per_listener_settings true, Mosquitto 2.0 keeps no messages for a session that is away: leave it false.
per_listener_settings false
allow_anonymous false
acl_file ${accessFile}

# Devices, by TLS with a certificate of their own.
listener ${port}
cafile ${caFile}
certfile ${certFile}
keyfile ${keyFile}
require_certificate true
# Its certificate's common name is who a device is, whatever it says itself:
use_identity_as_username true
use_username_as_clientid true
tls_version tlsv1.2
${
  crlFile === null
    ? "# No revocation list: a certificate that was stolen or replaced is taken until it expires. Give one with --crl.\n# crlfile /etc/mosquitto/revoked.crl"
    : `# Certificates that were taken back. It must hold a list of every authority in cafile, and be renewed before it runs out.\ncrlfile ${crlFile}`
}
`;
}

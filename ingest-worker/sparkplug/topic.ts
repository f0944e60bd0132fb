// Topics of the namespace spBv1.0: spBv1.0/<group>/<type>/<node>[/<device>], spBv1.0/STATE/<host>, and the older STATE/<host>.

export type NodeMessageType = "NBIRTH" | "NDEATH" | "NDATA" | "NCMD";
export type DeviceMessageType = "DBIRTH" | "DDEATH" | "DDATA" | "DCMD";
export type EdgeTopic = { type: NodeMessageType | DeviceMessageType; nodeAddress: string; group: string; node: string; device: string | null; address: string };
export type StateTopic = { type: "STATE"; hostId: string; legacy: boolean };

const nodeTypes: readonly string[] = ["NBIRTH", "NDEATH", "NDATA", "NCMD"] satisfies NodeMessageType[];
const deviceTypes: readonly string[] = ["DBIRTH", "DDEATH", "DDATA", "DCMD"] satisfies DeviceMessageType[];

/** The parts of a topic, or a sentence that says why it is none of Sparkplug's. Case matters in every part. */
export function parseTopic(topic: string): EdgeTopic | StateTopic | string {
  if (/\p{Cc}|\uFFFD/u.test(topic)) return "The topic has control characters, or characters that are not UTF-8.";
  if (/[+#]/.test(topic)) return "The topic has a + or # in it, which are no part of a name.";
  const parts = topic.split("/");
  const [namespace, group, type, node, device] = parts;
  if (parts.some((part) => part === "")) return "The topic has an empty level.";
  if (namespace === "STATE")
    return parts.length === 2 && group !== undefined ? { type: "STATE", hostId: group, legacy: true } : "A STATE topic is STATE/<host>.";
  if (namespace !== "spBv1.0") return "The topic does not begin with spBv1.0.";
  if (group === "STATE")
    return parts.length === 3 && type !== undefined ? { type: "STATE", hostId: type, legacy: false } : "A STATE topic is spBv1.0/STATE/<host>.";
  if (group === undefined || type === undefined || node === undefined) return "The topic is shorter than spBv1.0/<group>/<type>/<node>.";
  const nodeAddress = `${group}/${node}`;
  if (isOf(nodeTypes, type)) {
    if (parts.length !== 4) return `${type} is of an edge node: spBv1.0/<group>/${type}/<node>, without a device.`;
    return { type: type as NodeMessageType, nodeAddress, group, node, device: null, address: nodeAddress };
  }
  if (isOf(deviceTypes, type)) {
    if (device === undefined || parts.length !== 5) return `${type} is of a device: spBv1.0/<group>/${type}/<node>/<device>.`;
    return { type: type as DeviceMessageType, nodeAddress, group, node, device, address: `${nodeAddress}/${device}` };
  }
  return `"${type.slice(0, 40)}" is no Sparkplug message type (NBIRTH, NDEATH, NDATA, DBIRTH, DDEATH, DDATA, NCMD, DCMD, STATE).`;
}

/** group/node[/device] as the topic of its data; null: no such address. */
export function edgeOf(address: string): EdgeTopic | null {
  const [group, name, ...device] = address.split("/");
  if (!group || !name) return null;
  const to = parseTopic([`spBv1.0/${group}/${device.length > 0 ? "DDATA" : "NDATA"}/${name}`, ...device].join("/"));
  return typeof to !== "string" && (to.type === "NDATA" || to.type === "DDATA") ? to : null;
}

const isOf = (types: readonly string[], type: string) => types.includes(type);

/** Where a host application says whether it is there. */
export const stateTopic = (hostId: string): string => `spBv1.0/STATE/${hostId}`;

/** Where programs of Sparkplug 2.2 say it. */
export const legacyStateTopic = (hostId: string): string => `STATE/${hostId}`;

/** The topic of a value's letter: it names the source, not the message. */
export const sourceTopic = (address: string): string => `spBv1.0/${address}`;

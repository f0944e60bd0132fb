/** Devices: who connects to the broker, with what certificate, and when each was last heard of. They are changed as all of the plant is. */
import type { Db } from "#/server/db.ts";
import { type Actor, mayAt, type Scope } from "#/server/domain/permission.ts";
import { lastSeenBy } from "./last-seen.ts";
import { type DeviceRow, deviceRows, heardSources } from "./queries.ts";

/** A certificate is renewed in time: from here on it is shown as ending soon. */
export const soonDays = 30;

/** mismatch: it names another than the device's identity, and the broker refuses the device. none: nothing is known of it. */
export const certificateStates = ["valid", "ends_soon", "expired", "mismatch", "none"] as const;
export type CertificateState = (typeof certificateStates)[number];
export type ShownDevice = DeviceRow & {
  certificate: CertificateState /** Newest receipt of what it may have sent; null: never heard. */;
  lastSeenAt: number | null;
  mayChange: boolean;
};

type Certified = Pick<DeviceRow, "identity" | "certificateName" | "expiresAt">;

export const certificateState = ({ identity, certificateName, expiresAt }: Certified, now: Date): CertificateState => {
  if (certificateName !== null && certificateName !== identity) return "mismatch";
  if (expiresAt === null) return "none";
  if (expiresAt <= now.getTime()) return "expired";
  return expiresAt <= now.getTime() + soonDays * 86_400_000 ? "ends_soon" : "valid";
};

export async function listDevices(db: Db, { actor, scope, now }: { actor: Actor; scope: Scope; now: Date }): Promise<ShownDevice[]> {
  const sites = scope.sites === "all" ? null : [...scope.sites];
  const [devices, heard] = await Promise.all([deviceRows(db, sites), heardSources(db, sites)]);
  const lastSeen = lastSeenBy(heard);
  return devices.map((device) => ({
    ...device,
    certificate: certificateState(device, now),
    lastSeenAt: lastSeen(device.topics),
    mayChange: mayAt(actor, "device.change", device.siteId),
  }));
}

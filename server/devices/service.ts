/** Devices: who connects to the broker, with what certificate, and when each was last heard of. They are changed as all of the plant is. */
import type { Db } from "#/server/db.ts";
import { type Actor, mayAt, type Scope } from "#/server/domain/permission.ts";
import { lastSeenBy } from "./last-seen.ts";
import { type DeviceRow, deviceRows, heardSources } from "./queries.ts";

/** A certificate is renewed in time: from here on it is shown as ending soon. */
export const soonDays = 30;

export type CertificateState = "none" | "valid" | "ends_soon" | "expired";
export type ShownDevice = DeviceRow & {
  certificate: CertificateState /** Newest receipt of what it may have sent; null: never heard. */;
  lastSeenAt: number | null;
  mayChange: boolean;
};

export const certificateState = (expiresAt: number | null, now: Date): CertificateState => {
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
    certificate: certificateState(device.expiresAt, now),
    lastSeenAt: lastSeen(device.topics),
    mayChange: mayAt(actor, "device.change", device.siteId),
  }));
}

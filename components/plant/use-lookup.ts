"use client";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTRPC } from "#/components/frame/trpc.ts";
import type { Kind } from "#/server/plant/items.ts";
import type { Lookup } from "./forms.ts";

export type Choice = { value: string; label: string };
/** Where the thing stands whose form asks: its site, its line's address, and the site's time zone, where that is known. */
export type Place = { site: string | null; line: string | null; zone: string | null };

const typical = {
  machineKinds: [
    "machine",
    "press",
    "injection_moulding",
    "cnc",
    "lathe",
    "mill",
    "filler",
    "capper",
    "labeller",
    "packer",
    "palletiser",
    "oven",
    "robot",
    "conveyor",
    "extruder",
  ],
  units: ["1", "Cel", "K", "bar", "kPa", "mm", "mm/s", "m/min", "kg", "g", "l", "l/min", "m3/h", "Hz", "rpm", "A", "V", "kW", "kWh", "%", "s"],
} as const;

const kindOf: Partial<Record<Lookup, Kind>> = {
  productLines: "product_line",
  products: "product",
  patterns: "shift_pattern",
  shifts: "shift",
  reasons: "reason",
  sources: "source",
  lines: "line",
  machinesOfLine: "machine",
  machinesOfSite: "machine",
};

/** What a field may be set to, with what people call it. */
export function useLookup(of: Lookup, place: Place): readonly Choice[] {
  const trpc = useTRPC();
  const kind = kindOf[of];
  const under = of === "machinesOfLine" ? place.line : of === "products" || of === "productLines" ? null : place.site;
  const listed = useQuery(
    trpc.plant.list.queryOptions({ kind: kind ?? "product", ...(under === null ? {} : { under }) }, { enabled: kind !== undefined, staleTime: 30_000 }),
  );
  return useMemo(() => {
    switch (of) {
      case "zones":
        return ["UTC", ...Intl.supportedValuesOf("timeZone").filter((zone) => zone.includes("/"))].map((value) => ({
          value,
          label: value.replaceAll("_", " "),
        }));
      case "currencies": {
        const names = new Intl.DisplayNames(undefined, { type: "currency" });
        return Intl.supportedValuesOf("currency").map((value) => ({ value, label: `${value} · ${names.of(value) ?? ""}` }));
      }
      case "machineKinds":
      case "units":
        return typical[of].map((value) => ({ value, label: value }));
      default:
        return (listed.data?.rows ?? []).map((row) => {
          const value = referredTo(of, row.address);
          const name = String(row.fields.name ?? value);
          return { value, label: name === value ? value : `${name} · ${value}` };
        });
    }
  }, [of, listed.data]);
}

/** As the plant file refers to it: below its site, or by its key alone. */
function referredTo(of: Lookup, address: string): string {
  const parts = address.split("/");
  switch (of) {
    case "lines":
    case "machinesOfSite":
    case "shifts":
      return parts.slice(1).join("/");
    case "patterns":
    case "reasons":
    case "machinesOfLine":
      return parts.at(-1) ?? address;
    default:
      return address;
  }
}

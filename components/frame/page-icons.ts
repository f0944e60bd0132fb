"use client";
import {
  IconActivityHeartbeat,
  IconBuildingFactory2,
  IconCpu,
  IconDeviceTablet,
  IconDeviceTv,
  IconFileImport,
  IconHistory,
  IconKey,
  IconLayoutGrid,
  IconUser,
  IconUsers,
} from "@tabler/icons-react";

/** The sign of each page, in the navigation and in the palette. */
export const pageIcons = {
  lines: IconLayoutGrid,
  dataHealth: IconActivityHeartbeat,
  plant: IconBuildingFactory2,
  import: IconFileImport,
  devices: IconCpu,
  people: IconUsers,
  screens: IconDeviceTv,
  terminals: IconDeviceTablet,
  tokens: IconKey,
  audit: IconHistory,
  account: IconUser,
} as const;

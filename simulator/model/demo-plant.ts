// The plant of the demo: two sites in two zones, 5 lines, 30 machines.
import { berlin } from "#/simulator/model/berlin.ts";
import { chicago } from "#/simulator/model/chicago.ts";
import type { PlantDef } from "#/simulator/model/definition.ts";

export const demoPlant: PlantDef = {
  enterprise: { key: "meridian", name: "Meridian Components" },
  productLines: [
    {
      key: "brackets",
      name: "Brackets and hinges",
      products: [
        { key: "bracket-l", name: "Bracket, left" },
        { key: "bracket-r", name: "Bracket, right" },
        { key: "hinge-plate", name: "Hinge plate" },
      ],
    },
    {
      key: "closures",
      name: "Closures",
      products: [
        { key: "cap-28", name: "Cap 28 mm" },
        { key: "cap-38", name: "Cap 38 mm" },
        { key: "closure-ring", name: "Closure ring" },
      ],
    },
    {
      key: "drinks",
      name: "Drinks",
      products: [
        { key: "water-05", name: "Water 0.5 l" },
        { key: "water-10", name: "Water 1.0 l" },
        { key: "tea-05", name: "Iced tea 0.5 l" },
      ],
    },
    {
      key: "fluid-parts",
      name: "Pumps and valves",
      products: [
        { key: "pump-housing", name: "Pump housing" },
        { key: "valve-body", name: "Valve body" },
        { key: "flange", name: "Flange" },
      ],
    },
    {
      key: "kits",
      name: "Service kits",
      products: [
        { key: "kit-small", name: "Service kit, small" },
        { key: "kit-large", name: "Service kit, large" },
      ],
    },
  ],
  sites: [berlin, chicago],
};

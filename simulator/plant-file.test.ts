import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readPlantFile } from "#/server/plant/read-file.ts";
import { loadPlantText } from "#/simulator/load/plant.ts";
import { placedMachines } from "#/simulator/model/definition.ts";
import { demoPlant } from "#/simulator/model/demo-plant.ts";
import { loadPlant } from "#/simulator/model/load-plant.ts";
import { aboutDemoPlant, plantFileText } from "#/simulator/plant-file.ts";

const here = (name: string) => readFileSync(join(import.meta.dirname, name), "utf8");
const read = (text: string) => {
  const { plant, complaints } = readPlantFile(text);
  expect(complaints).toEqual([]);
  if (!plant) throw new Error("no plant");
  return plant;
};

describe("the plant file of the demo", () => {
  it("is what the simulator publishes: write it again with `npm run -s simulate -- --print-plant > simulator/plant.yaml`", () => {
    expect(here("plant.yaml")).toBe(plantFileText(demoPlant, aboutDemoPlant));
  });

  it("is a plant that Takt takes, with every machine and signal of the simulator", () => {
    const plant = read(here("plant.yaml"));
    const inFile = plant.sites.flatMap((site) =>
      site.areas.flatMap((area) =>
        area.lines.flatMap((line) =>
          line.machines.flatMap((machine) => machine.signals.map((signal) => `${site.key}/${area.key}/${line.key}/${machine.key}/${signal.key}`)),
        ),
      ),
    );
    const simulated = placedMachines(demoPlant).flatMap(({ machinePath, machine }) => machine.signals.map(({ key }) => `${machinePath}/${key}`));
    expect(inFile).toEqual(simulated);
    expect(plant.sites).toHaveLength(2);
    expect(plant.sites.flatMap(({ areas }) => areas.flatMap(({ lines }) => lines))).toHaveLength(5);
    expect(placedMachines(demoPlant)).toHaveLength(30);
  });
});

describe("other plant files", () => {
  it("of the load plant are plants that Takt takes", () => {
    for (const form of ["single", "batched", "sparkplug"] as const) read(plantFileText(loadPlant(2, 3, form), "load"));
    for (const mode of ["single", "batch100", "sparkplug100"] as const) read(loadPlantText(mode, 2, 10));
  });

  it("of the replay example is a plant that Takt takes", () => {
    const plant = read(here("replay/sme.plant.yaml"));
    expect(plant.sites[0]?.areas[0]?.lines[0]?.machines.map(({ key }) => key)).toEqual(["asset-0", "asset-1"]);
  });
});

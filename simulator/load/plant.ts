// The plant file that fits the load: what the bench applies before it runs.
import { stringify } from "yaml";
import { nodeMetric } from "#/simulator/load/packets.ts";
import type { LoadMode } from "#/simulator/load/run.ts";
import { loadLineKey, loadPlant } from "#/simulator/model/load-plant.ts";
import { plantFileOf, plantFileText } from "#/simulator/plant-file.ts";

const about = "The load plant: written by node simulator/load.ts --print-plant.";

/** Plant file for a mode of the load publisher. For sparkplug100 each line is one edge node whose metrics are those of its machines. */
export function loadPlantText(mode: LoadMode, lines: number, machines: number): string {
  if (mode !== "sparkplug100") return plantFileText(loadPlant(lines, machines, mode === "single" ? "single" : "batched"), about);
  const plant = plantFileOf(loadPlant(lines, machines, "batched"));
  const sites = plant.sites.map((site) => ({
    ...site,
    sources: Array.from({ length: lines }, (_, n) => ({ form: "sparkplug", address: `load/${loadLineKey(n + 1)}` })),
    areas: site.areas.map((area) => ({
      ...area,
      lines: area.lines.map((line) => ({
        ...line,
        machines: line.machines.map((machine, n) => ({
          ...machine,
          source: `load/${line.key}`,
          signals: machine.signals.map((signal) => ({ ...signal, metric: nodeMetric(n + 1, signal.key) })),
        })),
      })),
    })),
  }));
  return `# ${about}\n${stringify({ ...plant, sites }, { lineWidth: 150, aliasDuplicateObjects: false })}`;
}

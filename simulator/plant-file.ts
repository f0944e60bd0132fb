// The plant file of a simulated plant: what `npm run plant -- apply` takes.
import { stringify } from "yaml";
import type { LineDef, MachineDef, PlantDef, ReasonDef, SignalDef, SiteDef } from "#/simulator/model/definition.ts";

/** The head of simulator/plant.yaml. */
export const aboutDemoPlant = `The simulated plant of the demo: two sites in two time zones, 5 lines, 30 machines.
Written by the simulator: npm run -s simulate -- --print-plant > simulator/plant.yaml`;

/** YAML text; `about` becomes the comment at its head. */
export const plantFileText = (plant: PlantDef, about: string): string =>
  `${about
    .split("\n")
    .map((row) => `# ${row}`)
    .join("\n")}\n${stringify(plantFileOf(plant), { lineWidth: 150, aliasDuplicateObjects: false })}`;

/** The plant as the plain object that the plant file holds. */
export const plantFileOf = (plant: PlantDef) => ({ enterprise: plant.enterprise, product_lines: plant.productLines, sites: plant.sites.map(siteOf) });

const siteOf = (site: SiteDef) => ({
  key: site.key,
  name: site.name,
  zone: site.zone,
  shift_patterns: site.patterns,
  reasons: site.reasons.map(reasonOf),
  teams: site.teams,
  ...(site.sources.length > 0
    ? { sources: site.sources.map(({ form, address, noDataTimeoutS }) => ({ form, address, no_data_timeout: `${noDataTimeoutS}s` })) }
    : {}),
  areas: site.areas.map((area) => ({ key: area.key, name: area.name, lines: area.lines.map(lineOf) })),
});

const reasonOf = (reason: ReasonDef): Record<string, unknown> => ({
  key: reason.key,
  name: reason.name,
  loss: reason.loss,
  ...(reason.faultCode ? { fault_code: reason.faultCode } : {}),
  ...(reason.reasons ? { reasons: reason.reasons.map(reasonOf) } : {}),
});

const lineOf = (line: LineDef) => ({
  key: line.key,
  name: line.name,
  ...(line.coupled
    ? { topology: "constraint", constraint_machine: line.coupled.constraint, last_machine: line.machines.at(-1)?.key }
    : { topology: "parallel" }),
  shift_pattern: line.pattern,
  machines: line.machines.map((machine, at) => machineOf(line, machine, at)),
});

function machineOf(line: LineDef, machine: MachineDef, at: number) {
  const upstream = line.coupled ? line.machines[at - 1]?.key : undefined;
  const downstream = line.coupled ? line.machines[at + 1]?.key : undefined;
  return {
    key: machine.key,
    name: machine.name,
    kind: machine.kind,
    ...(upstream ? { upstream } : {}),
    ...(downstream ? { downstream } : {}),
    ...sourceOf(line, machine),
    ideal_cycles: Object.entries(machine.cycleS).map(([product, seconds]) => ({ product, seconds: Number((seconds / machine.cavities).toFixed(4)) })),
    signals: machine.signals.map(signalOf),
  };
}

function sourceOf(line: LineDef, machine: MachineDef) {
  const timeout = machine.noDataTimeoutS === 60 ? {} : { no_data_timeout: `${machine.noDataTimeoutS}s` };
  if (line.edge) return { source: { form: "sparkplug", address: `${line.edge.group}/${line.edge.node}/${machine.key}`, ...timeout } };
  return Object.keys(timeout).length > 0 ? { source: timeout } : {};
}

const signalOf = (signal: SignalDef) => ({
  key: signal.key,
  name: signal.name,
  role: signal.role,
  ...(signal.unit ? { unit: signal.unit } : {}),
  ...(signal.scale !== undefined ? { scale: signal.scale } : {}),
  ...(signal.offset !== undefined ? { offset: signal.offset } : {}),
  ...(signal.counter ? { counter: signal.counter } : {}),
  ...(signal.modulus !== undefined ? { modulus: signal.modulus } : {}),
  ...(signal.periodS !== undefined ? { period: `${signal.periodS}s` } : {}),
  ...(signal.low !== undefined ? { low: signal.low } : {}),
  ...(signal.high !== undefined ? { high: signal.high } : {}),
  ...(signal.values ? { values: signal.values } : {}),
  ...(signal.metric ? { metric: signal.metric } : {}),
  ...(signal.mapped ? { source: signal.mapped.source, mapping: { topic: signal.mapped.topic, path: signal.mapped.path, ts_path: signal.mapped.tsPath } } : {}),
});

/**
 * The arguments of Node that start a program of ours: its flags, then its file. The flags are in node-flags.json, which run.mjs reads too.
 *
 * The ingest worker has some because its values live for a tenth of a second each: left alone, the heap finds 300 MB and more worth having. At 300,000
 * values/s it takes 205 MB with them, and 370 MB without, at the same rate (docs/benchmarks.md).
 */
import flags from "./node-flags.json" with { type: "json" };

export const nodeArgs = (entry: keyof typeof flags): string[] => [...flags[entry], entry];

/** What must hold for signals and their sources: fields that fit the role, addresses that are well formed, no topic or metric claimed twice. */
import { loneRoles, timeKey } from "#/server/domain/signal-suggestion.ts";
import { stateMeaning } from "#/server/domain/state.ts";
import { FilterIndex } from "#/server/domain/topic-filter.ts";
import { whyNoBrokerText, whyNoDescriptor, whyNoFilter, whyNotToMap } from "#/server/domain/topic-rules.ts";
import type { MachineEntry, SignalEntry, SiteEntry } from "./file.ts";
import { keyPattern } from "./file.ts";
import type { Broken, Path } from "./file-rules.ts";
import { didYouMean } from "./file-sentences.ts";

type SharedSources = ReadonlyMap<string, SiteEntry["sources"][number]>;
type SourceForm = SiteEntry["sources"][number]["form"];
/** One topic filter and path, or one metric of a Sparkplug publisher, that a signal takes its values from. */
export type Claim = { form: "json" | "sparkplug"; pattern: string; path: string; tsPath: string | null; signal: string; at: Path };

const textRoles: ReadonlySet<string> = new Set(["fault_code", "job", "product"]);

export function brokenSources(source: { form: SourceForm; address?: string | undefined }, path: Path): Broken[] {
  const { form, address } = source;
  if (address === undefined)
    return form === "json"
      ? []
      : [
          {
            path,
            sentence: `"address" is missing: a ${form} source needs one, ${form === "sparkplug" ? "such as group/node or group/node/device" : "any name"}`,
          },
        ];
  const trouble =
    form === "sparkplug"
      ? whyNoDescriptor(address)
      : form === "json" && !isMachinePath(address)
        ? "the address of a json source is site/area/line/machine: the machine below whose topic it says _online"
        : form === "mapped"
          ? whyNoName(address)
          : null;
  return trouble === null ? [] : [{ path: [...path, "address"], sentence: trouble }];
}

function whyNoName(address: string): string | null {
  const why = whyNoBrokerText(address);
  return why === null ? null : `"${address}": ${why}`;
}

const isMachinePath = (address: string) => address.split("/").length === 4 && address.split("/").every((segment) => keyPattern.test(segment));

export function brokenSignals(machine: MachineEntry, path: Path, shared: SharedSources): Broken[] {
  const broken: Broken[] = [];
  const known = [...shared.keys()];
  const whyUnknown = (address: string) => `this site has no source "${address}" under "sources"${didYouMean(address, known)}`;
  if (machine.source?.shared !== undefined) {
    if (!shared.has(machine.source.shared)) broken.push({ path: [...path, "source"], reference: true, sentence: whyUnknown(machine.source.shared) });
  } else if (machine.source) {
    broken.push(...brokenSources(machine.source, [...path, "source"]));
  }
  const lone = new Map<string, Path>();
  for (const [i, signal] of machine.signals.entries()) {
    const at = [...path, "signals", i];
    if (signal.source !== undefined && !shared.has(signal.source))
      broken.push({ path: [...at, "source"], reference: true, sentence: whyUnknown(signal.source) });
    const form = sourceOf(machine, signal, shared)?.form;
    if (signal.metric !== undefined && form !== undefined && form !== "sparkplug")
      broken.push({ path: [...at, "metric"], sentence: `"metric" is for signals of a Sparkplug source; this one is ${form}` });
    const other = lone.get(signal.role);
    if (other) broken.push({ path: [...at, "role"], other, sentence: `the machine has two signals with the role ${signal.role}` });
    else if (loneRoles.has(signal.role)) lone.set(signal.role, at);
    broken.push(...brokenFields(signal, at), ...brokenMappings(signal, form, at));
  }
  return broken;
}

export function brokenFields(signal: SignalEntry, path: Path): Broken[] {
  const broken: Broken[] = [];
  const isCount = signal.role.endsWith("_count");
  if (signal.key === timeKey)
    broken.push({ path: [...path, "key"], sentence: `a signal cannot be called "ts": in a message with many values that is the time` });
  for (const field of ["counter", "modulus"] as const) {
    if (signal[field] !== undefined && !isCount) broken.push({ path: [...path, field], sentence: `"${field}" is for counts; the role is ${signal.role}` });
  }
  if (signal.modulus !== undefined && signal.counter === "increment")
    broken.push({ path: [...path, "modulus"], sentence: `"modulus" is for cumulative counts: an increment does not roll over` });
  if (signal.dead_band !== undefined && signal.role !== "measurement")
    broken.push({ path: [...path, "dead_band"], sentence: `"dead_band" is for measurements; the role is ${signal.role}` });
  if (signal.keep_raw && signal.role !== "measurement" && signal.role !== "energy")
    broken.push({ path: [...path, "keep_raw"], sentence: `"keep_raw" is for measurements and energy; the values of a ${signal.role} are always kept` });
  if (signal.low !== undefined && signal.high !== undefined && signal.low >= signal.high)
    broken.push({ path: [...path, "low"], sentence: `"low" (${signal.low}) must be below "high" (${signal.high})` });
  if (textRoles.has(signal.role)) {
    for (const field of ["low", "high"] as const)
      if (signal[field] !== undefined) broken.push({ path: [...path, field], sentence: `"${field}" is for numbers; a ${signal.role} is text` });
  }
  for (const [from, to] of Object.entries(signal.values ?? {})) {
    const at = [...path, "values", from];
    if (signal.role === "state") {
      if (!stateMeaning({ value: null, text: String(to) }, null).known) {
        broken.push({
          path: at,
          sentence: `"${to}" is no state: a value becomes a PackML number (1 to 17) or name, or one of run, down, changeover, planned_stop, suspended`,
        });
      }
    } else if (!textRoles.has(signal.role) && typeof to !== "number") {
      broken.push({ path: at, sentence: `a value of a ${signal.role} becomes a number, but "${to}" is none` });
    }
  }
  return broken;
}

/** form: of the signal's source; undefined where the file names one that it lacks. */
function brokenMappings(signal: SignalEntry, form: SourceForm | undefined, path: Path): Broken[] {
  return signal.mapping.flatMap((mapping, i): Broken[] => {
    const at = [...path, "mapping", i];
    if ((mapping.topic === undefined) === (mapping.descriptor === undefined))
      return [{ path: at, sentence: `a mapping has either "topic" (with "path") or "descriptor" and "metric"` }];
    const isMetric = mapping.descriptor !== undefined;
    if (form !== undefined && isMetric !== (form === "sparkplug")) {
      const sentence = isMetric
        ? `a metric comes from a Sparkplug source, but the signal's source is ${form}: name the one that publishes ${mapping.descriptor} with "source"`
        : `a topic does not come from a Sparkplug source: name the one that publishes ${mapping.topic} with "source" (form: mapped, any name)`;
      return [{ path: [...at, isMetric ? "descriptor" : "topic"], sentence }];
    }
    if (mapping.topic !== undefined) {
      if (mapping.metric !== undefined) return [{ path: [...at, "metric"], sentence: `"metric" goes with "descriptor", not with "topic"` }];
      const trouble = whyNoFilter(mapping.topic) ?? whyNotToMap(mapping.topic);
      return trouble === null ? [] : [{ path: [...at, "topic"], sentence: `"${mapping.topic}": ${trouble}` }];
    }
    if (mapping.metric === undefined) return [{ path: at, sentence: `"metric" is missing: the name of the metric of ${mapping.descriptor}` }];
    if (mapping.path !== "" || mapping.ts_path !== undefined) return [{ path: at, sentence: `"path" and "ts_path" go with "topic", not with "descriptor"` }];
    const trouble = whyNoDescriptor(mapping.descriptor ?? "");
    return trouble === null ? [] : [{ path: [...at, "descriptor"], sentence: trouble }];
  });
}

function sourceOf(machine: MachineEntry, signal: SignalEntry, shared: SharedSources): { form: SourceForm; address?: string | undefined } | undefined {
  if (signal.source !== undefined) return shared.get(signal.source);
  if (machine.source?.shared !== undefined) return shared.get(machine.source.shared);
  return machine.source ?? { form: "json" };
}

/** All mappings that a machine's signals make, also those that follow from a Sparkplug source. */
export function claimsOf(machine: MachineEntry, path: Path, address: string, shared: SharedSources): Claim[] {
  return machine.signals.flatMap((signal, i) => {
    const at = [...path, "signals", i];
    const name = `${address}/${signal.key}`;
    const claims: Claim[] = signal.mapping.map((mapping, m) =>
      mapping.topic !== undefined
        ? { form: "json", pattern: mapping.topic, path: mapping.path, tsPath: mapping.ts_path ?? null, signal: name, at: [...at, "mapping", m, "topic"] }
        : {
            form: "sparkplug",
            pattern: mapping.descriptor ?? "",
            path: mapping.metric ?? "",
            tsPath: null,
            signal: name,
            at: [...at, "mapping", m, "descriptor"],
          },
    );
    const source = sourceOf(machine, signal, shared);
    const isMappedOnly = signal.mapping.length > 0 && signal.metric === undefined;
    if (source?.form === "sparkplug" && source.address !== undefined && !isMappedOnly) {
      claims.push({
        form: "sparkplug",
        pattern: source.address,
        path: signal.metric ?? signal.key,
        tsPath: null,
        signal: name,
        at: [...at, signal.metric === undefined ? "key" : "metric"],
      });
    }
    return claims;
  });
}

/** Two signals cannot take the same value: the same metric, or topic filters that meet with the same path. */
export function duplicateClaims(claims: readonly Claim[]): Broken[] {
  const broken: Broken[] = [];
  const exact = new Map<string, Claim>();
  const byPath = new Map<string, FilterIndex<Claim>>();
  const topics: Claim[] = [];
  for (const claim of claims) {
    const id = JSON.stringify([claim.form, claim.pattern, claim.path]);
    const first = exact.get(id);
    if (first) broken.push(clash(claim, first));
    else exact.set(id, claim);
    if (first || claim.form !== "json") continue;
    topics.push(claim);
    const index = byPath.get(claim.path) ?? new FilterIndex<Claim>();
    byPath.set(claim.path, index);
    index.add(claim.pattern, claim);
  }
  // Only filters with wildcards can overlap others; of two of them the later one is told.
  const order = new Map(topics.map((claim, i) => [claim, i]));
  for (const claim of topics.filter(({ pattern }) => /[+#]/.test(pattern))) {
    for (const other of byPath.get(claim.path)?.overlapping(claim.pattern) ?? []) {
      const isEarlier = (order.get(other) ?? 0) < (order.get(claim) ?? 0);
      if (other.signal !== claim.signal && (isEarlier || !/[+#]/.test(other.pattern))) broken.push(clash(claim, other));
    }
  }
  return broken;
}

function clash(claim: Claim, first: Claim): Broken {
  const isPart = claim.path !== "";
  const what =
    claim.form === "sparkplug"
      ? `the metric "${claim.path}" of ${claim.pattern}`
      : claim.pattern === first.pattern
        ? `the topic ${claim.pattern}${isPart ? ` with the path ${claim.path}` : ""}`
        : `topics that match both ${first.pattern} and ${claim.pattern}${isPart ? ` with the path ${claim.path}` : ""}`;
  return {
    path: claim.at,
    other: first.at,
    sentence: claim.signal === first.signal ? `${what} is mapped twice to this signal` : `${what} would go to two signals: ${first.signal} and ${claim.signal}`,
  };
}

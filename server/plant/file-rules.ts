/** What must hold between the entries of a plant file: references, duplicates, rates and patterns in time. All broken rules at once. */
import { isTimeZone } from "#/server/domain/shift.ts";
import type { LineEntry, MachineEntry, PlantFile, ReasonEntry, SiteEntry } from "./file.ts";
import { brokenLookAlikes } from "./file-name-rules.ts";
import { brokenPeriods, periodsOf, rateBounds, sameProduct } from "./file-periods.ts";
import { didYouMean, plural } from "./file-sentences.ts";
import { brokenCalendar, brokenCurrencies, brokenDevices, brokenMoney, brokenTargets } from "./file-setup-rules.ts";
import { brokenShifts } from "./file-shift-rules.ts";
import { brokenSignals, brokenSources, type Claim, claimsOf, duplicateClaims } from "./file-signal-rules.ts";

export type Path = readonly (string | number)[];
/** path: the place in the file. other: the entry that it clashes with. reference: a key that no entry has. */
export type Broken = { path: Path; sentence: string; other?: Path; reference?: true };

/** Of a whole plant; or of a part of it, where claims of signals that are not in it are given with `elsewhere`. */
export function brokenRules(plant: PlantFile, elsewhere: readonly Claim[] = []): Broken[] {
  const broken: Broken[] = [...brokenCurrencies(plant)];
  const products = new Map<string, Path>();
  broken.push(...brokenKeys("product line", plant.product_lines, ["product_lines"]));
  for (const [p, line] of plant.product_lines.entries()) {
    const at = ["product_lines", p, "products"];
    broken.push(...brokenWas("product", line.products, at), ...brokenLookAlikes("product", line.products, at));
    for (const [i, product] of line.products.entries()) broken.push(...claimKey(products, "product", product.key, ["product_lines", p, "products", i, "key"]));
  }
  broken.push(...brokenKeys("site", plant.sites, ["sites"]));
  const addresses = new Map<string, Path>();
  const claims: Claim[] = [...elsewhere];
  for (const [s, site] of plant.sites.entries()) broken.push(...brokenSite(site, ["sites", s], products, addresses, claims));
  return [...broken, ...brokenDevices(plant.sites), ...duplicateClaims(claims)];
}

function brokenSite(site: SiteEntry, path: Path, products: ReadonlyMap<string, Path>, addresses: Map<string, Path>, claims: Claim[]): Broken[] {
  const broken: Broken[] = [];
  const isZone = isTimeZone(site.zone);
  if (!isZone)
    broken.push({
      path: [...path, "zone"],
      sentence: `there is no time zone "${site.zone}"; write it as the IANA database does, such as Europe/Berlin, America/Chicago or UTC`,
    });
  broken.push(...brokenKeys("shift pattern", site.shift_patterns, [...path, "shift_patterns"]));
  for (const [i, pattern] of site.shift_patterns.entries()) {
    broken.push(...brokenKeys("shift", pattern.shifts, [...path, "shift_patterns", i, "shifts"]));
    broken.push(...brokenShifts(pattern, [...path, "shift_patterns", i]));
  }
  broken.push(...brokenReasons(site.reasons, [...path, "reasons"], 1, { keys: new Map(), olds: new Map(), codes: new Map() }));
  broken.push(...brokenKeys("team", site.teams, [...path, "teams"]));
  broken.push(...brokenKeys("area", site.areas, [...path, "areas"]));
  broken.push(...brokenKeys("calendar entry", site.calendar, [...path, "calendar"]), ...brokenCalendar(site, [...path, "calendar"]));
  broken.push(...brokenKeys("device", site.devices, [...path, "devices"]));
  broken.push(...brokenMoney(site, path, products), ...brokenTargets(site, path));

  const shared = new Map<string, SiteEntry["sources"][number]>();
  for (const [i, source] of site.sources.entries()) {
    shared.set(source.address, source);
    broken.push(...brokenSources(source, [...path, "sources", i]), ...claimKey(addresses, "source", source.address, [...path, "sources", i, "address"]));
  }
  broken.push(
    ...brokenWas(
      "source",
      site.sources.map(({ address, was }) => ({ key: address, was })),
      [...path, "sources"],
    ),
  );
  const machines = new Map<string, { machine: MachineEntry; path: Path }>();
  for (const { machine, address, path: at } of machinesOf(site, path)) machines.set(address, { machine, path: at });
  const patterns = site.shift_patterns.map((pattern) => pattern.key);
  for (const [a, area] of site.areas.entries()) {
    const areaPath = [...path, "areas", a];
    broken.push(...brokenKeys("line", area.lines, [...areaPath, "lines"]));
    for (const [l, line] of area.lines.entries()) {
      const linePath = [...areaPath, "lines", l];
      const here = `${area.key}/${line.key}`;
      broken.push(...brokenKeys("machine", line.machines, [...linePath, "machines"]), ...brokenLine(line, linePath, patterns));
      for (const [m, machine] of line.machines.entries()) {
        const machinePath = [...linePath, "machines", m];
        const address = `${here}/${machine.key}`;
        for (const side of ["upstream", "downstream"] as const) broken.push(...brokenNeighbour(machine, side, here, machines, machinePath));
        broken.push(...brokenKeys("signal", machine.signals, [...machinePath, "signals"]), ...brokenSignals(machine, machinePath, shared));
        broken.push(...brokenRates(machine, machinePath, products, isZone ? site.zone : "UTC"));
        if (machine.source?.shared === undefined) {
          const own = machine.source?.address ?? `${site.key}/${address}`;
          broken.push(
            ...claimKey(addresses, "source", own, machine.source?.address === undefined ? [...machinePath, "key"] : [...machinePath, "source", "address"]),
          );
        }
        claims.push(...claimsOf(machine, machinePath, `${site.key}/${address}`, shared));
      }
    }
  }
  return [...broken, ...brokenFlow(machines)];
}

/** Machines by their address below the site, area/line/machine. */
export function* machinesOf(site: SiteEntry, path: Path = []) {
  for (const [a, area] of site.areas.entries()) {
    for (const [l, line] of area.lines.entries()) {
      for (const [m, machine] of line.machines.entries()) {
        yield {
          area,
          line,
          machine,
          position: m,
          address: `${area.key}/${line.key}/${machine.key}`,
          path: [...path, "areas", a, "lines", l, "machines", m] as Path,
        };
      }
    }
  }
}

/** What `upstream: press-1` of a machine in `area/line` means below the site. */
export const neighbourAddress = (reference: string, here: string): string => (reference.includes("/") ? reference : `${here}/${reference}`);

function claimKey(taken: Map<string, Path>, word: string, key: string, path: Path): Broken[] {
  const other = taken.get(key);
  if (other !== undefined) return [{ path, other, sentence: `there are two ${word === "source" ? "sources with the address" : plural(word)} "${key}"` }];
  taken.set(key, path);
  return [];
}

function claimOld(taken: Map<string, Path>, word: string, was: string, path: Path): Broken[] {
  const other = taken.get(was);
  if (other !== undefined) return [{ path, other, sentence: `two entries say that they were the ${word} "${was}"` }];
  taken.set(was, path);
  return [];
}

type Keyed = readonly { key: string; was?: string | undefined; name?: string | undefined }[];

function brokenKeys(word: string, entries: Keyed, path: Path): Broken[] {
  const taken = new Map<string, Path>();
  return [
    ...entries.flatMap((entry, i) => claimKey(taken, word, entry.key, [...path, i, "key"])),
    ...brokenWas(word, entries, path),
    ...brokenLookAlikes(word, entries, path),
  ];
}

export function brokenWas(word: string, entries: Keyed, path: Path): Broken[] {
  const keys = new Set(entries.map((entry) => entry.key));
  const old = new Map<string, Path>();
  return entries.flatMap((entry, i): Broken[] => {
    if (entry.was === undefined) return [];
    const at = [...path, i, "was"];
    if (keys.has(entry.was)) return [{ path: at, sentence: `the ${word} "${entry.was}" is still in the file, so "${entry.key}" cannot be its new key` }];
    return claimOld(old, word, entry.was, at);
  });
}

/** As the database holds it: category, group, reason. */
const reasonLevels = 3;
type Seen = { keys: Map<string, Path>; olds: Map<string, Path>; codes: Map<string, Path> };

function brokenReasons(reasons: readonly ReasonEntry[], path: Path, level: number, seen: Seen): Broken[] {
  const below = reasons.flatMap((reason, i) => {
    const at = [...path, i];
    const broken = claimKey(seen.keys, "reason", reason.key, [...at, "key"]);
    if (reason.was !== undefined) broken.push(...claimOld(seen.olds, "reason", reason.was, [...at, "was"]));
    if (level === 1 && reason.loss === undefined) broken.push({ path: at, sentence: `"loss" is missing: a reason at the top must say which loss it is` });
    if (level > reasonLevels) broken.push({ path: at, sentence: `the tree of reasons has ${reasonLevels} levels at most; this would be level ${level}` });
    const other = reason.fault_code === undefined ? undefined : seen.codes.get(reason.fault_code);
    if (other) broken.push({ path: [...at, "fault_code"], other, sentence: `the fault code ${reason.fault_code} already means another reason of this site` });
    else if (reason.fault_code !== undefined) seen.codes.set(reason.fault_code, [...at, "fault_code"]);
    return [...broken, ...brokenReasons(reason.reasons, [...at, "reasons"], level + 1, seen)];
  });
  return [...brokenLookAlikes("reason", reasons, path), ...below];
}

function brokenLine(line: LineEntry, path: Path, patterns: readonly string[]): Broken[] {
  const broken: Broken[] = [];
  const keys = line.machines.map((machine) => machine.key);
  for (const field of ["constraint_machine", "last_machine"] as const) {
    const key = line[field];
    if (line.topology === "constraint" && key === undefined)
      broken.push({
        path,
        sentence: `"${field}" is missing: a line with topology constraint names the machine that paces it and the last one, whose good pieces count`,
      });
    if (line.topology === "parallel" && key !== undefined)
      broken.push({ path: [...path, field], sentence: `"${field}" is for lines with topology: constraint` });
    if (key !== undefined && !keys.includes(key))
      broken.push({ path: [...path, field], reference: true, sentence: `this line has no machine "${key}"${didYouMean(key, keys)}` });
  }
  for (const [i, entry] of line.shift_pattern.entries()) {
    if (!patterns.includes(entry.pattern)) {
      broken.push({
        path: [...path, "shift_pattern", i, "pattern"],
        reference: true,
        sentence: `this site has no shift pattern "${entry.pattern}"${didYouMean(entry.pattern, patterns)}`,
      });
    }
  }
  broken.push(...brokenPeriods(periodsOf(line.shift_pattern.map(({ from, until }) => ({ from, until }))), (i) => [...path, "shift_pattern", i]));
  return broken;
}

function brokenRates(machine: MachineEntry, path: Path, products: ReadonlyMap<string, Path>, zone: string): Broken[] {
  const broken: Broken[] = [];
  for (const [i, rate] of machine.ideal_cycles.entries()) {
    if (rate.product !== undefined && !products.has(rate.product)) {
      broken.push({
        path: [...path, "ideal_cycles", i, "product"],
        reference: true,
        sentence: `there is no product "${rate.product}"${didYouMean(rate.product, [...products.keys()])}`,
      });
    }
  }
  for (const group of sameProduct(machine.ideal_cycles)) {
    broken.push(...brokenPeriods(periodsOf(group.map(({ rate }) => rateBounds(rate, zone))), (i) => [...path, "ideal_cycles", group[i]?.index ?? 0]));
  }
  return broken;
}

function brokenNeighbour(machine: MachineEntry, side: "upstream" | "downstream", here: string, machines: ReadonlyMap<string, unknown>, path: Path): Broken[] {
  const reference = machine[side];
  if (reference === undefined) return [];
  const address = neighbourAddress(reference, here);
  if (address === `${here}/${machine.key}`) return [{ path: [...path, side], sentence: `a machine cannot be its own ${side} neighbour` }];
  if (machines.has(address)) return [];
  const known = [...machines.keys()].map((key) => (key.startsWith(`${here}/`) ? key.slice(here.length + 1) : key));
  return [
    {
      path: [...path, side],
      reference: true,
      sentence: `this ${reference.includes("/") ? "site" : "line"} has no machine "${reference}"${didYouMean(reference, known)}`,
    },
  ];
}

/** The flow of material (upstream to machine to downstream) must not come back to where it was. */
function brokenFlow(machines: ReadonlyMap<string, { machine: MachineEntry; path: Path }>): Broken[] {
  const next = new Map<string, Set<string>>([...machines.keys()].map((address) => [address, new Set()]));
  for (const [address, { machine }] of machines) {
    const here = address.slice(0, address.lastIndexOf("/"));
    if (machine.downstream !== undefined) next.get(address)?.add(neighbourAddress(machine.downstream, here));
    if (machine.upstream !== undefined) next.get(neighbourAddress(machine.upstream, here))?.add(address);
  }
  const done = new Set<string>();
  const broken: Broken[] = [];
  for (const start of next.keys()) {
    // Depth first without recursion: a line may be as long as it likes.
    const way: string[] = [];
    const open: { address: string; rest: Iterator<string> }[] = [];
    const enter = (address: string) => {
      way.push(address);
      open.push({ address, rest: (next.get(address) ?? new Set<string>()).values() });
    };
    if (!done.has(start)) enter(start);
    for (let top = open.at(-1); top; top = open.at(-1)) {
      const { value, done: atEnd } = top.rest.next();
      if (atEnd) {
        done.add(top.address);
        open.pop();
        way.pop();
      } else if (way.includes(value)) {
        const loop = [...way.slice(way.indexOf(value)), value];
        const entry = machines.get(value);
        const side = entry?.machine.upstream === undefined ? "downstream" : "upstream";
        if (entry && loop.length > 2) broken.push({ path: [...entry.path, side], sentence: `the machines form a loop: ${loop.join(" -> ")}` });
      } else if (!done.has(value) && next.has(value)) {
        enter(value);
      }
    }
  }
  return broken;
}

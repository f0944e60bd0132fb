/** The plant of the database as a plant file. What is retired is left out; applied to an empty database, the file exports the same again. */
import { Document, isCollection, isMap, isSeq, type Pair, visit } from "yaml";
import type { Prisma, PrismaClient } from "#/prisma/generated/client.ts";
import { instantOf, localDateOf } from "#/server/domain/shift.ts";
import { writeClock, writeDays, writeDuration } from "./file-values.ts";
import { sortedByKey } from "./items.ts";
import { sinceEver } from "./timeline.ts";

const live = { retiredAt: null };
const byId = { id: "asc" } as const;
const key = { select: { key: true } } satisfies Prisma.MachineDefaultArgs;

/** One tree, as the file has it. */
const tree = {
  productLines: { where: live, orderBy: byId, include: { products: { where: live, orderBy: byId } } },
  sites: {
    where: live,
    orderBy: byId,
    include: {
      shiftPatterns: { where: live, orderBy: byId, include: { shifts: { orderBy: byId, include: { breaks: { orderBy: byId } } } } },
      reasons: { where: live, orderBy: byId },
      teams: { where: live, orderBy: byId },
      sources: { where: live, orderBy: byId },
      areas: {
        where: live,
        orderBy: byId,
        include: {
          lines: {
            where: live,
            orderBy: byId,
            include: {
              constraintMachine: key,
              lastMachine: key,
              lineShiftPatterns: { where: { shiftPattern: live }, orderBy: { fromDate: "asc" }, include: { shiftPattern: key } },
              machines: {
                where: live,
                orderBy: [{ position: "asc" }, byId],
                include: {
                  upstream: { select: { key: true, lineId: true, retiredAt: true, line: { select: { key: true, area: key } } } },
                  downstream: { select: { key: true, lineId: true, retiredAt: true, line: { select: { key: true, area: key } } } },
                  idealCycles: {
                    where: { OR: [{ productId: null }, { product: live }] },
                    orderBy: [{ productId: { sort: "asc", nulls: "first" } }, { fromAt: "asc" }],
                    include: { product: key },
                  },
                  signals: {
                    where: live,
                    orderBy: byId,
                    include: {
                      source: { select: { form: true, address: true, retiredAt: true } },
                      topicMappings: { orderBy: [{ form: "asc" }, { pattern: "asc" }, { path: "asc" }] },
                    },
                  },
                },
              },
            },
          },
        },
      },
    },
  },
} satisfies Prisma.EnterpriseInclude;

/** One statement, so one moment of the plant. */
const readTree = (prisma: PrismaClient) => prisma.enterprise.findFirst({ relationLoadStrategy: "join", include: tree });
type EnterpriseTree = NonNullable<Awaited<ReturnType<typeof readTree>>>;
type SiteTree = EnterpriseTree["sites"][number];
type LineTree = SiteTree["areas"][number]["lines"][number];
type MachineTree = LineTree["machines"][number];
type SignalTree = MachineTree["signals"][number];
type SourceRow = SiteTree["sources"][number];
type Entry = Record<string, unknown>;

/** YAML text; null while the database holds no plant. */
export async function exportPlant(prisma: PrismaClient): Promise<string | null> {
  const enterprise = await readTree(prisma);
  if (!enterprise) return null;
  return yamlOf({
    enterprise: named(enterprise),
    product_lines: enterprise.productLines.map((line) => ({ ...named(line), products: line.products.map(named) })),
    sites: enterprise.sites.map(siteEntry),
  });
}

const named = (thing: { key: string; name: string }): Entry => ({ key: thing.key, name: thing.name === thing.key ? undefined : thing.name });

function siteEntry(site: SiteTree): Entry {
  const owners = sourceOwners(site);
  return {
    ...named(site),
    zone: site.zone,
    shift_patterns: site.shiftPatterns.map((pattern) => ({
      ...named(pattern),
      shifts: pattern.shifts.map((shift) => {
        const start = minutesOf(shift.startLocal);
        const end = minutesOf(shift.endLocal);
        return {
          ...named(shift),
          days: writeDays(shift.weekdays),
          start: writeClock(start),
          end: writeClock(end === start ? end + 1440 : end),
          breaks: shift.breaks.map((b) => ({
            name: b.name === "Break" ? undefined : b.name,
            start: writeClock(minutesOf(b.startLocal)),
            end: writeClock(minutesOf(b.endLocal)),
          })),
        };
      }),
    })),
    reasons: reasonEntries(site.reasons, null, undefined),
    teams: site.teams.map(named),
    sources: site.sources
      .filter((source) => !owners.has(source.address))
      .map((source) => ({ form: source.form, address: source.address, ...sourceLimits(source) })),
    areas: site.areas.map((area) => ({ ...named(area), lines: area.lines.map((line) => lineEntry(line, `${site.key}/${area.key}`, site, owners)) })),
  };
}

/**
 * Source address -> path of the machine that it is written below: the machine of a json source's own path, or the only one whose signals name it.
 * All other sources are shared and stand below the site.
 */
function sourceOwners(site: SiteTree): Map<string, string> {
  const users = new Map<string, Set<string>>();
  const paths = new Set<string>();
  for (const area of site.areas) {
    for (const line of area.lines) {
      for (const machine of line.machines) {
        const path = `${site.key}/${area.key}/${line.key}/${machine.key}`;
        paths.add(path);
        const own = mainSource(machine, path, site);
        if (own !== undefined) users.set(own, (users.get(own) ?? new Set()).add(path));
        for (const { source } of machine.signals)
          if (source.address !== own) users.set(source.address, (users.get(source.address) ?? new Set()).add(path).add(""));
      }
    }
  }
  const owners = new Map<string, string>();
  for (const [address, machines] of users) {
    const [only = ""] = machines;
    if (machines.size === 1 && only !== "" && (!paths.has(address) || address === only)) owners.set(address, only);
  }
  return owners;
}

/** The source that is written with the machine: the one at its own path, else the one that most of its signals name (the first of equals). */
function mainSource(machine: MachineTree, path: string, site: SiteTree): string | undefined {
  const counts = new Map<string, number>();
  for (const { source } of machine.signals) counts.set(source.address, (counts.get(source.address) ?? 0) + 1);
  if (counts.size === 0 || counts.has(path)) return site.sources.some((source) => source.address === path) ? path : undefined;
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}

const sourceLimits = (source: SourceRow): Entry => ({
  no_data_timeout: source.noDataTimeoutS === 60 ? undefined : writeDuration(source.noDataTimeoutS),
  max_backfill: source.maxBackfillS === 7_776_000 ? undefined : writeDuration(source.maxBackfillS),
});

function reasonEntries(reasons: SiteTree["reasons"], parentId: number | null, above: string | undefined): Entry[] {
  const known = new Set(reasons.map((reason) => reason.id));
  return reasons
    .filter((reason) => (reason.parentId !== null && known.has(reason.parentId) ? reason.parentId : null) === parentId)
    .map((reason) => ({
      ...named(reason),
      loss: reason.loss === above ? undefined : reason.loss,
      fault_code: reason.faultCode ?? undefined,
      reasons: reasonEntries(reasons, reason.id, reason.loss),
    }));
}

function lineEntry(line: LineTree, area: string, site: SiteTree, owners: ReadonlyMap<string, string>): Entry {
  const periods = line.lineShiftPatterns.map(({ shiftPattern, fromDate, toDate }) => ({
    value: { pattern: shiftPattern.key },
    from: fromDate.getTime(),
    to: toDate?.getTime() ?? Number.POSITIVE_INFINITY,
  }));
  const patterns = boundedEntries(periods, (ms) => new Date(ms).toISOString().slice(0, 10));
  const lone = patterns.length === 1 && patterns[0]?.from === undefined && patterns[0]?.until === undefined ? patterns[0]?.pattern : undefined;
  return {
    ...named(line),
    topology: line.topology === "parallel" ? undefined : line.topology,
    constraint_machine: line.constraintMachine?.key,
    last_machine: line.lastMachine?.key,
    shift_pattern: lone ?? patterns,
    machines: line.machines.map((machine) => machineEntry(machine, `${area}/${line.key}/${machine.key}`, site, owners)),
  };
}

function machineEntry(machine: MachineTree, path: string, site: SiteTree, owners: ReadonlyMap<string, string>): Entry {
  const neighbour = (other: MachineTree["upstream"]) => {
    if (!other || other.retiredAt !== null) return undefined;
    return other.lineId === machine.lineId ? other.key : `${other.line.area.key}/${other.line.key}/${other.key}`;
  };
  const main = mainSource(machine, path, site);
  const cycles = [...Map.groupBy(machine.idealCycles, (cycle) => cycle.product?.key).values()].flatMap((rates) =>
    boundedEntries(
      rates.map((rate) => ({
        value: { product: rate.product?.key, seconds: rate.idealCycleS },
        from: rate.fromAt.getTime(),
        to: rate.toAt?.getTime() ?? Number.POSITIVE_INFINITY,
      })),
      (ms) => instantText(ms, site.zone),
    ),
  );
  return {
    ...named(machine),
    kind: machine.kind === "machine" ? undefined : machine.kind,
    upstream: neighbour(machine.upstream),
    downstream: neighbour(machine.downstream),
    no_count_timeout: machine.noCountTimeoutS === null ? undefined : writeDuration(machine.noCountTimeoutS.toNumber()),
    source: sourceEntry(main, path, site, owners),
    ideal_cycles: cycles,
    signals: machine.signals.map((signal) => signalEntry(signal, main)),
  };
}

function sourceEntry(main: string | undefined, path: string, site: SiteTree, owners: ReadonlyMap<string, string>): unknown {
  const source = site.sources.find((one) => one.address === main);
  if (!source) return undefined;
  if (owners.get(source.address) !== path) return source.address;
  const isDefault = source.form === "json" && source.address === path;
  const entry = { form: isDefault ? undefined : source.form, address: isDefault ? undefined : source.address, ...sourceLimits(source) };
  return Object.values(entry).some((value) => value !== undefined) ? entry : undefined;
}

function signalEntry(signal: SignalTree, main: string | undefined): Entry {
  const { source } = signal;
  const own = signal.topicMappings.filter((mapping) => mapping.form === "sparkplug" && source.form === "sparkplug" && mapping.pattern === source.address);
  // The metric of the signal's own source needs no mapping; where there are several, one is written as the metric.
  const metric = (own.find((mapping) => mapping.path === signal.key) ?? own[0])?.path;
  const rest = signal.topicMappings
    .filter((mapping) => !(metric !== undefined && own.includes(mapping) && mapping.path === metric))
    .map((mapping) =>
      mapping.form === "json"
        ? { topic: mapping.pattern, path: mapping.path === "" ? undefined : mapping.path, ts_path: mapping.tsPath ?? undefined }
        : { descriptor: mapping.pattern, metric: mapping.path },
    );
  const isCount = signal.role.endsWith("_count");
  return {
    ...named(signal),
    role: signal.role,
    unit: signal.unit === "" ? undefined : signal.unit,
    scale: signal.scale === 1 ? undefined : signal.scale,
    offset: signal.valueOffset === 0 ? undefined : signal.valueOffset,
    values: signal.valueMap === null ? undefined : sortedByKey(signal.valueMap as Record<string, unknown>),
    counter: isCount && signal.counterMode !== "cumulative" ? signal.counterMode : undefined,
    modulus: signal.counterModulus ?? undefined,
    period: signal.periodS === null ? undefined : writeDuration(signal.periodS.toNumber()),
    low: signal.lowLimit ?? undefined,
    high: signal.highLimit ?? undefined,
    metric: metric !== undefined && (metric !== signal.key || rest.length > 0) ? metric : undefined,
    source: source.address === main ? undefined : source.address,
    mapping: rest.length === 1 ? rest[0] : rest,
  };
}

type Period = { value: Entry; from: number; to: number };
/** from is left out where it is "since ever", until where the next entry says it. */
function boundedEntries(periods: readonly Period[], text: (ms: number) => string): Entry[] {
  return periods.map(({ value, from, to }, i) => ({
    ...value,
    from: from === sinceEver ? undefined : text(from),
    until: to === (periods[i + 1]?.from ?? Number.POSITIVE_INFINITY) ? undefined : text(to),
  }));
}

/** A day where the instant is its midnight at the site, else the instant in UTC. */
function instantText(ms: number, zone: string): string {
  const day = localDateOf(new Date(ms), zone);
  return instantOf(day, 0, zone).getTime() === ms ? day : new Date(ms).toISOString().replace(".000Z", "Z");
}

const minutesOf = (time: Date): number => time.getUTCHours() * 60 + time.getUTCMinutes();

/** Entries without anything below them stand on one line. Empty lists and fields without a value are left out. */
function yamlOf(plant: Entry): string {
  const document = new Document(withoutEmpty(plant));
  visit(document, {
    Collection: (_, node) => {
      const inner = isSeq(node) ? node.items : isMap(node) ? (node.items as Pair[]).map((pair) => pair.value) : [];
      const isLeaf = isMap(node) && node.items.length <= 12 && !inner.some((value) => isSeq(value) || (isCollection(value) && value.items.length > 6));
      if (isLeaf && node !== document.contents) node.flow = true;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}

function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined && !(Array.isArray(inner) && inner.length === 0))
      .map(([field, inner]) => [field, withoutEmpty(inner)]),
  );
}

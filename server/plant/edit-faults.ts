/** Edits that are laid into a plant, checked by the rules of the plant file; what is wrong is told at the fields of the forms that it came from. */
import type { z } from "zod";
import type { Db } from "#/server/db.ts";
import { pathsOf, type Tree } from "./edit-tree.ts";
import type { Fault, Work } from "./edit-work.ts";
import { type PlantFile, plantFile } from "./file.ts";
import { rulesBesideIssues } from "./file-repair.ts";
import { type Broken, brokenRules, machinesOf, type Path } from "./file-rules.ts";
import { sentenceOf } from "./file-sentences.ts";
import { type Claim, claimsOf } from "./file-signal-rules.ts";
import type { CurrentPlant } from "./queries.ts";
import { named, whereIs } from "./read-file.ts";

/** plant is null where faults are not empty. */
export type Checked = { plant: PlantFile; faults: [] } | { plant: null; faults: Fault[] };

/** sees: whether the person may know of a site, by its id. */
export async function checkWork(tx: Db, work: Work, stored: Tree, current: CurrentPlant, sees: (siteId: number) => boolean): Promise<Checked> {
  const { root } = work.tree;
  const read = plantFile.safeParse(root, { error: formSentence });
  const faults = [...work.faults];
  if (!read.success) {
    const places = placesOf(work);
    const before = plantFile.safeParse(stored.root, { error: formSentence });
    const known = new Set(before.error?.issues.map((issue) => JSON.stringify([issue.path, issue.message])));
    for (const issue of read.error.issues) faults.push(...issueFaults(issue, places, root, known));
    faults.push(...rulesBesideIssues(root, read.error.issues).flatMap((rule) => ruleFault(rule, places, root, true)));
    if (faults.length === 0)
      faults.push({ edit: null, path: "", sentence: "The stored plant has mistakes that its file would not allow. Export it, correct it and apply it." });
    return { plant: null, faults: oneEach(faults) };
  }
  const broken = brokenRules(read.data, await claimsElsewhere(tx, read.data, current, sees));
  if (broken.length > 0) {
    const places = placesOf(work);
    const before = plantFile.safeParse(stored.root);
    const known = new Set(before.success ? brokenRules(before.data).map(({ sentence }) => sentence) : []);
    faults.push(...broken.flatMap((rule) => ruleFault(rule, places, root, !known.has(rule.sentence))));
  }
  return faults.length === 0 ? { plant: read.data, faults: [] } : { plant: null, faults: oneEach(faults) };
}

/** A field of a form shows one sentence, the first. */
const oneEach = (faults: readonly Fault[]) =>
  [...Map.groupBy(faults, ({ edit, path, sentence }) => JSON.stringify(path === "" ? [edit, sentence] : [edit, path])).values()].flatMap(
    ([first]) => first ?? [],
  );

type Places = ReadonlyMap<string, number>;

/** Paths of the entries that were put -> their edit. */
function placesOf(work: Work): Places {
  const paths = pathsOf(work.tree.root, new Set(work.entries.keys()));
  return new Map([...paths].map(([entry, path]) => [JSON.stringify(path), work.entries.get(entry as never) ?? 0]));
}

/** The put that a path of the tree lies in, and the rest of the path. */
function placed(path: Path, places: Places): { edit: number; field: Path } | null {
  for (let length = path.length; length > 0; length--) {
    const edit = places.get(JSON.stringify(path.slice(0, length)));
    if (edit !== undefined) return { edit, field: path.slice(length) };
  }
  return null;
}

function issueFaults(issue: z.core.$ZodIssue, places: Places, root: unknown, known: ReadonlySet<string>): Fault[] {
  const path = issue.path.map((segment) => (typeof segment === "symbol" ? String(segment) : segment));
  const at = placed(path, places);
  if (!at) return known.has(JSON.stringify([issue.path, issue.message])) ? [] : [elsewhere(path, root, named(path, issue.message))];
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => ({ edit: at.edit, path: fieldPath([...at.field, key]), sentence: `There is no field "${key}" here.` }));
  return [{ edit: at.edit, path: fieldPath(at.field), sentence: asSentence(issue.message === "is missing" ? "this is needed" : issue.message) }];
}

/** isNew: the stored plant does not break it already. */
function ruleFault(rule: Broken, places: Places, root: unknown, isNew: boolean): Fault[] {
  const at = placed(rule.path, places) ?? (rule.other ? placed(rule.other, places) : null);
  if (!at) return isNew ? [elsewhere(rule.path, root, rule.sentence)] : [];
  // "field" is missing: the path is the entry's.
  const missing = /^"(\w+)" is missing/.exec(rule.sentence)?.[1];
  return [
    {
      edit: at.edit,
      path: fieldPath(missing !== undefined && at.field.at(-1) !== missing ? [...at.field, missing] : at.field),
      sentence: asSentence(rule.sentence),
    },
  ];
}

const elsewhere = (path: Path, root: unknown, sentence: string): Fault => {
  const where = whereIs(path, root);
  return { edit: null, path: "", sentence: asSentence(where === "" ? sentence : `${where}: ${sentence}`) };
};

/** As forms name their fields. */
const fieldPath = (path: Path): string => path.filter((segment, i) => !(segment === "shared" && path[i - 1] === "source")).join(".");
export const asSentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;

/** In a form nobody puts anything in quotes. */
export const formSentence = (issue: z.core.$ZodRawIssue) => sentenceOf(issue)?.replace(/: write it (in quotes|without quotes).*$/s, "");

/** Topics and metrics that signals of machines outside the part take and that the part's may take, too. */
async function claimsElsewhere(tx: Db, plant: PlantFile, { part }: CurrentPlant, sees: (siteId: number) => boolean): Promise<Claim[]> {
  if (part === "all") return [];
  const claims = plant.sites.flatMap((site) => {
    const shared = new Map(site.sources.map((source) => [source.address, source]));
    return [...machinesOf(site)].flatMap(({ machine, address }) =>
      machine.signals.length === 0 ? [] : claimsOf(machine, [], `${site.key}/${address}`, shared),
    );
  });
  if (claims.length === 0) return [];
  const isWild = ({ form, pattern }: Claim) => form === "json" && /[+#]/.test(pattern);
  const rows = await tx.rows<Omit<Claim, "at" | "tsPath"> & { siteId: number }>(
    `-- plant.claimsElsewhere
     select t.form, t.pattern, t.path, concat_ws('/', s.key, a.key, l.key, m.key, g.key) as signal, s.id as "siteId"
     from topic_mapping t join signal g on g.id = t.signal_id join machine m on m.id = g.machine_id join line l on l.id = m.line_id join area a on a.id = l.area_id
       join site s on s.id = a.site_id
     where not m.id = any($1::int[]) and ((t.form, t.pattern, t.path) in (select * from unnest($2::text[], $3::text[], $4::text[]))
       or (t.form = 'json' and t.path = any($5::text[])) or (t.form = 'json' and t.path = any($4::text[]) and t.pattern ~ '[+#]'))`,
    [
      part.machineIds,
      claims.map(({ form }) => form),
      claims.map(({ pattern }) => pattern),
      claims.map(({ path }) => path),
      claims.filter(isWild).map(({ path }) => path),
    ],
  );
  return rows.map(({ siteId, ...row }) => ({ ...row, signal: sees(siteId) ? row.signal : "one of another site", tsPath: null, at: [] }));
}

/**
 * npm run bench [-- NAME...] [-- --json]: the figures that Takt holds itself to (docs/benchmarks.md), each on a database and a broker of its own.
 * NAME is a figure or the beginning of some (ingest, ingest.batch). Progress goes to stderr; the result to stdout, with --json one line a figure.
 */
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { failWith, messageOf, Trouble } from "#/scripts/trouble.ts";
import { type Conditions, type Figure, isMet, type Reading, targetText } from "./figure.ts";
import { figures } from "./figures.ts";
import { machineLine, waitForQuiet } from "./quiet.ts";

const usage = `npm run bench [-- NAME ...] [-- --json] [-- --quick] [-- --seconds N] [-- --now] [-- --profile]

  NAME         a figure, or the beginning of some; without it all of them: ${figures.map(({ name }) => name).join(", ")}
  --json       one line a figure: {"figure","value","unit","target","ok"}; into a file: npm run -s bench -- --json > FILE
  --quick      10 s a figure instead of the time that counts; says so
  --seconds N  measure for N seconds; says so
  --now        do not wait until other programs are quiet, and do not measure again where they were not
  --profile    also print where the worker and the database spend their time; costs a few percent, and says so
`;
/** Above it the machine was not ours, and the figure is taken once more. */
const maxDisturbed = 0.1;

type Row = { figure: Figure; seconds: number; reading: Reading; ok: boolean; again: boolean };

function chosen(names: readonly string[]): readonly Figure[] {
  for (const name of names)
    if (!figures.some((figure) => figure.name.startsWith(name)))
      throw new Trouble(`There is no figure "${name}". There are: ${figures.map((f) => f.name).join(", ")}.`);
  return names.length === 0
    ? figures
    : figures.filter((figure) => names.some((name) => (figures.some((f) => f.name === name) ? figure.name === name : figure.name.startsWith(name))));
}

async function take(figure: Figure, conditions: Conditions, seconds: number): Promise<Row> {
  const say = (line: string) => conditions.say(`${figure.name}: ${line}`);
  const measured = async () => {
    if (!conditions.now) await waitForQuiet(say);
    const reading = await figure.measure({ ...conditions, say, seconds });
    reading.notes.push(machineLine());
    return reading;
  };
  let reading = await measured();
  const again = !conditions.now && reading.disturbed > maxDisturbed;
  if (again) {
    say(`other programs took ${Math.round(reading.disturbed * 100)} % of the machine meanwhile: once more`);
    const second = await measured();
    if (second.disturbed < reading.disturbed) reading = second;
  }
  const ok = reading.value !== null && isMet(figure.target, reading.value) && reading.broken.length === 0;
  return { figure, seconds, reading, ok, again };
}

function describe({ figure, seconds, reading, ok, again }: Row): string[] {
  const value = reading.value === null ? "none" : reading.value.toLocaleString("en", { maximumFractionDigits: 2 });
  const out = [
    `${figure.name.padEnd(20)} ${value.padStart(12)} ${figure.unit.padEnd(10)} ${targetText(figure.target).padEnd(12)} ${ok ? "ok" : "NOT MET"}`,
    `  ${figure.what}`,
  ];
  if (seconds !== figure.seconds) out.push(`  Shortened: measured for ${seconds} s; the figure that counts takes ${figure.seconds} s.`);
  if (again) out.push("  Taken twice, because other programs used the machine; the less disturbed of both.");
  return [...out, ...reading.broken.map((line) => `  BROKEN: ${line}`), ...reading.notes.map((line) => `  ${line}`)];
}

async function main(args: string[]): Promise<void> {
  let parsed: ReturnType<typeof parse>;
  const parse = () =>
    parseArgs({
      args: args.filter((arg) => arg !== "--"),
      allowPositionals: true,
      options: {
        json: { type: "boolean" },
        quick: { type: "boolean" },
        profile: { type: "boolean" },
        now: { type: "boolean" },
        seconds: { type: "string" },
        help: { type: "boolean" },
      },
    });
  try {
    parsed = parse();
  } catch (error) {
    throw new Trouble(`${messageOf(error)}\n${usage}`);
  }
  const { values, positionals } = parsed;
  if (values.help) return console.log(usage);
  const seconds = values.seconds === undefined ? null : Number(values.seconds);
  if (seconds !== null && !(seconds >= 1)) throw new Trouble(`--seconds ${values.seconds}: write a number of seconds, 1 or more.`);
  if (!existsSync("/proc/stat")) throw new Trouble("The measurements read what each process costs from /proc, which only Linux has.");
  const conditions: Conditions = { profile: values.profile ?? false, now: values.now ?? false, say: (line) => console.error(line) };
  let allOk = true;
  for (const figure of chosen(positionals)) {
    const row = await take(figure, conditions, seconds ?? (values.quick ? figure.quickSeconds : figure.seconds));
    allOk &&= row.ok;
    const lines = describe(row);
    if (values.json) {
      for (const line of lines) console.error(line);
      console.log(JSON.stringify({ figure: figure.name, value: row.reading.value, unit: figure.unit, target: targetText(figure.target), ok: row.ok }));
    } else for (const line of lines) console.log(line);
  }
  if (conditions.profile) console.error("With --profile on, the figures are lower than without.");
  process.exit(allOk ? 0 : 1);
}

await main(process.argv.slice(2)).catch(failWith);

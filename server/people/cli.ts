/** npm run people -- list | invite-administrator | add | new-link | reset-second-factor | sign-out: for who has the machine, when nobody can sign in. */
import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { parseArgs } from "node:util";
import { closePool, db } from "#/server/db.ts";
import { env } from "#/server/env.ts";
import { isDatabaseAway, Refusal } from "#/server/errors.ts";
import { identityEnv } from "#/server/identity/env.ts";
import {
  addPerson,
  commandLine,
  everybody,
  firstAdministratorLink,
  type Link,
  passwordLink,
  readMembership,
  signOut,
  takeSecondFactor,
} from "#/server/identity/provision.ts";

const usage = `Usage: npm run people -- COMMAND
  list                                      everybody, with their duties
  invite-administrator                      a link to become the first administrator, where there is none
  invite-administrator --name N --login L   a further administrator of all sites
  add --name N --login L --role R ...       somebody new; L: e-mail address or user name; R: role@site or role@*, for operators also
                                            operator@site:area/line,area/line; several --role are several duties
      [--password-file F] [--pin-file F]    can sign in at once; without, a link to choose a password is printed
  new-link --login L                        a link to choose another password
  reset-second-factor --login L             signs in without a code again, and sets up another authenticator
  sign-out --login L                        signed out everywhere`;

/** An end that the person at the terminal understands: printed as it is, with exit code 1. */
class Ended extends Error {
  override name = "Ended";
}

const options = {
  name: { type: "string" },
  login: { type: "string" },
  role: { type: "string", multiple: true },
  "password-file": { type: "string" },
  "pin-file": { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

function readArguments() {
  try {
    return parseArgs({ allowPositionals: true, options });
  } catch (error) {
    throw new Ended(`${error instanceof Error ? error.message : error}\n${usage}`);
  }
}

async function main(): Promise<void> {
  const { positionals, values } = readArguments();
  const [command, ...more] = positionals;
  if (values.help) return console.log(usage);
  if (command === undefined || more.length > 0) throw new Ended(usage);
  checkEnvironment();
  const ctx = commandLine(userInfo().username);
  const login = () => needed(values.login, "--login");
  switch (command) {
    case "list":
      for (const { name, login: typed, state, duties } of await everybody(db)) console.log([name, typed, state, duties].join("\t"));
      return;
    case "invite-administrator": {
      if (values.name === undefined && values.login === undefined) {
        const link = await firstAdministratorLink(ctx);
        if (!link) throw new Ended("There is an administrator. Invite a further one with --name and --login, or help one in with new-link.");
        return print(link, "Whoever opens this becomes the first administrator:");
      }
      const memberships = [{ role: "administrator", site: null, lines: [] } as const];
      const { link } = await addPerson(ctx, { name: needed(values.name, "--name"), login: login(), memberships, password: null, pin: null });
      return print(link, `${values.name} chooses a password here:`);
    }
    case "add": {
      const name = needed(values.name, "--name");
      const memberships = (values.role ?? []).map(readMembership);
      const [password, pin] = [fromFile(values["password-file"]), fromFile(values["pin-file"])];
      const { link } = await addPerson(ctx, { name, login: login(), memberships, password, pin });
      return link ? print(link, `${name} chooses a password here:`) : console.log(`${name} can sign in.`);
    }
    case "new-link":
      return print(await passwordLink(ctx, login()), "For the person alone:");
    case "reset-second-factor":
      await takeSecondFactor(ctx, login());
      return console.log(`${values.login} signs in without a code, and is signed out everywhere.`);
    case "sign-out":
      return console.log(`Ended ${await signOut(ctx, login())} sessions.`);
    default:
      throw new Ended(usage);
  }
}

/** @throws Ended that names each wrong variable */
function checkEnvironment(): void {
  try {
    env();
    identityEnv();
  } catch (error) {
    throw new Ended(error instanceof Error ? error.message : String(error));
  }
}

function needed(value: string | undefined, option: string): string {
  if (value === undefined || value.trim() === "") throw new Ended(`${option} is missing.\n${usage}`);
  return value;
}

/** The first line; null where no file is named. */
function fromFile(file: string | undefined): string | null {
  if (file === undefined) return null;
  try {
    return readFileSync(file, "utf8").split("\n")[0]?.trim() ?? "";
  } catch (error) {
    throw new Ended(`${file} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
}

function print(link: Link | null, what: string): void {
  if (link) console.log(`${what}\n${link.url}\nIt opens once, until ${link.expiresAt.toISOString()}.`);
}

function sentenceOf(error: unknown): string | null {
  if (error instanceof Ended || error instanceof Refusal) return error.message;
  if (isDatabaseAway(error)) return "The database cannot be reached. Is it running, and is DATABASE_URL right?";
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code.startsWith("28")) return `The database refuses the sign-in: ${error instanceof Error ? error.message : error}. Check DATABASE_URL.`;
  if (code === "42P01" || code === "42703") return "This database has no Takt schema yet, or an older one. Run: npm run migrate";
  return null;
}

try {
  await main();
} catch (error) {
  const sentence = sentenceOf(error);
  if (sentence === null) console.error(error);
  else for (const line of sentence.split("\n")) console.error(error instanceof Ended && line.startsWith(" ") ? line : `takt people: ${line}`);
  process.exitCode = 1;
} finally {
  await closePool();
}

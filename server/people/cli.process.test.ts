// The command line of people and the first start, as whoever has the machine uses them.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aDatabase, aLine, type TestDatabase } from "#/server/testing.ts";

const root = resolve(import.meta.dirname, "../..");
const secret = "a secret of the tests that is long enough";
let db: TestDatabase;
let folder: string;
beforeAll(async () => {
  db = await aDatabase();
  folder = mkdtempSync(join(tmpdir(), "takt-people-"));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await db.drop();
});

type Ran = { code: number; out: string; err: string };
const run = (args: string[], env: Record<string, string> = {}): Promise<Ran> =>
  new Promise((done) => {
    const { AUTH_SECRET: _a, AUTH_SECRET_FILE: _f, PUBLIC_URL: _u, ...rest } = process.env;
    execFile(process.execPath, args, { cwd: root, env: { ...rest, DATABASE_URL: db.url, ...env } }, (error, out, err) =>
      done({ code: typeof error?.code === "number" ? error.code : 0, out, err }),
    );
  });
const people = (...args: string[]) => run(["server/people/cli.ts", ...args], { AUTH_SECRET: secret, PUBLIC_URL: "https://takt.example.com" });

describe("npm run people", () => {
  it("prints a link for the first administrator while there is none, then none", async () => {
    const first = await people("invite-administrator");
    expect(first).toMatchObject({ code: 0, err: "" });
    expect(first.out).toMatch(/^https:\/\/takt\.example\.com\/link#[\w-]{43}$/m);
    const passwordFile = join(folder, "password");
    writeFileSync(passwordFile, "a few words in a row\n");
    const added = await people("add", "--name", "Ada", "--login", "ada@example.com", "--role", "administrator@*", "--password-file", passwordFile);
    expect(added).toEqual({ code: 0, out: "Ada can sign in.\n", err: "" });
    expect(await people("invite-administrator")).toMatchObject({ code: 1, err: expect.stringContaining("There is an administrator.") });
    expect((await people("list")).out).toBe("Ada\tada@example.com\tactive\tadministrator@*\n");
  });

  it("adds people with their lines, and says in words what is none", async () => {
    const { siteId } = await aLine(db);
    const [place] = await db.rows<{ site: string; line: string }>(
      "select s.key as site, a.key || '/' || l.key as line from line l join area a on a.id = l.area_id join site s on s.id = a.site_id where s.id = $1",
      [siteId],
    );
    const ole = await people("add", "--name", "Ole", "--login", "ole", "--role", `operator@${place?.site}:${place?.line}`);
    expect(ole.out).toMatch(/link#/);
    expect((await people("new-link", "--login", "OLE")).out).toMatch(/link#/);
    const wrong: [string[], RegExp][] = [
      [["add", "--name", "Eve", "--login", "two words", "--role", "viewer@*"], /is no address and no user name/],
      [["add", "--name", "Eve", "--login", "eve", "--role", "boss@*"], /is no role at a site/],
      [["add", "--name", "Eve", "--login", "eve", "--role", "viewer@nowhere"], /There is no site nowhere/],
      [["add", "--login", "eve"], /--name is missing/],
      [["new-link", "--login", "nobody"], /Nobody has the address/],
      [["reset-second-factor", "--login", "ole"], /has no second factor/],
      [["frobnicate"], /Usage/],
    ];
    for (const [args, sentence] of wrong) expect([args, await people(...args)]).toEqual([args, { code: 1, out: "", err: expect.stringMatching(sentence) }]);
  });

  it("needs a secret, and says so in one line", async () => {
    const { code, out, err } = await run(["server/people/cli.ts", "list"]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toMatch(/^takt people: AUTH_SECRET is missing: .*\n$/);
  });
});

describe("npm start", () => {
  it("ends at once without a secret, in one line", async () => {
    const { code, err } = await run(["scripts/start.ts", "--port", "49207"]);
    expect(code).toBe(1);
    expect(err).toMatch(/^takt: AUTH_SECRET is missing: .*\n$/);
  });
});

describe("the demo's accounts", () => {
  it("are made in no database but the demo's own", async () => {
    const { code, err } = await run(["scripts/demo/seed-people.ts", folder], { AUTH_SECRET: secret });
    expect(code).toBe(1);
    expect(err).toMatch(/not the demo's|demo's own database/);
    expect(await db.rows("select from person where username = 'supervisor'")).toEqual([]);
  });
});

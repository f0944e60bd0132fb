import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";

let db: TestDatabase;
let dir: string;
const example = /```yaml\n(enterprise[\s\S]*?)```/.exec(readFileSync("docs/plant-file.md", "utf8"))?.[1] ?? "";
beforeAll(async () => {
  db = await aDatabase();
  dir = mkdtempSync(join(tmpdir(), "takt-plant-"));
});
afterAll(async () => {
  await db.drop();
  rmSync(dir, { recursive: true });
});

type Ended = { code: number; out: string; err: string };
const plant = (args: string[], databaseUrl = db.url): Promise<Ended> =>
  new Promise((resolve) => {
    const child = execFile(process.execPath, ["server/plant/cli.ts", ...args], { env: { ...process.env, DATABASE_URL: databaseUrl } }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    );
    child.stdin?.end();
  });
function file(text: string | Buffer): string {
  const path = join(dir, `${Math.random().toString(36).slice(2)}.yaml`);
  writeFileSync(path, text);
  return path;
}

describe("npm run plant", () => {
  it("check: good and bad", async () => {
    const good = file(example);
    expect(await plant(["check", good], "")).toEqual({
      code: 0,
      out: `${good}: no mistakes found. Sites 1, lines 1, machines 2, signals 7, products 2.\n`,
      err: "",
    });
    const bad = file("enterprise: { key: acme }\nsites:\n  - key: a/b\n    zone: Mars\n");
    const { code, err } = await plant(["check", bad], "");
    expect(code).toBe(1);
    expect(err.split("\n").slice(0, 3)).toEqual([
      `${bad}:3:10: site a/b: "key" must be 1 to 64 letters, digits, '.', '_' or '-', and begin with a letter or digit: it becomes part of topics and addresses`,
      `${bad}:4:11: site a/b: there is no time zone "Mars"; write it as the IANA database does, such as Europe/Berlin, America/Chicago or UTC`,
      "takt plant: 2 mistakes. Nothing was changed.",
    ]);
  });

  it("files that cannot be read", async () => {
    expect((await plant(["check", "/nowhere.yaml"])).err).toBe(
      "takt plant: /nowhere.yaml cannot be read: ENOENT: no such file or directory, open '/nowhere.yaml'\n",
    );
    const latin = file(Buffer.from("enterprise: { key: a, name: K\xf6ln }", "latin1"));
    expect((await plant(["check", latin])).err).toBe(`takt plant: ${latin} is not UTF-8 text. Save it as UTF-8.\n`);
    expect((await plant(["check"])).err).toContain("Usage: npm run plant -- check FILE");
    expect((await plant(["change", latin])).code).toBe(1);
  });

  it("apply: shows, asks, applies, and then has nothing to do; export gives it back", async () => {
    const path = file(example);
    const dry = await plant(["apply", path, "--dry-run"]);
    expect(dry.code).toBe(0);
    expect(dry.out).toContain('+ line berlin/press-shop/line-1 "Line 1" with 2 machines, 7 signals');
    const unasked = await plant(["apply", path]);
    expect(unasked).toMatchObject({
      code: 1,
      err: "takt plant: There is no terminal to ask at. Look at the changes above, then give --yes. Nothing was changed.\n",
    });
    expect((await db.rows("select from site")).length).toBe(0);
    expect(await plant(["export"])).toMatchObject({ code: 1, err: "takt plant: The database holds no plant yet. Fill it with: npm run plant -- apply FILE\n" });
    expect(await plant(["apply", path, "--yes"])).toMatchObject({ code: 0, err: "" });
    expect(await plant(["apply", path, "--yes"])).toEqual({ code: 0, out: "Nothing to change.\n", err: "" });
    const { out, code, err } = await plant(["export"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(await plant(["apply", file(out), "--yes"])).toEqual({ code: 0, out: "Nothing to change.\n", err: "" });
  });

  it("export into a file, through npm, which writes to standard output itself", async () => {
    const written = join(dir, "written.yaml");
    const npm = (...args: string[]): Promise<Ended> =>
      new Promise((resolve) => {
        execFile("npm", ["run", "plant", "--", ...args], { env: { ...process.env, DATABASE_URL: db.url } }, (error, out, err) =>
          resolve({ code: error ? Number(error.code) : 0, out, err }),
        );
      });
    writeFileSync(written, "what was there before");
    expect(await npm("export", written)).toMatchObject({ code: 0, out: expect.stringMatching(`${written}: written.\n$`) });
    expect(await npm("check", written)).toMatchObject({ code: 0, out: expect.stringContaining("no mistakes found. Sites 1, lines 1, machines 2") });
    expect(readFileSync(written, "utf8")).toBe((await plant(["export"])).out);
    expect(await plant(["export", dir])).toMatchObject({ code: 1, err: `takt plant: ${dir} is there and is no file. Nothing was written.\n` });
    expect((await plant(["export", join(dir, "no-folder/plant.yaml")])).err).toContain("cannot be written: ENOENT");
    expect(readdirSync(dir).filter((name) => name.endsWith(".part"))).toEqual([]);
  });

  it("two at once: one changes, the other sees that nothing is left or that the plant moved on", async () => {
    const path = file(example.replace("name: Line 1", "name: Line One"));
    const both = await Promise.all([plant(["apply", path, "--yes"]), plant(["apply", path, "--yes"])]);
    expect(both.some(({ code, out }) => code === 0 && out.endsWith("Applied.\n"))).toBe(true);
    for (const { code, err, out } of both) {
      if (code === 0) expect(out).toMatch(/(Applied|Nothing to change)\.\n$/);
      else expect(err).toBe("takt plant: The plant was changed by someone else in the meantime. Nothing was changed; apply again to see what would be now.\n");
    }
    expect((await db.rows("select from line where name = 'Line One'")).length).toBe(1);
  });

  it("says in one line why the database will not do", async () => {
    const path = file(example);
    const refused = new URL(db.url);
    refused.password = "wrong";
    const nowhere = new URL(db.url);
    nowhere.pathname = "/no_such_database";
    const closed = new URL(db.url);
    closed.port = "1";
    const one = async (url: string) => {
      const { code, err } = await plant(["apply", path, "--yes"], url);
      expect(code).toBe(1);
      return err;
    };
    expect(await one("")).toMatch(/^takt plant: DATABASE_URL is missing: /);
    expect(await one("mysql://x")).toMatch(/^takt plant: DATABASE_URL must begin with postgres:\/\/ or postgresql:\/\/\n$/);
    expect(await one(refused.href)).toMatch(/^takt plant: The database refuses the sign-in: .*Check user and password in DATABASE_URL\.\n$/);
    expect(await one(nowhere.href)).toBe('takt plant: database "no_such_database" does not exist. Create it, or check the name in DATABASE_URL.\n');
    expect(await one(closed.href)).toMatch(/^takt plant: The database cannot be reached \(.*ECONNREFUSED.*\)\. Is it running, and is DATABASE_URL right\?\n$/);
    const bare = new URL(db.adminUrl);
    bare.pathname = "/template1";
    expect(await one(bare.href)).toBe("takt plant: This database has no Takt schema yet. Run: npm run migrate\n");
    expect((await plant(["export"], closed.href)).err).toMatch(/^takt plant: The database cannot be reached/);
  });

  it("asks at a terminal and takes no for an answer", async () => {
    const path = file(example.replace("name: Line 1", "name: Line 2"));
    // `script` gives the program a terminal.
    const child = spawn("script", ["-qec", `${process.execPath} server/plant/cli.ts apply ${path}`, "/dev/null"], {
      env: { ...process.env, DATABASE_URL: db.url },
    });
    let seen = "";
    let answered = false;
    child.stdout.on("data", (data) => {
      seen += String(data);
      if (answered || !seen.includes("[y/N]")) return;
      answered = true;
      child.stdin.write("n\n");
    });
    const code = await new Promise((resolve) => child.once("close", resolve));
    expect(seen).toContain("Nothing was changed.");
    expect(code).toBe(1);
    expect((await db.rows("select from line where name = 'Line 2'")).length).toBe(0);
  });
});

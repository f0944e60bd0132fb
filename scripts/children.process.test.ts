import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { startChild } from "./children.ts";
import { gone, isAlive } from "./embedded/processes.ts";
import { childEnv, projectRoot } from "./env.ts";

const work = mkdtempSync(join(tmpdir(), "takt-children-"));
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** A program of one line of JavaScript. */
function aProgram(code: string, name = "thing") {
  const file = join(work, `${name}-${Math.random().toString(36).slice(2)}.mjs`);
  writeFileSync(file, code);
  const said: string[] = [];
  const lines: string[] = [];
  const logFile = `${file}.log`;
  return {
    program: { name, args: [file], env: {}, logFile, keep: true, say: (line: string) => said.push(line), onLine: (line: string) => lines.push(line) },
    said,
    lines,
    logFile,
  };
}
/** Until a condition holds; the test's own time limit ends the wait. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe("startChild", () => {
  it("starts a program that dies again, says so, and keeps what it wrote in its log", async () => {
    const { program, said, lines, logFile } = aProgram("console.log(process.pid); console.error('why'); setTimeout(() => process.exit(3), 50)");
    const child = startChild(program);
    await until(() => lines.length === 2);
    await child.stop(1000);
    expect(said[0]).toMatch(/^The thing ended \(exit code 3\); starting it again in 1 s\. See /);
    expect(new Set(lines).size).toBe(2);
    expect(readFileSync(logFile, "utf8")).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z why$/m);
  });

  it("stops one that listens in order, and kills one that does not", async () => {
    const polite = aProgram("process.on('SIGTERM', () => { console.log('bye'); process.exit(0) }); console.log(process.pid); setInterval(() => {}, 1000)");
    const deaf = aProgram("process.on('SIGTERM', () => {}); console.log(process.pid); setInterval(() => {}, 1000)");
    const [one, two] = [startChild(polite.program), startChild(deaf.program)];
    await until(() => polite.lines.length === 1 && deaf.lines.length === 1);
    await Promise.all([one.stop(5000), two.stop(200)]);
    expect(polite.lines).toContain("bye");
    expect([...polite.lines, ...deaf.lines].map(Number).filter((pid) => pid > 0 && isAlive(pid))).toEqual([]);
    expect([...polite.said, ...deaf.said]).toEqual([]);
    expect(await one.ended).toBeNull();
  });

  it("stops one that stands still", async () => {
    const { program, lines } = aProgram("console.log(process.pid); setInterval(() => {}, 1000)");
    const child = startChild(program);
    await until(() => lines.length === 1);
    child.pause();
    await child.stop(5000);
    expect(isAlive(Number(lines[0]))).toBe(false);
  });

  it("tells the exit code of one that is not kept", async () => {
    const { program } = aProgram("process.exit(7)");
    expect(await startChild({ ...program, keep: false }).ended).toBe(7);
  });

  it("ends with a parent that was killed", async () => {
    const parent = join(work, "parent.mjs");
    const inner = aProgram("console.log(process.pid); setInterval(() => {}, 1000)");
    const { name, args, env, logFile } = inner.program;
    writeFileSync(
      parent,
      `import { startChild } from ${JSON.stringify(join(projectRoot, "scripts/children.ts"))};
       startChild({ ...${JSON.stringify({ name, args, env, logFile, keep: true })}, say: console.log, onLine: (line) => console.log(line) });`,
    );
    const outer = spawn(process.execPath, [parent], { stdio: ["ignore", "pipe", "inherit"] });
    const pid = await new Promise<number>((resolve) => outer.stdout.once("data", (line: Buffer) => resolve(Number(line.toString()))));
    expect(isAlive(pid)).toBe(true);
    outer.kill("SIGKILL");
    expect(await gone(pid, 5000)).toBe(true);
  });
});

describe("npm run", () => {
  it("hands exit codes and sentences on, and names the commands there are", () => {
    const bootstrap = (args: string[]) => {
      try {
        return {
          code: 0,
          said: execFileSync(process.execPath, ["scripts/run.mjs", ...args], {
            cwd: projectRoot,
            env: childEnv({ DATABASE_URL: "", MQTT_URL: "" }),
            encoding: "utf8",
            stdio: "pipe",
          }),
        };
      } catch (error) {
        const { status, stderr } = error as { status: number; stderr: string };
        return { code: status, said: stderr };
      }
    };
    expect(bootstrap(["nothing"])).toEqual({ code: 1, said: expect.stringContaining('takt: There is no command "nothing". There are: demo, dev, test') });
    expect(bootstrap(["migrate"])).toEqual({
      code: 1,
      said: "takt: DATABASE_URL is not set. Set it to your database, or start the embedded one with: npm run embedded -- up\n",
    });
    expect(bootstrap(["embedded", "sideways"])).toEqual({ code: 1, said: "takt: Usage: npm run embedded -- up | down | status [--name NAME]\n" });
    expect(bootstrap(["embedded", "status", "--name", "nobody-home"])).toEqual({ code: 0, said: "Not running. Start with: npm run embedded -- up\n" });
  });
});

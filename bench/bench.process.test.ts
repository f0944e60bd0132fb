// That every figure can be taken and is told as promised. Whether it is met is not asked here: a test machine is not quiet.
import { execFile } from "node:child_process";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { projectRoot } from "#/scripts/env.ts";
import { targetText } from "./figure.ts";
import { figures } from "./figures.ts";

const line = z.strictObject({ figure: z.string(), value: z.number(), unit: z.string(), target: z.string(), ok: z.boolean() });

function bench(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ["bench/main.ts", ...args], { cwd: projectRoot, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

describe("npm run bench", () => {
  it("takes every figure of the ingest worker, loses nothing, and prints a line of JSON for each", { timeout: 600_000 }, async () => {
    const wanted = figures.filter(({ name }) => name.startsWith("ingest."));
    const { stdout, stderr } = await bench("ingest", "--seconds", "2", "--now", "--json");
    const lines = stdout
      .trim()
      .split("\n")
      .map((text) => line.parse(JSON.parse(text)));
    expect(
      lines.map(({ figure, unit, target }) => ({ figure, unit, target })),
      stderr,
    ).toEqual(wanted.map(({ name, unit, target }) => ({ figure: name, unit, target: targetText(target) })));
    expect(stderr).toContain("durability: fsync on, full_page_writes on, synchronous_commit on");
    expect(stderr).toContain("Shortened: measured for 2 s");
    expect(stderr).toContain("CPU in % of one core: worker");
    expect(stderr).not.toMatch(/[1-9]\d* are missing|were set aside; the load/);
    expect(lines.find(({ figure }) => figure === "ingest.overload")?.value).toBe(0);
  });

  it("says which figures there are when it does not know the name", async () => {
    const { code, stderr } = await bench("ingest.singel");
    expect(code).toBe(1);
    expect(stderr).toContain('There is no figure "ingest.singel". There are: ingest.single, ');
  });
});

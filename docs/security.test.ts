import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const text = readFileSync(join(root, "docs/security.md"), "utf8");

/** OWASP ASVS 5.0.0: all requirements of level 1. */
const levelOne = {
  "V1.2": [1, 2, 3, 4, 5],
  "V1.3": [1, 2],
  "V1.5": [1],
  "V2.1": [1],
  "V2.2": [1, 2],
  "V2.3": [1],
  "V3.2": [1, 2],
  "V3.3": [1],
  "V3.4": [1, 2],
  "V3.5": [1, 2, 3],
  "V4.1": [1],
  "V4.4": [1],
  "V5.2": [1, 2],
  "V5.3": [1, 2],
  "V6.1": [1],
  "V6.2": [1, 2, 3, 4, 5, 6, 7, 8],
  "V6.3": [1, 2],
  "V6.4": [1, 2],
  "V7.2": [1, 2, 3, 4],
  "V7.4": [1, 2],
  "V8.1": [1],
  "V8.2": [1, 2],
  "V8.3": [1],
  "V9.1": [1, 2, 3],
  "V9.2": [1],
  "V10.4": [1, 2, 3, 4, 5],
  "V11.3": [1, 2],
  "V11.4": [1],
  "V12.1": [1],
  "V12.2": [1, 2],
  "V13.4": [1],
  "V14.2": [1],
  "V14.3": [1],
  "V15.1": [1],
  "V15.2": [1],
  "V15.3": [1],
};
const wanted = Object.entries(levelOne).flatMap(([section, numbers]) => numbers.map((n) => `${section}.${n}`));
const rows = text.split("\n").flatMap((line) => {
  const [, point, asked = "", how = "", shown = ""] = line.split(" | ").length >= 4 ? line.split(/(?:^\| | \| | \|$)/) : [];
  return point && /^V\d+\.\d+\.\d+$/.test(point) ? [{ point, asked, how, shown }] : [];
});

describe("docs/security.md", () => {
  it("walks every point of level 1, once, in order", () => {
    expect(wanted).toHaveLength(70);
    expect(rows.map(({ point }) => point)).toEqual(wanted);
  });

  it("says of every point how, and shows it by a test, or says why there is none", () => {
    for (const { point, asked, how, shown } of rows) {
      expect(asked.trim() !== "" && how.trim() !== "", point).toBe(true);
      const isLeft = /does not apply|\*Operator\*|\(#libraries\)|^none$/.test(how.trim());
      if (!isLeft) expect(shown, `${point} names a test`).toMatch(/`[^`]+\.(test|spec)\.ts`/);
    }
  });

  it("names tests and files that are there", () => {
    const named = [...text.matchAll(/`((?:app|components|docs|e2e|ingest-worker|prisma|scripts|server|simulator)\/[^`\s]+\.\w+)`/g)].map(
      ([, path]) => path ?? "",
    );
    expect(named.length).toBeGreaterThan(80);
    expect([...new Set(named)].filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it("leads to pages that are there", () => {
    for (const [, page] of text.matchAll(/\]\(([\w-]+\.md)\)/g)) expect(existsSync(join(root, "docs", page ?? "")), page).toBe(true);
  });
});

/** For tests of plant files: small files, and what is said of them. */
import { expect } from "vitest";
import { readPlantFile, writeComplaint } from "./read-file.ts";

/** Each complaint with its line, and what stands in the text at its place. */
export const told = (text: string) =>
  readPlantFile(text).complaints.map((complaint) => {
    const said = writeComplaint("plant.yaml", complaint);
    const place = `plant.yaml:${complaint.line}:${complaint.column}: `;
    expect(said.startsWith(place)).toBe(true);
    return `${complaint.line} at ${(text.split("\n")[complaint.line - 1] ?? "").slice(complaint.column - 1, complaint.column + 11)}| ${said.slice(place.length)}`;
  });

/** A small plant whose lines are numbered in the tests by what is put into it. */
export const around = (inSite: string) => `enterprise: { key: acme }
product_lines:
  - { key: housings, products: [{ key: H-100 }] }
sites:
  - key: berlin
    zone: Europe/Berlin
${inSite.replaceAll(/^/gm, "    ")}`;

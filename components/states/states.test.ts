import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const css = readFileSync(join(import.meta.dirname, "states.css"), "utf8");
/** Colours of one theme by name, as they stand in the style sheet. */
function colours(theme: "light" | "dark"): Record<string, string> {
  const block = css.slice(css.indexOf(`[data-theme="${theme}"]`)).match(/\{([^}]*)\}/)?.[1] ?? "";
  return Object.fromEntries([...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map((match) => [match[1], match[2]]));
}

type Rgb = [number, number, number];
const linear = (hex: string): Rgb =>
  [1, 3, 5].map((at) => ((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))(Number.parseInt(hex.slice(at, at + 2), 16) / 255)) as Rgb;
const luminance = ([r, g, b]: Rgb) => 0.2126 * r + 0.7152 * g + 0.0722 * b;
/** WCAG 2.2. */
function contrast(a: string, b: string): number {
  const [high = 0, low = 0] = [luminance(linear(a)), luminance(linear(b))].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

/** What eyes without one kind of cone see, in linear RGB: Machado, Oliveira and Fernandes 2009, severity 1. */
const eyes: Record<string, number[]> = {
  normal: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  protanopia: [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
  deuteranopia: [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
  tritanopia: [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
};
/** CIE L*a*b*, D65. */
function lab(rgb: Rgb, matrix: number[]): Rgb {
  const [r = 0, g = 0, b = 0] = [0, 3, 6].map((at) =>
    Math.min(1, Math.max(0, (matrix[at] ?? 0) * rgb[0] + (matrix[at + 1] ?? 0) * rgb[1] + (matrix[at + 2] ?? 0) * rgb[2])),
  );
  const f = (t: number) => (t > 216 / 24389 ? Math.cbrt(t) : ((24389 / 27) * t + 16) / 116);
  const x = f((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
  const y = f(0.2126729 * r + 0.7151522 * g + 0.072175 * b);
  const z = f((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}
const difference = (a: string, b: string, matrix: number[]) => {
  const [p, q] = [lab(linear(a), matrix), lab(linear(b), matrix)];
  return Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
};

/** Kinds that must not be taken for each other at a glance. Planned and unknown are both grey on purpose: shape, hatching and word tell them apart. */
const kinds = ["state-run", "state-down", "state-changeover", "state-external", "state-unknown"];

describe.each(["light", "dark"] as const)("%s", (theme) => {
  const is = colours(theme);
  it("text has a contrast of 4.5 on every ground it stands on", () => {
    for (const ground of ["ground", "card", "card-alert"]) {
      for (const ink of ["ink", "dim"]) expect([ink, ground, contrast(is[ink] ?? "", is[ground] ?? "") >= 4.5]).toEqual([ink, ground, true]);
    }
  });
  it("state words have it too", () => {
    for (const kind of [...kinds, "state-planned"]) expect([kind, contrast(is[kind] ?? "", is.card ?? "") >= 4.5]).toEqual([kind, true]);
    expect(contrast(is["state-down"] ?? "", is["card-alert"] ?? "")).toBeGreaterThanOrEqual(4.5);
    expect(contrast(is["state-unknown"] ?? "", is.hatch ?? "")).toBeGreaterThanOrEqual(4.5);
    expect(contrast(is["state-external"] ?? "", is.ground ?? "")).toBeGreaterThanOrEqual(4.5);
  });
  it.each(Object.keys(eyes))("kinds are told apart by eyes with %s", (eye) => {
    for (const [i, a] of kinds.entries()) {
      // 10 is several times what is just noticed; down and run, the pair that matters most, are further apart
      for (const b of kinds.slice(i + 1)) expect([a, b, difference(is[a] ?? "", is[b] ?? "", eyes[eye] ?? []) >= 10]).toEqual([a, b, true]);
    }
    expect(difference(is["state-run"] ?? "", is["state-down"] ?? "", eyes[eye] ?? [])).toBeGreaterThan(20);
  });
});

import { describe, expect, it } from "vitest";
import { ledgerOf, sixOClock, type TestLine } from "./ledger-testing.ts";
import { effective, type StopEdit } from "./stop-edits.ts";

const at = (s: number) => sixOClock + s * 1000;
/** Run, down 1,000 to 2,000 s, run, down 3,000 to 3,200 s (a micro-stop), run, unknown 5,000 to 6,000 s, run to 8,000 s. Break 7,000 to 7,500 s, run through. */
const line = (...edits: StopEdit[]): TestLine => ({
  to: 8_000,
  now: 9_000,
  shifts: [{ from: 0, to: 8_000, breaks: [[7_000, 7_500]] }],
  losses: { bearing: "breakdown", cleaning: "planned", setup: "changeover", jam: "minor_stop", no_material: "external" },
  machines: {
    1: {
      edits,
      dead: [[5_000, 6_000]],
      states: [
        [-10, "run"],
        [1_000, "down"],
        [2_000, "run"],
        [3_000, "down"],
        [3_200, "run"],
      ],
    },
  },
});
/** Kind, seconds, reason, and how many stops they are. */
function told(...edits: StopEdit[]) {
  const rows: { name: string; from: number; to: number }[] = [];
  for (const { kind, from, to, reason, stopFrom } of ledgerOf(line(...edits)).machines.get(1)?.segments ?? []) {
    const name = `${kind}${reason ? ` ${reason}` : ""}${stopFrom === null ? "" : ` #${(stopFrom - sixOClock) / 1000}`}`;
    const row = { name, from: (from - sixOClock) / 1000, to: (to - sixOClock) / 1000 };
    const last = rows.at(-1);
    if (last?.name === name && last.to === row.from) last.to = row.to;
    else rows.push(row);
  }
  return rows.map(({ name, from, to }) => `${from}-${to} ${name}`);
}
const untouched = ["0-1000 run", "1000-2000 down #1000", "2000-3000 run", "3000-3200 micro_stop #3000", "3200-5000 run", "5000-6000 unknown", "6000-8000 run"];
const but = (changes: Record<number, string[]>) => untouched.flatMap((row, i) => changes[i] ?? [row]);

describe("an edit", () => {
  it("of nothing leaves the ledger as it is; so does one whose stop is not there any more", () => {
    expect(told()).toEqual(untouched);
    expect(
      told(
        { id: "1", kind: "reclassify", at: at(500), reason: "bearing" },
        { id: "2", kind: "split", at: at(500) },
        { id: "3", kind: "false_stop", at: at(2_500) },
      ),
    ).toEqual(untouched);
  });

  it("gives a reason, and with it the kind that the reason's loss is; what it sets is final", () => {
    const reclassify = (reason: string | null, s = 1_500): StopEdit => ({ id: reason ?? "none", kind: "reclassify", at: at(s), reason });
    expect(told(reclassify("bearing"))).toEqual(but({ 1: ["1000-2000 down bearing #1000"] }));
    expect(told(reclassify("setup"))).toEqual(but({ 1: ["1000-2000 changeover setup #1000"] }));
    expect(told(reclassify("jam"))).toEqual(but({ 1: ["1000-2000 micro_stop jam #1000"] }));
    expect(told(reclassify("cleaning"))).toEqual(but({ 1: ["1000-2000 planned_stop cleaning #1000"] }));
    expect(told(reclassify("no_material"))).toEqual(but({ 1: ["1000-2000 starved no_material #1000"] }));
    // 200 s said to be a breakdown are down, and no micro-stop
    expect(told(reclassify("bearing", 3_100))).toEqual(but({ 3: ["3000-3200 down bearing #3000"] }));
    expect(told(reclassify("bearing"), reclassify(null))).toEqual(but({}));
  });

  it("splits: each part is judged by its own length", () => {
    expect(told({ id: "1", kind: "split", at: at(1_200) })).toEqual(but({ 1: ["1000-1200 micro_stop #1000", "1200-2000 down #1200"] }));
    expect(told({ id: "1", kind: "split", at: at(1_200) }, { id: "2", kind: "reclassify", at: at(1_300), reason: "setup" })).toEqual(
      but({ 1: ["1000-1200 micro_stop #1000", "1200-2000 changeover setup #1200"] }),
    );
  });

  it("merges what lies between, and the first one's reason holds", () => {
    expect(told({ id: "1", kind: "reclassify", at: at(1_500), reason: "bearing" }, { id: "2", kind: "merge", from: at(1_500), to: at(3_100) })).toEqual([
      "0-1000 run",
      "1000-3200 down bearing #1000",
      ...untouched.slice(4),
    ]);
  });

  it("trims: what is left over was run; shorter than a micro-stop may be, it is one", () => {
    expect(told({ id: "1", kind: "trim", at: at(1_500), from: at(1_100), to: at(1_900) })).toEqual([
      "0-1100 run",
      "1100-1900 down #1100",
      "1900-3000 run",
      ...untouched.slice(3),
    ]);
    expect(told({ id: "1", kind: "trim", at: at(1_500), from: at(1_100), to: at(1_300) })[1]).toBe("1100-1300 micro_stop #1100");
  });

  it("adds one, also in unknown time; the calendar's time stays, where the machine stood and where it did not run", () => {
    expect(told({ id: "1", kind: "add", from: at(4_000), to: at(5_500), reason: "bearing" })).toEqual([
      ...untouched.slice(0, 4),
      "3200-4000 run",
      "4000-5500 down bearing #4000",
      "5500-6000 unknown",
      "6000-8000 run",
    ]);
  });

  it("takes one away that was none", () => {
    expect(told({ id: "1", kind: "false_stop", at: at(1_000) })).toEqual(["0-3000 run", ...untouched.slice(3)]);
  });

  it("is taken back by an undo, and that by another", () => {
    const edit: StopEdit = { id: "1", kind: "false_stop", at: at(1_000) };
    const undo: StopEdit = { id: "2", kind: "undo", edit: "1" };
    expect(told(edit, undo)).toEqual(untouched);
    expect(told(edit, undo, { id: "3", kind: "undo", edit: "2" })).toEqual(told(edit));
    expect(effective([edit, undo, { id: "3", kind: "undo", edit: "2" }, { id: "4", kind: "undo", edit: "3" }])).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import { packmlStates, stateMeaning } from "./state.ts";

const number = (value: number) => ({ value, text: null });
const text = (word: string) => ({ value: null, text: word });

describe("stateMeaning", () => {
  it("maps every PackML number as the ledger's state map says", () => {
    const kinds = packmlStates.map((_, state) => stateMeaning(number(state), null).kind);
    const run = [3, 6, 12, 14, 16];
    const suspended = [5, 13];
    expect(kinds).toEqual(packmlStates.map((_, state) => (run.includes(state) ? "run" : suspended.includes(state) ? "suspended" : "down")));
    expect(packmlStates.map((_, state) => stateMeaning(number(state), null).known)).toEqual(packmlStates.map((_, state) => state > 0));
  });

  it("reads names in any case and spelling, and numbers written as text", () => {
    for (const word of ["EXECUTE", "Execute", " execute ", "6", "6.0"]) expect(stateMeaning(text(word), null)).toEqual({ kind: "run", packml: 6, known: true });
    for (const word of ["UN_HOLDING", "Un-Holding", "unholding"]) expect(stateMeaning(text(word), null)).toEqual({ kind: "run", packml: 12, known: true });
    expect(stateMeaning(text("SUSPENDED"), null)).toEqual({ kind: "suspended", packml: 5, known: true });
  });

  it("takes a value that no map knows as down and says that it is not known", () => {
    const unknown = { kind: "down", packml: null, known: false };
    for (const value of [0, 18, -1, 6.5, 1e300]) expect(stateMeaning(number(value), null)).toEqual(unknown);
    for (const word of ["", "auto", "constructor", "__proto__", "toString", "0x6", "6e0"]) expect(stateMeaning(text(word), null)).toEqual(unknown);
    expect(stateMeaning({ value: null, text: null }, null)).toEqual(unknown);
  });

  it("lets the signal's own map win, by number, name or kind, and reads what it does not name as PackML", () => {
    const map = {
      "1": "down",
      "2": "EXECUTE",
      "3": 11,
      "4": "changeover",
      Ruesten: "changeover",
      pause: "planned_stop",
      "7": "nonsense",
      "8": null,
      "9": { a: 1 },
    };
    expect(stateMeaning(number(1), map)).toEqual({ kind: "down", packml: null, known: true });
    expect(stateMeaning(number(2), map)).toEqual({ kind: "run", packml: 6, known: true });
    expect(stateMeaning(number(3), map)).toEqual({ kind: "down", packml: 11, known: true });
    expect(stateMeaning(number(4), map).kind).toBe("changeover");
    expect(stateMeaning(text("RUESTEN"), map).kind).toBe("changeover");
    expect(stateMeaning(text("Pause"), map).kind).toBe("planned_stop");
    expect(stateMeaning(number(6), map)).toEqual({ kind: "run", packml: 6, known: true });
    for (const wrong of [7, 8, 9]) expect(stateMeaning(number(wrong), map)).toEqual({ kind: "down", packml: null, known: false });
    expect(stateMeaning(text("__proto__"), map).known).toBe(false);
  });
});

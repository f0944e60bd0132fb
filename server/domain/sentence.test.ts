import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compiled, translated } from "./sentence.ts";

const catalogue = compiled({
  sentences: {
    "There is no machine {0}.": "Die Maschine {0} gibt es nicht.",
    "There is no {0} {1}.": "{0, word} {1} gibt es nicht.",
    "Your permissions have changed. Open this again.": "Ihre Rechte haben sich geändert. Öffnen Sie dies noch einmal.",
    "{0} is retired.": "{0} ist stillgelegt.",
    "The signal {0} belongs to {1}.": "Zu {1} gehört das Signal {0}.",
    "must be at least {0}": "muss mindestens {0} sein",
    "must be one of {0}, but is {1}": "muss eines von {0} sein, ist aber {1, maybe}",
    'must be one of {0}, but is {1}; did you mean "{2}"?': "muss eines von {0} sein, ist aber {1, maybe}; meinten Sie „{2}“?",
    "{0}: {1}": "{0, words}: {1, word}",
    '"{0}" {1}': "„{0}“ {1, word}",
    "~ {0} {1}: {2}": "~ {0, word} {1}: {2, list}",
    "One cell is wrong; nothing was imported. {0}": "Eine Zelle ist falsch; nichts wurde importiert. {0, maybe}",
  },
  parts: { "{0} {1}": "{0, word} {1}", "{0} {1} -> {2}": "{0, word} {1} -> {2, maybe}", "a list": "eine Liste", "no {0}": "kein {0, maybe}" },
  words: { machine: "Maschine", "calendar entry": "Kalendereintrag", signal: "Signal", none: "keiner", "ideal cycle": "ideale Taktzeit" },
});
const say = (text: string) => translated(text, catalogue);

describe("a sentence in another language", () => {
  it.each([
    ["There is no machine berlin/l1/m1.", "Die Maschine berlin/l1/m1 gibt es nicht.", "its value put in"],
    ["There is no calendar entry new year.", "Kalendereintrag new year gibt es nicht.", "a value that is a word of Takt's own, of two words"],
    ["There is no spoon here.", "There is no spoon here.", "a word that is not known: not from this template"],
    ["The signal a/b belongs to c.", "Zu c gehört das Signal a/b.", "another order"],
    ["There is no machine No. 1 old.", "Die Maschine No. 1 old gibt es nicht.", "a value with a full stop in it"],
    ["m1 is retired. There is no machine m2.", "m1 ist stillgelegt. Die Maschine m2 gibt es nicht.", "several"],
    [
      "m1 is retired. Your permissions have changed. Open this again.",
      "m1 ist stillgelegt. Ihre Rechte haben sich geändert. Öffnen Sie dies noch einmal.",
      "two in one",
    ],
    ["One cell is wrong; nothing was imported. m1 is retired.", "Eine Zelle ist falsch; nichts wurde importiert. m1 ist stillgelegt.", "one in another"],
    ["Must be at least 5.", "Muss mindestens 5 sein.", "made of a part: capital and full stop"],
    ["must be one of a, b, but is a list", "muss eines von a, b sein, ist aber eine Liste", "a value that may be a word"],
    ['must be one of a, b, but is "c"; did you mean "b"?', 'muss eines von a, b sein, ist aber "c"; meinten Sie „b“?', "the longer template first"],
    ['Machine m: 1, signal s: "role" must be at least 1.', "Maschine m: 1, Signal s: „role“ muss mindestens 1 sein.", "what is wrong, and where"],
    [
      "~ machine b/m: name A -> B, ideal cycle 4 -> none",
      "~ Maschine b/m: name A -> B, ideale Taktzeit 4 -> keiner",
      "a list, with what is not known as it is",
    ],
    ["machine m1", "machine m1", "a part alone"],
    ["", "", "nothing"],
  ])("%s", (english, other, _why) => expect(say(english)).toBe(other));

  it("leaves what it does not know, whatever it is", () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 80 }).filter((text) => !/[:."]|must|no /i.test(text)),
        (text) => say(text).trim() === text.trim(),
      ),
    );
  });

  it("puts in any value as it is", () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, maxLength: 40 }).filter((value) => value.trim() === value && !/[.!?]/.test(value)),
        (value) => {
          expect(say(`There is no machine ${value}.`)).toBe(`Die Maschine ${value} gibt es nicht.`);
        },
      ),
    );
  });

  it("takes little time for a text that is made to be hard to divide", () => {
    const started = performance.now();
    for (const text of ['"a" must be '.repeat(700), ": ".repeat(4_000), "~ machine : ".repeat(700), "no ".repeat(3_000), "A. ".repeat(3_000), "x".repeat(1e6)])
      say(text);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

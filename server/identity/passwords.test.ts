import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { commonPasswords } from "./common-passwords.ts";
import { isPassword, longestPassword, whyNotPassword } from "./passwords.ts";

const ann = ["Ann Example", "ann.example@plant.example", "aexample", "Meridian", "Berlin Süd"];

describe("whyNotPassword", () => {
  it.each([
    "a few words in a row",
    "Kupfer-Laterne-Umlauf",
    "пароль из слов",
    "correct horse battery",
    "jK3!xP9#qL2v",
    "Kupferlaternenumlauf26",
    "Hund, Palette und Regen",
    "Ziege84 Umlauf Nebel",
    "qwertz und Kaffee",
    "7 rote Fahrräder",
    "寿司と天ぷらを食べたい夜です",
  ])("takes %s", (text) => {
    expect(whyNotPassword(text, ann)).toBeNull();
  });
  it.each([
    ["", "tooShort"],
    ["elevenchars", "tooShort"],
    ["👩‍🏭👩‍🏭👩‍🏭", "tooShort"],
    ["x".repeat(129), "tooLong"],
    ["aaaaaaaaaaaa", "tooSimple"],
    ["abcdefghijkl", "tooSimple"],
    ["123456789012", "tooSimple"],
    ["987654321098", "tooSimple"],
    ["abc1abc1abc1", "tooSimple"],
    ["qwertyuiop12", "common"],
    ["qwerty123456", "common"],
    ["Password2026", "common"],
    ["P4ssw0rd!!!!", "common"],
    ["12dragon3456", "common"],
    ["footballfootball", "common"],
    ["qwertzuiop12", "common"], // one word with digits, to whoever guesses
    ["qwertzuiopü1", "common"],
    ["1qay2wsx3edc", "tooSimple"],
    ["1qaz2wsx3edc4rfv", "common"],
    ["asdfghjkl-yxcvbnm", "tooSimple"],
    ["lkjhgfdsa.poiuytrewq", "tooSimple"],
    ["azertyuiopqsdf", "common"], // and one word, to whoever guesses
    ["Maschine12345", "common"],
    ["M4schine!2345", "common"],
    ["2026Werkzeug!", "common"],
    ["Palette471108", "common"],
    ["машина123456", "common"],
    ["Schichtleiter99", "common"],
    ["Kupferlaterne26", "common"], // one word, of however few people's list
    ["Schichtleiter-Palette-2026", "common"],
    ["SchichtleiterPalette", "common"],
    ["Gabelstapler_Förderband", "common"],
    ["ichliebedich1", "common"],
    ["ich liebe dich 1", "common"],
    ["Hund Hund Hund", "tooSimple"],
    ["hund-hund-hund-12", "tooSimple"],
    ["Hund Katze Hund Katze", "common"],
    ["MeridianBerlin1", "aboutYou"],
    ["Palette+Meridian1", "common"],
    ["Schichtleiter Berlin", "common"],
    ["4711 0815 2026", "common"],
    ["ann.example1", "aboutYou"],
    ["AnnExample2026", "aboutYou"],
    ["takttakttakt", "tooSimple"],
    ["takt-example", "aboutYou"],
  ])("refuses %s: %s", (text, why) => {
    expect(whyNotPassword(text, ann)).toBe(why);
  });
  it("never throws, whatever is typed", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 300 }), fc.array(fc.option(fc.string({ unit: "grapheme" }), { nil: null })), (text, about) => {
        const why = whyNotPassword(text, about);
        if ([...text.normalize("NFKC")].length > longestPassword) expect(why).toBe("tooLong");
      }),
    );
  });
  it("asks a list of tens of thousands, which is part of the installation", () => {
    expect(commonPasswords().size).toBeGreaterThan(40_000);
  });
});

describe("isPassword", () => {
  it("is the same on every keyboard, and nothing longer", async () => {
    const { hashOfPassword } = await import("./passwords.ts");
    const hash = await hashOfPassword("Größe in Ångström");
    expect(await isPassword(hash, "Größe in Ångström".normalize("NFD"))).toBe(true);
    expect(await isPassword(hash, "Größe in Ångstrom")).toBe(false);
    expect(await isPassword(null, "Größe in Ångström")).toBe(false);
    const longest = "x1y2z3".repeat(21).slice(0, longestPassword);
    expect(await isPassword(await hashOfPassword(longest), `${longest}${longest}${longest}`)).toBe(false);
  });
});

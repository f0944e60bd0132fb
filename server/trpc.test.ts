import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { nobody } from "#/server/domain/permission.ts";
import { Refusal } from "#/server/errors.ts";
import { grant, personWith } from "#/server/identity/testing.ts";
import { db } from "./db.ts";
import { localeOf } from "./locale.ts";
import { type Context, inLocale, may, router } from "./trpc.ts";

process.env.AUTH_SECRET ??= "a secret of the tests, long enough to be one";
process.env.DATABASE_URL ??= "postgres://nobody@127.0.0.1:1/none";

const asked = router({
  remove: may("plant.read")
    .input(z.object({ name: z.string().min(1, "The person needs a name.") }))
    .query((): null => {
      throw new Refusal("RULE_BROKEN", "There is no machine m9. There is no plant yet.", { fields: [{ path: "address", sentence: "Must be at least 5." }] });
    }),
});

const someone: Context = { db, actor: personWith(grant("administrator", "all")), from: { address: null, userAgent: null }, now: () => new Date() };

/** What a browser gets that wants a language. */
async function answer(wanted: HeadersInit, name: string, make: () => Promise<Context> = async () => someone) {
  const input = encodeURIComponent(JSON.stringify({ json: { name } }));
  const req = new Request(`http://localhost/api/trpc/remove?input=${input}`, { headers: wanted });
  const createContext = () => inLocale(localeOf(req.headers), make);
  const response = await fetchRequestHandler({ endpoint: "/api/trpc", req, router: asked, createContext });
  const { error } = (await response.json()) as { error: { json: { message: string; data: { fields: unknown[]; kind: string } } } };
  return { status: response.status, message: error.json.message, fields: error.json.data.fields, kind: error.json.data.kind };
}

describe("what a procedure refuses", () => {
  it("is said in the language of who asks, with what is wrong with the fields", async () => {
    expect(await answer({ cookie: "takt-locale=de" }, "x")).toEqual({
      status: 422,
      kind: "RULE_BROKEN",
      message: "Die Maschine m9 gibt es nicht. Noch gibt es kein Werk.",
      fields: [{ path: "address", sentence: "Muss mindestens 5 sein." }],
    });
    const english = await answer({ cookie: "takt-locale=en", "accept-language": "de" }, "x");
    expect(english.message).toBe("There is no machine m9. There is no plant yet.");
    expect(english.fields).toEqual([{ path: "address", sentence: "Must be at least 5." }]);
  });

  it("so is what was put in wrong, and that nobody is signed in", async () => {
    expect(await answer({ "accept-language": "de-CH, en" }, "")).toMatchObject({ message: "Die Person braucht einen Namen.", status: 400 });
    const signedOut = await answer({ "accept-language": "de" }, "x", async () => ({ ...someone, actor: nobody }));
    expect(signedOut).toMatchObject({ status: 401, message: "Sie sind nicht angemeldet. Melden Sie sich an, und versuchen Sie es noch einmal." });
  });

  it("and that the database is away, where nobody can tell who asks", async () => {
    const away = await answer({ cookie: "takt-locale=de" }, "x", () => Promise.reject(Object.assign(new Error("no"), { code: "ECONNREFUSED" })));
    expect(away).toMatchObject({
      status: 500,
      kind: "DATABASE_AWAY",
      message: "Die Datenbank ist im Moment nicht erreichbar. Es wird von selbst erneut versucht.",
    });
  });
});

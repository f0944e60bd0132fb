import { describe, expect, it } from "vitest";
import { secretNames, withSecretFiles } from "./secret-file.ts";

const files: Record<string, string> = { "/run/secrets/database": "postgres://takt:hidden@db/takt\n", "/run/secrets/empty": " \n" };
const read = (path: string): string => {
  const text = files[path];
  if (text === undefined) throw Object.assign(new Error(`hidden words about ${path}`), { code: "ENOENT" });
  return text;
};

describe("withSecretFiles", () => {
  it("puts the file's text in the variable's place, without the line's end", () => {
    expect(withSecretFiles({ DATABASE_URL_FILE: "/run/secrets/database", PORT: "3000" }, secretNames, read)).toEqual({
      present: { DATABASE_URL: "postgres://takt:hidden@db/takt", DATABASE_URL_FILE: "/run/secrets/database", PORT: "3000" },
      wrong: [],
    });
  });

  it("takes a blank for not set, and leaves alone what a program does not need", () => {
    expect(withSecretFiles({ DATABASE_URL: " ", DATABASE_URL_FILE: "/run/secrets/database" }, secretNames, read).present.DATABASE_URL).toContain("hidden");
    expect(withSecretFiles({ AUTH_SECRET_FILE: "/nowhere" }, ["DATABASE_URL"], read).wrong).toEqual([]);
  });

  it("says what is wrong, and no value", () => {
    const { wrong } = withSecretFiles(
      {
        AUTH_SECRET_FILE: "/nowhere",
        SMTP_URL_FILE: "/run/secrets/empty",
        DATABASE_URL: "postgres://takt:hidden@db",
        DATABASE_URL_FILE: "/run/secrets/database",
      },
      secretNames,
      read,
    );
    expect(wrong).toEqual([
      "AUTH_SECRET_FILE names a file that cannot be read (ENOENT)",
      "DATABASE_URL and DATABASE_URL_FILE are both set: set one of them",
      "SMTP_URL_FILE names a file that is empty",
    ]);
    expect(wrong.join()).not.toContain("hidden");
  });
});

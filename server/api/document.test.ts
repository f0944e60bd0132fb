import { describe, expect, it } from "vitest";

process.env.AUTH_SECRET = "a secret of the tests, long enough to be one";
process.env.DATABASE_URL ??= "postgres://nobody@127.0.0.1:1/none";
const { document } = await import("./document.ts");
const { endpoints } = await import("./endpoints.ts");
const { endpointAt } = await import("./answer.ts");

describe("the document of /api/v1", () => {
  it("has every endpoint with its parameters, answer and errors", () => {
    const { paths, openapi } = document();
    expect(openapi).toBe("3.1.0");
    expect(Object.keys(paths)).toEqual(endpoints.map(({ path }) => path));
    const board = paths["/board/{site}/{area}/{line}"]?.get;
    expect(board?.parameters.map(({ name, in: where, required }) => [name, where, required])).toEqual([
      ["site", "path", true],
      ["area", "path", true],
      ["line", "path", true],
    ]);
    expect(JSON.stringify(board?.responses[200])).toContain("pieces_this_shift");
    for (const { get } of Object.values(paths)) expect(Object.keys(get.responses)).toEqual(["200", "401", "429", "default"]);
    expect(new Set(Object.values(paths).map(({ get }) => get.operationId)).size).toBe(endpoints.length);
  });

  it("is JSON that refers to nothing outside itself", () => {
    expect(JSON.stringify(document())).not.toMatch(/\$ref|\$schema|https?:/);
  });
});

describe("endpointAt", () => {
  it("finds an endpoint by its path, and takes what stands in it as it is", () => {
    expect(endpointAt(["lines"])?.endpoint.name).toBe("lines");
    expect(endpointAt(["board", "berlin", "press shop", "../x"])?.parameters).toEqual({ site: "berlin", area: "press shop", line: "../x" });
  });
  it("finds none for anything else", () => {
    for (const path of [[], [""], ["line"], ["lines", ""], ["board", "a", "b"], ["__proto__"], ["{site}"]]) expect(endpointAt(path)).toBeNull();
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitStatements } from "./statements.ts";

describe("splitStatements", () => {
  it("keeps semicolons inside quotes, dollar quotes and comments", () => {
    const sql = `-- head; of the file
create table a (t text default 'x;''y');
/* not; one */ create function f() returns int language sql as $x$ select 1; $x$;
insert into "odd;name" values (1) -- end;
;
`;
    expect(splitStatements(sql)).toEqual([
      { text: "create table a (t text default 'x;''y')", line: 2 },
      { text: "create function f() returns int language sql as $x$ select 1; $x$", line: 3 },
      { text: 'insert into "odd;name" values (1) -- end;', line: 4 },
    ]);
  });

  it("gives as many statements as were joined, each on its own line", () => {
    const statement = fc.constantFrom("select 1", "select ';'", "select $$a;b$$", 'select ";"', "select 1 /* ; */");
    fc.assert(
      fc.property(fc.array(statement, { maxLength: 20 }), (parts) => {
        const found = splitStatements(parts.map((part) => `${part};\n`).join(""));
        expect(found).toEqual(parts.map((text, index) => ({ text, line: index + 1 })));
      }),
    );
  });
});

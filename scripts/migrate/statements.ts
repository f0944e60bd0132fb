/** The statements of a SQL file with the line on which each begins: quotes, dollar quotes and comments are respected. */
export function splitStatements(sql: string): { text: string; line: number }[] {
  const statements: { text: string; line: number }[] = [];
  let start = 0;
  const take = (end: number) => {
    const text = withoutLeadingComments(sql.slice(start, end));
    if (text.trim() !== "") statements.push({ text: text.trim(), line: sql.slice(0, end - text.trimStart().length).split("\n").length });
    start = end + 1;
  };
  for (let at = 0; at < sql.length; ) {
    const skip = quoted(sql, at);
    if (skip > at) {
      at = skip;
      continue;
    }
    if (sql[at] === ";") take(at);
    at++;
  }
  take(sql.length);
  return statements;
}

/** The position behind a quoted text or comment that begins at `at`; `at` if none does. */
function quoted(sql: string, at: number): number {
  const end = (mark: string, from: number) => {
    const found = sql.indexOf(mark, from);
    return found < 0 ? sql.length : found + mark.length;
  };
  if (sql.startsWith("--", at)) return end("\n", at);
  if (sql.startsWith("/*", at)) return end("*/", at + 2);
  if (sql[at] === "'" || sql[at] === '"') return end(sql[at] ?? "", at + 1);
  const tag = /^\$(?:[A-Za-z_]\w*)?\$/.exec(sql.slice(at, at + 66))?.[0];
  return tag ? end(tag, at + tag.length) : at;
}

function withoutLeadingComments(text: string): string {
  return text.replace(/^(\s*--[^\n]*(\n|$)|\s*\/\*[\s\S]*?\*\/)+/, "");
}

/** The walk's result as a table of text: a row for each route, a column for each who asks; own place, then others'. */
export type Row = { name: string; action: string; cells: { allowed: boolean }[][] };

export function tableOf(columns: readonly string[], rows: readonly Row[]): string {
  const width = Math.max(...rows.map(({ name }) => name.length), 10);
  const wide = Math.max(...rows.map(({ action }) => action.length), 10);
  const cellWidth = Math.max(...rows.flatMap(({ cells }) => cells.map((cell) => cell.length)));
  const key = columns.map((column, n) => `${letterOf(n)} ${column}`).join(", ");
  const head = `${"".padEnd(width)}  ${"".padEnd(wide)}  ${columns.map((_, n) => letterOf(n).padEnd(cellWidth)).join(" ")}`;
  const lines = rows.map(({ name, action, cells }) => {
    const marks = cells.map((cell) =>
      cell
        .map(({ allowed }) => (allowed ? "+" : "·"))
        .join("")
        .padEnd(cellWidth),
    );
    return `${name.padEnd(width)}  ${action.padEnd(wide)}  ${marks.join(" ")}`;
  });
  return [`own place, (another line of the site,) another site: + open, · closed`, key, head, ...lines].join("\n");
}

const letterOf = (n: number) => String.fromCharCode("A".charCodeAt(0) + n);

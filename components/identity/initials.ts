/** Of a name, for the round sign beside it: at most two letters. */
export const initialsOf = (name: string): string =>
  name
    .split(/\s+/)
    .map((word) => [...word][0] ?? "")
    .slice(0, 2)
    .join("")
    .toLocaleUpperCase();

/**
 * Text that a database keeps. PostgreSQL has no NUL in a text, and UTF-8 no lone halves of surrogate pairs: whoever sends one gets an answer in words at the edge,
 * before anything is asked with it.
 */

/** As the sentence for the person says it; null: the text can be kept. */
export function whyNotKept(text: string): string | null {
  if (text.includes("\u0000")) return "This text holds a NUL character, which cannot be kept. Type it anew.";
  return text.isWellFormed() ? null : "This text holds half of a character, which cannot be kept. Type it anew.";
}

/** What cannot be kept of anything that was sent, each with its path in it. Names of fields are text, too. */
export function notKept(given: unknown): { path: string; sentence: string }[] {
  const found: { path: string; sentence: string }[] = [];
  const seen = new Set<object>(); // what is sent may name one thing twice, or itself
  const look = (value: unknown, path: string): void => {
    if (typeof value === "string") {
      const sentence = whyNotKept(value);
      if (sentence !== null) found.push({ path, sentence });
      return;
    }
    if (typeof value !== "object" || value === null || seen.has(value) || ArrayBuffer.isView(value)) return;
    seen.add(value);
    const parts = value instanceof Map ? value.entries() : value instanceof Set ? [...value].entries() : Object.entries(value);
    for (const [name, part] of parts) {
      const below = path === "" ? String(name) : `${path}.${name}`;
      const wrongName = typeof name === "string" ? whyNotKept(name) : null;
      if (wrongName !== null) found.push({ path, sentence: wrongName });
      else look(part, below);
    }
  };
  look(given, "");
  return found;
}

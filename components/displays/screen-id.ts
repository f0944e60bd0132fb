const key = "takt-screen";
let known: string | null = null;

/** Which screen this is, of all on which a link is open: kept by the browser where it keeps anything. */
export function screenId(): string {
  known ??= kept() ?? make();
  return known;
}

function kept(): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // a browser that keeps nothing: another screen at each start
  }
}

function make(): string {
  const id = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  try {
    localStorage.setItem(key, id);
  } catch {
    // as above
  }
  return id;
}

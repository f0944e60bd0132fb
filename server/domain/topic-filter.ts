// MQTT topic filters (MQTT 5, section 4.7).

/** MQTT topic filter: + one level, # the rest; a leading $ is matched by name only. */
export function topicMatches(filter: string, topic: string): boolean {
  if (filter === topic) return true;
  if (!filter.includes("+") && !filter.includes("#")) return false;
  if (topic.startsWith("$") && !filter.startsWith("$")) return false;
  const f = filter.split("/");
  const t = topic.split("/");
  for (let i = 0; i < f.length; i++) {
    if (f[i] === "#") return true;
    if (i >= t.length || (f[i] !== "+" && f[i] !== t[i])) return false;
  }
  return f.length === t.length;
}

/** Whether some topic matches both filters: two readers of such filters would read it twice. */
export function filtersOverlap(a: string, b: string): boolean {
  const x = a.split("/");
  const y = b.split("/");
  for (let i = 0; ; i++) {
    if (x[i] === "#" || y[i] === "#") return true;
    if (x[i] === undefined || y[i] === undefined) return x[i] === y[i];
    if (x[i] !== "+" && y[i] !== "+" && x[i] !== y[i]) return false;
  }
}

/** Whether the first matches every topic that the second does. */
export function filterCovers(wide: string, narrow: string): boolean {
  const x = wide.split("/");
  const y = narrow.split("/");
  for (let i = 0; ; i++) {
    if (x[i] === "#") return true;
    if (x[i] === undefined || y[i] === undefined) return x[i] === y[i];
    if (y[i] === "#" || (x[i] !== "+" && x[i] !== y[i])) return false;
  }
}

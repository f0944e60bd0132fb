/** How long a request's body may be, by where it goes. Where nothing is named, none is taken: no page of Takt is sent anything. */

const kB = 1024;
const MB = 1024 * kB;

/** A table of 100,000 rows as CSV or XLSX. */
export const longestImport = 20 * MB;

/** The longest request of each place, with room for it. */
const largest: readonly { under: string; mostBytes: number }[] = [
  { under: "/api/auth/", mostBytes: 16 * kB }, // a password, a name and a link
  { under: "/display/api/", mostBytes: 16 * kB }, // a sign of life
  { under: "/api/trpc/", mostBytes: 4 * MB }, // a plant of some thousand items in one piece
  { under: "/api/plant/import/", mostBytes: longestImport },
];

/** Bytes that may be sent to a path (without its query); 0: nothing is taken there. */
export const mostBytesAt = (path: string): number => largest.find(({ under }) => path.startsWith(under))?.mostBytes ?? 0;

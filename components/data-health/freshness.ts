/** How often each part of the page is read again, ms. */
export const againEveryMs = { workers: 2_000, sources: 5_000, letters: 5_000 } as const;

/** Nothing came for longer than the source's time-out, and no announced link vouches for the silence. `now`, `lastAt`: ms since 1970. */
export const isSilent = (source: { lastAt: number | null; noDataTimeoutS: number; announced: boolean | null }, now: number): boolean =>
  source.announced === null ? source.lastAt === null || now - source.lastAt > source.noDataTimeoutS * 1000 : !source.announced;

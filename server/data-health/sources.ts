/** Sources as Data health shows them: how each is now, and its gaps of the last 24 h in sum. */
import type { Db } from "#/server/db.ts";
import { type GapSums, type SourceRow, sourceRows } from "./queries.ts";

export type Source = SourceRow & GapSums;

const noGaps: GapSums = { gaps: 0, gapsFilled: 0, gapLongestS: null, gapTotalS: 0 };

/** gaps: by source, of `gapSums`, which is read less often. */
export const sourcesAt = async (db: Db, now: Date, gaps: ReadonlyMap<number, GapSums>): Promise<Source[]> =>
  (await sourceRows(db, now)).map((row) => ({ ...row, ...(gaps.get(row.id) ?? noGaps) }));

export const sumsBySource = (rows: readonly (GapSums & { sourceId: number })[]): Map<number, GapSums> =>
  new Map(rows.map(({ sourceId, ...sums }) => [sourceId, sums]));

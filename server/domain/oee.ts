/** From sums of facts to the figures of ISO 22400-2. Fractions, 1 = 100 %; null = nothing to measure, which is not 0. */

import { type Facts, lossSeconds } from "./facts.ts";

const ratio = (part: number, whole: number) => (whole > 0 ? part / whole : null);

/** all - not scheduled - planned stops - unknown time, s. */
export const busyS = (f: Readonly<Facts>) => f.changeoverS + f.blockedS + f.starvedS + f.microStopS + f.downS + f.runS;
const allS = (f: Readonly<Facts>) => busyS(f) + f.notScheduledS + f.plannedStopS + f.unknownS;

/** microStopsAre: which loss they are; a line may count them as lost availability. */
export type MicroStopsAre = "performance" | "availability";

export type Oee = {
  availability: number | null;
  performance: number | null;
  quality: number | null;
  oee: number | null;
  /** Good ideal time of all time there is. */
  teep: number | null;
  /** Of the planned busy time and the planned stops. */
  ooe: number | null;
  /** OEE if nothing more was made in the unknown time than is known of, and if all of it was good; null: there is no more than 2 % of it. */
  range: { low: number; high: number } | null;
  /** Share of the scheduled time that was observed. */
  confidence: number | null;
  /** Good pieces of all pieces made, in pieces. */
  goodShare: number | null;
  /** Pieces that were good the first time. */
  firstPassYield: number | null;
  /** Faster than ideal, taken together: an ideal cycle time is too long. */
  isIdealCycleWrong: boolean;
};

const shownUnknown = 0.02;

export function oee(f: Readonly<Facts>, microStopsAre: MicroStopsAre = "performance"): Oee {
  const busy = busyS(f);
  const apt = f.runS + (microStopsAre === "performance" ? f.microStopS : 0);
  const scheduled = busy + f.plannedStopS + f.unknownS;
  const made = f.good + f.reject + f.rework;
  const withUnknown = busy + f.unknownS;
  const low = f.goodIdealS + f.gapWithinGoodIdealS;
  return {
    availability: ratio(apt, busy),
    performance: ratio(f.idealS, apt),
    quality: ratio(f.goodIdealS, f.idealS),
    oee: ratio(f.goodIdealS, busy),
    teep: ratio(f.goodIdealS + f.gapGoodIdealS + f.offGoodIdealS, allS(f)),
    ooe: ratio(f.goodIdealS, busy + f.plannedStopS),
    range: f.unknownS > shownUnknown * scheduled && withUnknown > 0 ? { low: low / withUnknown, high: (low + f.unbridgedS) / withUnknown } : null,
    confidence: ratio(scheduled - f.unknownS, scheduled),
    goodShare: ratio(f.good, made),
    firstPassYield: ratio(f.good, made),
    isIdealCycleWrong: lossSeconds(f).speed < 0,
  };
}

/** Mean time between failures and to repair, s; null without a failure. */
export const reliability = (f: Readonly<Facts>) => ({
  mtbfS: f.failures > 0 ? f.runS / f.failures : null,
  mttrS: f.failures > 0 ? f.repairS / f.failures : null,
});

export const sixBigLosses = ["breakdowns", "setUp", "minorStops", "reducedSpeed", "startupRejects", "productionRejects", "external"] as const;
export type BigLoss = (typeof sixBigLosses)[number];
export type LossFigure = { loss: BigLoss; seconds: number; pieces: number; money: number };

/** The six big losses, and what came from outside the machine. Their seconds and the good ideal seconds together are the planned busy time. */
export function bigLosses(f: Readonly<Facts>): LossFigure[] {
  const s = lossSeconds(f);
  const of = (loss: BigLoss, seconds: number, pieces: number, money: number): LossFigure => ({ loss, seconds, pieces, money });
  return [
    of("breakdowns", s.down, f.downPieces, f.downMoney),
    of("setUp", s.changeover, f.changeoverPieces, f.changeoverMoney),
    of("minorStops", s.microStop, f.microStopPieces, f.microStopMoney),
    of("reducedSpeed", s.speed, f.speedPieces, f.speedMoney),
    of("startupRejects", s.startupReject, f.startupRejectPieces, f.startupRejectMoney),
    of("productionRejects", s.reject, f.rejectPieces, f.rejectMoney),
    of("external", s.blocked + s.starved, f.blockedPieces + f.starvedPieces, f.blockedMoney + f.starvedMoney),
  ];
}

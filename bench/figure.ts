// One figure that Takt holds itself to: how it is measured is a file of its own.

export type Target = { atLeast: number } | { below: number } | { exactly: number };

/** How to run: whether to look inside; whether to measure on a busy machine too. */
export type Conditions = { profile: boolean; now: boolean; say: (line: string) => void };

export type Reading = {
  /** In the figure's unit. null: it could not be measured; the notes say why. */
  value: number | null;
  /** What must hold besides the target: empty when it does, else a sentence each. */
  broken: string[];
  /** What a reader should know: what limits it, what else was seen. */
  notes: string[];
  /** Share of the machine's two cores that programs which have nothing to do with the measurement took, 0 to 1. */
  disturbed: number;
};

export type Figure = {
  /** As in docs/benchmarks.md. */
  name: string;
  what: string;
  unit: string;
  target: Target;
  /** Seconds of measuring unless told otherwise. */
  seconds: number;
  /** Seconds under --quick. */
  quickSeconds: number;
  measure(conditions: Conditions & { seconds: number }): Promise<Reading>;
};

export const targetText = (target: Target): string =>
  "atLeast" in target ? `>= ${target.atLeast}` : "below" in target ? `< ${target.below}` : `= ${target.exactly}`;

export const isMet = (target: Target, value: number): boolean =>
  "atLeast" in target ? value >= target.atLeast : "below" in target ? value < target.below : value === target.exactly;

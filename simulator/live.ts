// The plant as time passes: readings of each moment, published as the moment comes (or faster), until told to stop.
import type { Faults, Links } from "#/simulator/mischief.ts";
import type { PlacedMachine } from "#/simulator/model/definition.ts";
import type { Model, Reading } from "#/simulator/model/readings.ts";
import type { Transport } from "#/simulator/publish/transport.ts";
import type { Truth } from "#/simulator/truth.ts";

/** The plant's clock: starts at `from` when the world's clock shows `startedAt`, runs `speed` times as fast, and is never ahead of the world's. */
export type PlantClock = { from: number; startedAt: number; speed: number };
export function plantNow({ from, startedAt, speed }: PlantClock, now: number): number {
  return speed === Infinity ? now : Math.floor(Math.min(now, from + (now - startedAt) * speed));
}

export type LiveRun = {
  model: Model;
  machines: readonly PlacedMachine[];
  transport: Transport;
  truth: Truth;
  faults: Faults;
  links: Links;
  clock: PlantClock;
  to: number;
  stop: AbortSignal;
  /** Told now and then what time has been published. */
  onProgress: (from: number, to: number) => void;
};

const tickMs = 100;
/** So much of the plant's time goes out at once: machines stay abreast of each other, however fast time runs. */
const windowMs = 10_000;

/** Settles when `to` is reached or `stop` is given; returns until when it came. */
export async function live(run: LiveRun): Promise<number> {
  const { model, machines, transport, truth, faults, links, clock, stop } = run;
  let done = clock.from;
  for (const machine of machines) {
    await transport.introduce(machine, faults.apply(machine, latestOf(model, machine, done)));
    if (stop.aborted) return done;
  }
  while (done < run.to && !stop.aborted) {
    const now = Math.min(run.to, plantNow(clock, Date.now()));
    if (now - done < tickMs * Math.min(1, clock.speed) && now < run.to) {
      await pause(tickMs, stop);
      continue;
    }
    const until = Math.min(now, done + windowMs);
    for (const machine of machines) {
      await transport.setLost(machine, links.isLost(machine, done));
      for (const { at, condition, fault } of model.conditions(machine, done, until)) truth.condition(machine, at, condition, fault);
      await transport.publish(machine, faults.apply(machine, model.readings(machine, done, until)));
    }
    await transport.deliverDue(Date.now());
    run.onProgress(done, until);
    done = until;
  }
  return done;
}

/** The last thing that each signal said before `at`. */
export function latestOf(model: Model, machine: PlacedMachine, at: number): Reading[] {
  const latest = new Map<string, Reading>();
  const keep = (readings: readonly Reading[]) => {
    for (const reading of readings) latest.set(reading.signal.key, reading);
  };
  keep(model.readings(machine, at - model.lookBackMs, at, { measurements: false }));
  keep(model.readings(machine, at - Math.min(120_000, model.lookBackMs), at));
  return [...latest.values()];
}

async function pause(ms: number, stop: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(end, ms);
    function end() {
      clearTimeout(timer);
      stop.removeEventListener("abort", end);
      resolve();
    }
    stop.addEventListener("abort", end, { once: true });
  });
}

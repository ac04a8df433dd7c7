/** What the faults of a history explain, and for how long. */
import { type Fault, faultEffects, type RunSpan } from './history.ts';

export type JudgeOptions = {
  /** Excuse the stale runs of a worker that was cut off but alive. Default false. */
  allowCutOff?: boolean;
  /** How long after a fault its effects may still show, in ms. Default 30,000: a frozen worker loses its lanes after 15 s. */
  excuseMs?: number;
  /** How long a worker waits for the end of a run that it began under an earlier hold, in ms. Default 20,000, as `GRACE_MS`. */
  graceMs?: number;
};

/** Which fault excuses what. */
export type Excuses = {
  /** When the run ended: when it says so, or when its worker was killed. `undefined`: nobody knows. */
  endOf(run: RunSpan): number | undefined;
  /** Whether `later` may run what `earlier` ran and did not fail. */
  repeat(earlier: RunSpan, later: RunSpan): boolean;
  /** Whether a claim that nobody is known to have run, made after `since`, may be repeated at `at`. */
  repeatOfClaim(since: number, at: number): boolean;
  /** Whether `worker` may have been cut off but alive at `at`. */
  cutOff(worker: string, at: number): boolean;
};

const hits = (fault: Fault, worker: string): boolean =>
  fault.target === undefined || fault.target === worker || worker.startsWith(`${fault.target}/`);

export const createExcuses = (faults: Fault[], { allowCutOff = false, excuseMs = 30_000 }: JudgeOptions): Excuses => {
  const kills = faults.filter(({ fault }) => faultEffects[fault].kills).sort((a, b) => a.at - b.at);
  const repeats = faults.filter(({ fault }) => faultEffects[fault].repeats);
  const cutOffs = allowCutOff ? faults.filter(({ fault }) => faultEffects[fault].cutsOff) : [];
  const lasts = ({ at, until }: Fault): number => (until ?? at) + excuseMs;
  const within = (some: Fault[], since: number, at: number): Fault[] =>
    some.filter((fault) => fault.at <= at && lasts(fault) >= since);
  return {
    endOf: ({ start, end }) => {
      if (end) return end.at;
      return kills.find((fault) => hits(fault, start.worker) && lasts(fault) >= start.at)?.at;
    },
    repeat: ({ start: earlier, end }, { start: later }) => {
      // Under one token a worker settles what it ran, however often the store has to be asked: it has no reason to run it again.
      if (later.fencingToken <= earlier.fencingToken) return false;
      const cut = within(cutOffs, earlier.at, later.at);
      return (
        within(repeats, earlier.at, later.at).some((fault) => hits(fault, earlier.worker)) ||
        // One that was cut off just when it became active takes the lease from the one that owns the lane by now...
        cut.some((fault) => hits(fault, later.worker)) ||
        // ...which gives its runs up, or has their outcomes refused. The taker may run nothing, and is known by its lease only.
        ((end?.outcome === 'aborted' || later.fencingToken > earlier.fencingToken + 1) && cut.length > 0)
      );
    },
    repeatOfClaim: (since, at) => within(repeats, since, at).length > 0,
    cutOff: (worker, at) => within(cutOffs, at, at).some((fault) => hits(fault, worker)),
  };
};

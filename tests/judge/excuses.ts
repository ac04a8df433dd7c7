/** Which irregularities the faults of a history excuse, and for how long. */
import { type Fault, faultEffects, type RunSpan } from './history.ts';

export type JudgeOptions = {
  /** Whether to excuse the stale runs of a worker that was cut off but alive. Default: false. */
  allowCutOff?: boolean;
  /**
   * How long after a fault its effects may still appear, in ms. Default: 30,000, because a frozen worker loses its
   * lanes after 15 s.
   */
  excuseMs?: number;
  /**
   * How long a worker waits for a run that it began under an earlier lane hold, in ms. Default: 20,000, the default of
   * `GRACE_MS`.
   */
  graceMs?: number;
};

/** Answers which irregularity is excused by a fault. */
export type Excuses = {
  /**
   * When the run ended: at its `ended` event, when its worker was killed, or with the process of a worker that had been cut off and
   * was stopped, which does not wait for runs in lanes that it has lost. `undefined`: unknown.
   */
  endOf(run: RunSpan): number | undefined;
  /** Whether `later` may repeat `earlier` although `earlier` did not fail. */
  repeat(earlier: RunSpan, later: RunSpan): boolean;
  /** Whether the run may have been interrupted: it ended with its worker, or its outcome was not recorded. */
  interruption(run: RunSpan): boolean;
  /** Whether a claim made after `since`, of which no run is recorded, may be repeated at `at`. */
  repeatOfClaim(since: number, at: number): boolean;
  /** Whether `worker` may have been cut off but alive at the time `at`. */
  cutOff(worker: string, at: number): boolean;
};

const hits = (fault: Fault, worker: string): boolean =>
  fault.target === undefined || fault.target === worker || worker.startsWith(`${fault.target}/`);

export const createExcuses = (faults: Fault[], { allowCutOff = false, excuseMs = 30_000 }: JudgeOptions): Excuses => {
  const kills = faults.filter(({ fault }) => faultEffects[fault].kills).sort((a, b) => a.at - b.at);
  const repeats = faults.filter(({ fault }) => faultEffects[fault].repeats);
  const cutOffs = allowCutOff ? faults.filter(({ fault }) => faultEffects[fault].cutsOff) : [];
  const stops = faults.filter(({ fault, until }) => fault === 'worker-stopped' && until !== undefined);
  const excusesUntil = ({ at, until }: Fault): number => (until ?? at) + excuseMs;
  const between = (some: Fault[], since: number, at: number): Fault[] =>
    some.filter((fault) => fault.at <= at && excusesUntil(fault) >= since);
  return {
    endOf: ({ start, end }) => {
      if (end) return end.at;
      const killed = kills.find((fault) => hits(fault, start.worker) && excusesUntil(fault) >= start.at);
      if (killed) return killed.at;
      const stopped = stops.find((fault) => hits(fault, start.worker) && fault.at >= start.at);
      const wasCutOff = stopped && between(cutOffs, start.at, stopped.at).some((fault) => hits(fault, start.worker));
      return wasCutOff ? stopped.until : undefined;
    },
    repeat: ({ start: earlier, end }, { start: later }) => {
      // Under the same token a worker retries the settlement until the store takes it. It has no reason to run the
      // request again.
      if (later.fencingToken <= earlier.fencingToken) return false;
      const cut = between(cutOffs, earlier.at, later.at);
      return (
        between(repeats, earlier.at, later.at).some((fault) => hits(fault, earlier.worker)) ||
        // A worker that was cut off just as it became active takes the lease from the worker that owns the lane by
        // then...
        cut.some((fault) => hits(fault, later.worker)) ||
        // ...and the owner aborts its runs, or has their outcomes refused. The worker that took the lease may run
        // nothing: then the gap between the two tokens is its only trace.
        ((end?.outcome === 'aborted' || later.fencingToken > earlier.fencingToken + 1) && cut.length > 0)
      );
    },
    interruption: ({ start, end }) =>
      between(repeats, start.at, (end?.at ?? Number.POSITIVE_INFINITY) + excuseMs).some((fault) =>
        hits(fault, start.worker),
      ),
    repeatOfClaim: (since, at) => between(repeats, since, at).length > 0,
    cutOff: (worker, at) => between(cutOffs, at, at).some((fault) => hits(fault, worker)),
  };
};

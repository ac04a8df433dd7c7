/** What the faults of a history explain, and for how long. */
import { type Fault, faultEffects, type RunSpan } from './history.ts';

export type JudgeOptions = {
  /** Excuse the stale runs of a worker that was cut off but alive. Default false. */
  allowCutOff?: boolean;
  /** How long after a fault its effects may still show, in ms. Default 30,000: a frozen worker loses its lanes after 15 s. */
  excuseMs?: number;
};

/** Which fault excuses what. */
export type Excuses = {
  /** When the run ended: when it says so, or when its worker was killed. `undefined`: nobody knows. */
  endOf(run: RunSpan): number | undefined;
  /**
   * Whether a request may run again at `at`; `worker` ran it before, `undefined` where only its claim is known. A worker
   * that was cut off just when it became active takes the lease from the one that owns the lane by now: its fault, too.
   */
  repeat(worker: string | undefined, since: number, at: number): boolean;
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
  return {
    endOf: ({ start, end }) => {
      if (end) return end.at;
      return kills.find((fault) => hits(fault, start.worker) && lasts(fault) >= start.at)?.at;
    },
    repeat: (worker, since, at) =>
      repeats.some(
        (fault) =>
          fault.at <= at &&
          lasts(fault) >= since &&
          (worker === undefined || hits(fault, worker) || cutOffs.includes(fault)),
      ),
    cutOff: (worker, at) => cutOffs.some((fault) => hits(fault, worker) && fault.at <= at && lasts(fault) >= at),
  };
};

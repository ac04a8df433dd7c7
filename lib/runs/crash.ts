/** What the end of an isolated run's process means: pure functions over plain data. */
import type { Outcome, Run, RunError } from '../types.ts';
import { retryDelayMs } from './backoff.ts';
import type { RunPolicy } from './policy.ts';
import { countedAttempts, deadLettered, describeError } from './run.ts';

/** Every run beside the one that ends a worker is interrupted too: only who is hit again is worth being run apart. */
const innocentInterruptions = 2;

/** Whether a run must be alone: its request has seen so many of its runs end with their worker. */
export const mustRunIsolated = ({ interruptions }: Pick<Run, 'interruptions'>, maxCrashes: number): boolean =>
  interruptions >= Math.min(innocentInterruptions, maxCrashes - 1);

/**
 * Why a worker killed an isolated run: it was not wanted any more, its process never came up, its event loop stood still, or it
 * went on long after its deadline.
 */
export type KillReason = 'aborted' | 'never-came-up' | 'hung' | 'overdue';

/** How an isolated run came to its end; without `outcome` its process ended in the middle of it. */
export type IsolatedEnd = {
  /** The process had come up and was given the run. */
  begun: boolean;
  outcome?: Outcome;
  killedFor?: KillReason;
  code: number | null;
  signal: NodeJS.Signals | null;
  /** What nobody caught in the process, or why there was no process. */
  error?: RunError;
};

/** V8 ends a process so that has no memory left; the system uses SIGKILL. */
const outOfMemorySignals = ['SIGABRT', 'SIGTRAP', 'SIGILL', 'SIGKILL'];

const because = (error: RunError | undefined): string => (error ? ` (${error.name}: ${error.message})` : '');

const describeEnd = ({ killedFor, code, signal, error }: IsolatedEnd): string => {
  if (killedFor === 'hung') return 'was killed: its event loop stood still';
  if (killedFor === 'overdue') return 'was killed: it went on long after its deadline';
  if (killedFor === 'aborted') return 'was killed: its outcome was not wanted any more';
  if (killedFor === 'never-came-up') return 'was killed: it did not come up';
  if (signal && outOfMemorySignals.includes(signal)) return `was ended by ${signal}, as when memory runs out`;
  if (signal) return `was ended by ${signal}`;
  return code === null ? `could not be started${because(error)}` : `ended with exit code ${code}${because(error)}`;
};

const crashOf = (end: IsolatedEnd): RunError =>
  describeError({ name: 'ProcessorCrashedError', message: `The process of the run ${describeEnd(end)}` });

/** Whether the run itself ended its process, or made us end it. */
export const isCrash = (end: IsolatedEnd): boolean => end.begun && !end.outcome && end.killedFor !== 'aborted';

/**
 * The outcome of an isolated run. One that ended its process is tried again, alone again, until `maxCrashes` runs in a row have
 * ended so. A process that never came up says nothing about its request, which stays a suspect.
 */
export const outcomeOfEnd = (
  end: IsolatedEnd,
  run: Pick<Run, 'attempt' | 'forgiven' | 'interruptions'>,
  policy: RunPolicy & { maxCrashes: number },
  random: number,
): Outcome => {
  if (end.outcome) return end.outcome;
  const error = crashOf(end);
  if (isCrash(end) && run.interruptions + 1 >= policy.maxCrashes) return deadLettered(error, 'crashed', policy);
  return { kind: 'retry', error, delayMs: retryDelayMs(countedAttempts(run), policy, random), crashed: true };
};

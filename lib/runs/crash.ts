/** What the end of an isolated run's process means: pure functions over plain data. */
import type { Outcome, Run, RunError } from '../types.ts';
import { retryDelayMs } from './backoff.ts';
import { countedAttempts, deadLetterOutcome } from './outcome.ts';
import type { RunPolicy } from './policy.ts';
import { ownError } from './run-error.ts';

/** A run that ends its worker interrupts all runs beside it. Only a request that is hit again is isolated. */
const innocentInterruptions = 2;

/** Whether the request must run isolated, because this many of its runs ended with their worker. */
export const mustRunIsolated = ({ interruptions }: Pick<Run, 'interruptions'>, maxCrashes: number): boolean =>
  interruptions >= Math.min(innocentInterruptions, maxCrashes - 1);

/**
 * Why a worker killed the process of an isolated run: the outcome is no longer wanted, the process did not come up, its event loop
 * hung, or the run went on long past its deadline.
 */
export type KillReason = 'aborted' | 'never-came-up' | 'hung' | 'past-deadline';

/** How an isolated run ended. Without an `outcome`, its process ended first. */
export type IsolatedEnd = {
  /** Whether the process came up and was given the run. */
  begun: boolean;
  /** How many runs may have ended the process: those that were in it, and one more if others had been in it before. */
  suspects: number;
  outcome?: Outcome;
  killedFor?: KillReason;
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The uncaught error in the process, or the reason why there was no process. */
  error?: RunError;
};

/** V8 ends a process that is out of memory by one of the first three; the system uses SIGKILL. */
const outOfMemorySignals = ['SIGABRT', 'SIGTRAP', 'SIGILL', 'SIGKILL'];

const killTexts: Record<KillReason, string> = {
  hung: 'its event loop hung',
  'past-deadline': 'the run went on long past its deadline',
  aborted: 'the outcome was no longer wanted',
  'never-came-up': 'its processor did not load within START_TIMEOUT_MS',
};

const describeEnd = ({ killedFor, code, signal }: IsolatedEnd): string => {
  if (killedFor) return `was killed: ${killTexts[killedFor]}`;
  if (signal && outOfMemorySignals.includes(signal)) return `was ended by ${signal}, probably out of memory`;
  if (signal) return `was ended by ${signal}`;
  return code === null ? 'could not be started' : `ended with exit code ${code}`;
};

const crashErrorOf = (end: IsolatedEnd): RunError =>
  ownError('ProcessorCrashedError', `The process of the run ${describeEnd(end)}`, end.error);

const lostItsProcess = ({ begun, outcome, killedFor }: IsolatedEnd): boolean =>
  begun && !outcome && killedFor !== 'aborted';

/** Whether it is certain that the run ended its process, or forced its worker to end it. */
export const isCrash = (end: IsolatedEnd): boolean =>
  lostItsProcess(end) && (end.killedFor === 'past-deadline' || end.suspects === 1);

/** The process ended, and another of its runs may be the reason. */
export const mustRepeat = (end: IsolatedEnd): boolean => lostItsProcess(end) && !isCrash(end);

/** How many runs may be together when the runs of a process that ended are repeated. */
export const runsTogetherAfter = ({ suspects }: Pick<IsolatedEnd, 'suspects'>): number =>
  Math.max(1, Math.floor(suspects / 2));

/**
 * The outcome of an isolated run. After a crash the request runs again, still isolated, until `maxCrashes` runs in a row have
 * crashed; work that must not be done twice does not run again. A process that never came up says nothing about its request: the
 * request stays isolated, and no crash is counted.
 */
export const outcomeOfEnd = (
  end: IsolatedEnd,
  run: Pick<Run, 'attempt' | 'forgiven' | 'interruptions'>,
  policy: RunPolicy & { maxCrashes: number },
  random: number,
): Outcome => {
  if (end.outcome) return end.outcome;
  const error = crashErrorOf(end);
  const lastCrash = run.interruptions + 1 >= policy.maxCrashes || policy.onInterruption === 'dead-letter';
  if (isCrash(end) && lastCrash) return deadLetterOutcome(error, 'crashed', policy);
  return { kind: 'retry', error, delayMs: retryDelayMs(countedAttempts(run), policy, random), crashed: true };
};

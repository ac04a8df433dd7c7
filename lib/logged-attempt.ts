/** An attempt of a request, as the ledger keeps it after its end. */
import { deadLetterReasons, type RunError } from './types.ts';

/** How an attempt ended. `aborted`: its worker gave it back, for instance because it stopped. */
export const attemptOutcomes = ['done', ...deadLetterReasons, 'aborted'] as const;
export type AttemptOutcome = (typeof attemptOutcomes)[number];

/** An attempt that ended without settling its request. */
export type LoggedAttempt = {
  attempt: number;
  /** The fencing token under which it ran. The moves of the lane say which worker had it. */
  token: number;
  startedAt: Date;
  endedAt: Date;
  outcome: AttemptOutcome;
  error?: RunError;
};

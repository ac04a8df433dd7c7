/** What a client sees of an attempt of a request. */
import type { Attempt } from '../requests/attempts.ts';
import { type Exposure, shownError } from './shown-error.ts';

/** By fencing token. Only operators see which worker had an attempt, and under which token. */
export type ShownWorkers = ReadonlyMap<number, string>;

export const shownAttempt = (
  { attempt, token, startedAt, endedAt, outcome, error }: Attempt,
  exposure: Exposure,
  workers: ShownWorkers | undefined,
) => ({
  attempt,
  outcome,
  error: error && shownError(error, exposure),
  ...(workers && { fencingToken: token, workerId: workers.get(token) }),
  startedAt,
  endedAt,
});

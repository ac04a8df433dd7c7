/** The attempts of a request as clients see them. */
import { type Attempt, attemptsOf } from '../requests/attempts.ts';
import type { LedgerEntry } from '../types.ts';
import { type Exposure, shownError } from './shown-error.ts';

/** By fencing token. Only operators see which worker had an attempt, and under which token. */
export type ShownWorkers = ReadonlyMap<number, string>;

const attemptJson = (
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

export const attemptLogJson = (entry: LedgerEntry, exposure: Exposure, workers: ShownWorkers | undefined): string =>
  JSON.stringify(attemptsOf(entry).map((attempt) => attemptJson(attempt, exposure, workers)));

/** What a test sees of the requests in its queue, and of their runs. */
import type { DeadLetter, LedgerEntry, Outcome, RequestStatus, RunError } from '../types.ts';

/** A request as it is now. `error`: of the newest failure. `retryAt`: it is in its back-off until then. */
export type TestRequest = {
  seq: number;
  status: RequestStatus;
  request: unknown;
  attempts: number;
  key?: string;
  result?: unknown;
  error?: RunError;
  retryAt?: Date;
  deadLetter?: DeadLetter;
  retryOf?: number;
};

export type TestDeadLetter = TestRequest & { user: string; deadLetter: DeadLetter };

/** One call of the processor. `aborted`: it lost its lane, so that its outcome was not recorded. */
export type TestRun = {
  user: string;
  seq: number;
  attempt: number;
  fencingToken: number;
  startedAt: Date;
  endedAt?: Date;
  outcome?: Outcome['kind'] | 'aborted';
};

export const requestOf = (entry: LedgerEntry): TestRequest => {
  const { seq, status, attempts, key, body, result, error, retryAt, deadLetter, retryOf } = entry;
  return {
    seq,
    status,
    request: body === undefined ? undefined : JSON.parse(body),
    attempts,
    ...(key !== undefined && retryOf === undefined && { key }),
    ...(result !== undefined && { result: JSON.parse(result) }),
    ...(error && { error: structuredClone(error) }),
    ...(retryAt && { retryAt: new Date(retryAt) }),
    ...(deadLetter && { deadLetter: structuredClone(deadLetter) }),
    ...(retryOf !== undefined && { retryOf }),
  };
};

/** How far a request is. A request that has a later state never has an earlier one again. */
import type { RequestEvent, RequestState, StateEventType } from '../types.ts';

const settledStatuses = ['done', 'failed', 'cancelled', 'abandoned'];

export const isSettled = ({ status }: RequestState): boolean => settledStatuses.includes(status);

/** Of one attempt: it runs, waits for the next one, is blocked, and is queued again. */
const phaseOf = ({ status, retryAt }: RequestState): number => {
  if (status === 'queued') return 3;
  if (status === 'blocked') return 2;
  return retryAt ? 1 : 0;
};

export const progressOf = (request: RequestState): number =>
  isSettled(request) ? Number.POSITIVE_INFINITY : request.attempts * 4 + phaseOf(request);

const typeOf = (request: RequestState): StateEventType => {
  if (isSettled(request)) return 'settled';
  if (request.status === 'blocked') return 'blocked';
  if (request.status === 'queued') return request.attempts > 0 ? 'queued-again' : 'accepted';
  return request.retryAt ? 'attempt-failed' : 'started';
};

/** The event that led to the state of a request. */
export const asEvent = (request: RequestState): RequestEvent => ({ type: typeOf(request), request });

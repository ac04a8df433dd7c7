/** The log of a request's attempts: written by the change that ends an attempt without settling the request. */
import type { LedgerChange } from '../ledger-change.ts';
import type { LoggedAttempt } from '../logged-attempt.ts';
import { or0 } from './rate.ts';

/** Each may carry an error of several kB. */
export const maxLoggedAttempts = 10;

export type AttemptEnd = Pick<LoggedAttempt, 'outcome' | 'error'>;

/** How the attempt ended that the entry shows under way, if the change finds one. A settlement is the last word, and needs no log. */
export const attemptEndOf = (change: LedgerChange): AttemptEnd | undefined => {
  switch (change.kind) {
    case 'claim':
      // Of what an earlier owner left. A first claim finds no attempt, and costs nothing more.
      return change.attempt === 1 ? undefined : { outcome: 'interrupted' };
    case 'requeue':
    case 'give-up':
    case 'end':
      return { outcome: 'interrupted' };
    case 'give-back':
      return { outcome: 'aborted' };
    case 'block':
      return { outcome: change.reason, error: change.error };
    case 'retry':
      // A run that ends by itself sets them to 0.
      return { outcome: change.interruptions > 0 ? 'crashed' : 'failed', error: change.error };
    case 'settle':
      return undefined;
  }
};

const isUnderWay = { $and: [{ $eq: ['$status', 'processing'] }, { $eq: [or0('$retryAt'), 0] }] };

/**
 * For a pipeline, before the stage that changes the entry: the log with the attempt that the entry shows under way, if there is one. So a
 * change that is sent twice logs it once, and so do two owners.
 *
 * @param endedAt an expression.
 */
export const loggedAttempts = ({ outcome, error, endedAt }: AttemptEnd & { endedAt: object }) => {
  const started = { attempt: '$attempts', token: '$token', startedAt: '$startedAt' };
  const ended = { ...started, endedAt, outcome, ...(error && { error: { $literal: error } }) };
  const all = { $concatArrays: [{ $ifNull: ['$attemptLog', []] }, { $cond: [isUnderWay, [ended], []] }] };
  return { $slice: [all, -maxLoggedAttempts] };
};

/** The outcome of one run, decided from what the processor returned or threw: pure functions. */
import { maxResultBytes } from '../limits.ts';
import { propertyOf } from '../thrown.ts';
import type { DeadLetterOutcome, DeadLetterReason, Outcome, Run, RunError } from '../types.ts';
import { retryDelayMs } from './backoff.ts';
import type { RunPolicy } from './policy.ts';
import { ownError, toRunError, withRemark } from './run-error.ts';

type OnFailure = Pick<RunPolicy, 'onFailure'>;

/** The outcome after the last attempt: `failed`, or `blocked` until a person decides. */
export const deadLetterOutcome = (
  error: RunError,
  reason: DeadLetterReason,
  { onFailure }: OnFailure,
): DeadLetterOutcome => ({
  kind: onFailure === 'block' ? 'blocked' : 'failed',
  error,
  reason,
});

const badResult = (message: string, policy: OnFailure, cause?: RunError): Outcome =>
  deadLetterOutcome(ownError('BadResultError', message, cause), 'failed', policy);

/** The outcome of a processor that returned JSON text. */
export const outcomeOfText = (result: string, policy: OnFailure): Outcome => {
  const bytes = Buffer.byteLength(result);
  if (bytes <= maxResultBytes) return { kind: 'done', result };
  const message = `The result has ${bytes} bytes of JSON; the limit is ${maxResultBytes}. Store it elsewhere.`;
  return badResult(message, policy);
};

/**
 * The outcome of a processor that returned. A result that cannot be recorded fails the request at once: the work is done, and
 * another attempt would only repeat it.
 */
export const outcomeOfResult = (value: unknown, policy: OnFailure): Outcome => {
  if (value === undefined) return { kind: 'done', result: 'null' };
  let result: string | undefined;
  try {
    result = JSON.stringify(value);
  } catch (error) {
    return badResult('The result is not JSON', policy, toRunError(error));
  }
  if (result === undefined) return badResult(`The result is not JSON: it is a ${typeof value}`, policy);
  return outcomeOfText(result, policy);
};

/** By name, since user code may carry its own copy of the class. */
export const isUnrecoverable = (thrown: unknown): boolean => propertyOf(thrown, 'name') === 'UnrecoverableError';

/** The attempts that count against `maxAttempts`. Attempts before a person's retry, and interrupted ones, are forgiven. */
export const countedAttempts = ({ attempt, forgiven }: Pick<Run, 'attempt' | 'forgiven'>): number => attempt - forgiven;

/** The pause that the error asks for by a number of ms in `retryAfterMs`; 0 when it asks for none. */
const askedPauseMs = (thrown: unknown): number => {
  const asked = propertyOf(thrown, 'retryAfterMs');
  return typeof asked === 'number' && asked > 0 ? Math.ceil(asked) : 0;
};

/**
 * The outcome of a processor that threw. The pause is that of the back-off, or what the error asks for if that is longer, up to
 * `retryAfterMaxMs`. An error that asks for more says so: the next attempt comes earlier than it expects.
 *
 * @param attempt the attempts that count, this one included.
 */
export const outcomeOfError = (thrown: unknown, attempt: number, policy: RunPolicy, random: number): Outcome => {
  const error = toRunError(thrown);
  if (isUnrecoverable(thrown) || attempt >= policy.maxAttempts) return deadLetterOutcome(error, 'failed', policy);
  const askedMs = askedPauseMs(thrown);
  const { retryAfterMaxMs } = policy;
  const delayMs = Math.max(Math.min(askedMs, retryAfterMaxMs), retryDelayMs(attempt, policy, random));
  if (askedMs <= delayMs) return { kind: 'retry', error, delayMs };
  const remark = `asked for a pause of ${askedMs} ms; RETRY_AFTER_MAX_MS allows ${retryAfterMaxMs} ms`;
  return { kind: 'retry', error: withRemark(error, remark), delayMs };
};

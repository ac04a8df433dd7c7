import type { Logger } from '../log.ts';
import type { Clock, RunRequest } from '../ports.ts';
import type { DeadLetterReason, Outcome, Run, RunError } from '../types.ts';
import { retryDelayMs } from './backoff.ts';
import { startDeadline } from './deadline.ts';
import { policyOfRun, type RunPolicy } from './policy.ts';
import type { LoadedProcessor } from './processor.ts';

/** A result is kept in the ledger and shown to clients: as large as a request may be, in bytes of JSON. */
export const maxResultBytes = 262_144;
const maxMessageLength = 1_000;
const maxNameLength = 100;

const clip = (text: string, length: number): string => (text.length <= length ? text : `${text.slice(0, length - 1)}…`);

/** A property of something thrown, which may be anything, with getters that throw. */
const read = (thrown: unknown, property: string): unknown => {
  try {
    return (thrown as Record<string, unknown> | null | undefined)?.[property];
  } catch {
    return undefined;
  }
};

const textOf = (value: unknown): string => {
  try {
    return String(value);
  } catch {
    return 'something that cannot be printed';
  }
};

/** What of a thrown value is recorded: its name and message, clipped, never its stack. */
export const describeError = (thrown: unknown): RunError => {
  const name = read(thrown, 'name');
  const message = read(thrown, 'message');
  return {
    name: clip(typeof name === 'string' && name !== '' ? name : 'Error', maxNameLength),
    message: clip(typeof message === 'string' ? message : textOf(thrown), maxMessageLength),
  };
};

type OnFailure = Pick<RunPolicy, 'onFailure'>;

/** The end of a request's attempts: failed and passed over, or holding its user until a person decides. */
export const deadLettered = (error: RunError, reason: DeadLetterReason, { onFailure }: OnFailure): Outcome => ({
  kind: onFailure === 'block' ? 'blocked' : 'failed',
  error,
  reason,
});

/**
 * The outcome of a processor that returned. A result that cannot be kept fails at once: the work is done, and doing it again
 * would not mend its result.
 */
export const outcomeOfResult = (value: unknown, policy: OnFailure): Outcome => {
  const unkeepable = (message: string) => deadLettered({ name: 'BadResultError', message }, 'failed', policy);
  if (value === undefined) return { kind: 'done', result: 'null' };
  let result: string | undefined;
  try {
    result = JSON.stringify(value);
  } catch (error) {
    return unkeepable(clip(`The result is not JSON: ${describeError(error).message}`, maxMessageLength));
  }
  if (result === undefined) return unkeepable(`The result is not JSON: it is a ${typeof value}`);
  const bytes = Buffer.byteLength(result);
  if (bytes > maxResultBytes) {
    return unkeepable(`The result has ${bytes} bytes of JSON; at most ${maxResultBytes} are kept. Store it elsewhere.`);
  }
  return { kind: 'done', result };
};

const isUnrecoverable = (thrown: unknown): boolean => read(thrown, 'name') === 'UnrecoverableError';

/** Attempts that count: those before a person's retry, and those that came to no end, are forgiven. */
export const countedAttempts = ({ attempt, forgiven }: Pick<Run, 'attempt' | 'forgiven'>): number => attempt - forgiven;

/**
 * The outcome of a processor that threw. `UnrecoverableError` is known by its name, since user code may carry a copy of its own.
 * A number of ms in `retryAfterMs` of the error lengthens the wait, up to `retryMaxMs`.
 *
 * @param attempt those that count, this one included.
 */
export const outcomeOfError = (thrown: unknown, attempt: number, policy: RunPolicy, random: number): Outcome => {
  const error = describeError(thrown);
  if (isUnrecoverable(thrown) || attempt >= policy.maxAttempts) return deadLettered(error, 'failed', policy);
  const asked = read(thrown, 'retryAfterMs');
  const askedMs = typeof asked === 'number' && asked > 0 ? Math.min(Math.ceil(asked), policy.retryMaxMs) : 0;
  return { kind: 'retry', error, delayMs: Math.max(askedMs, retryDelayMs(attempt, policy, random)) };
};

type RunDeps = { clock: Pick<Clock, 'after' | 'random'>; log: Logger };

/** Wraps a processor, so that each of its ends, however odd, is an outcome. */
export const createRunRequest = (loaded: LoadedProcessor, { clock, log }: RunDeps): RunRequest => {
  /** A processor that goes on past its deadline is waited for: its user's next run must not begin beside it. */
  const callProcessor = async (request: unknown, run: Run, timeoutMs: number): Promise<unknown> => {
    const { userId, seq, attempt, fencingToken } = run;
    const logger = log.child({ userId, seq, attempt });
    const deadline = startDeadline(run.signal, timeoutMs, clock);
    const context = { userId, seq, attempt, fencingToken, signal: deadline.signal, logger };
    try {
      const result = await loaded.processor(request, context);
      deadline.throwIfPassed();
      return result;
    } catch (thrown) {
      // The stack helps whoever wrote the processor; it stays in the log.
      logger.debug({ err: thrown }, 'the processor threw');
      if (!isUnrecoverable(thrown)) deadline.throwIfPassed();
      throw thrown;
    } finally {
      deadline.cancel();
    }
  };

  return async (run) => {
    const policy = policyOfRun(loaded.policy, run.limits);
    let request: unknown;
    try {
      request = JSON.parse(run.body);
    } catch (thrown) {
      const message = `The request is not JSON: ${describeError(thrown).message}`;
      return deadLettered({ name: 'BadRequestError', message }, 'failed', policy);
    }
    try {
      return outcomeOfResult(await callProcessor(request, run, policy.timeoutMs), policy);
    } catch (thrown) {
      return outcomeOfError(thrown, countedAttempts(run), policy, clock.random());
    }
  };
};

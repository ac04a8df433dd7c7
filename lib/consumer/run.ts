import type { Config } from '../config.ts';
import type { Logger } from '../log.ts';
import type { Clock, RunRequest } from '../ports.ts';
import type { Outcome, Run, RunError } from '../types.ts';
import { type BackoffLimits, retryDelayMs } from './backoff.ts';
import type { Processor } from './processor.ts';

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

const failed = (error: RunError): Outcome => ({ kind: 'failed', error, reason: 'failed' });

const unkeepable = (message: string): Outcome => failed({ name: 'BadResultError', message });

/**
 * The outcome of a processor that returned. A result that cannot be kept fails at once: the work is done, and doing it again
 * would not mend its result.
 */
export const outcomeOfResult = (value: unknown): Outcome => {
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

export type RetryPolicy = BackoffLimits & { maxAttempts: number };

/**
 * The outcome of a processor that threw. `UnrecoverableError` is known by its name, since user code may carry a copy of its own.
 * A number of ms in `retryAfterMs` of the error lengthens the wait, up to `retryMaxMs`.
 */
export const outcomeOfError = (thrown: unknown, attempt: number, policy: RetryPolicy, random: number): Outcome => {
  const error = describeError(thrown);
  if (error.name === 'UnrecoverableError' || attempt >= policy.maxAttempts) return failed(error);
  const asked = read(thrown, 'retryAfterMs');
  const askedMs = typeof asked === 'number' && asked > 0 ? Math.min(Math.ceil(asked), policy.retryMaxMs) : 0;
  return { kind: 'retry', error, delayMs: Math.max(askedMs, retryDelayMs(attempt, policy, random)) };
};

type RunDeps = {
  config: Pick<Config, 'maxAttempts' | 'retryBaseMs' | 'retryMaxMs'>;
  clock: Pick<Clock, 'random'>;
  log: Logger;
};

/** Wraps a processor, so that each of its ends, however odd, is an outcome. */
export const createRunRequest = (processor: Processor, { config, clock, log }: RunDeps): RunRequest => {
  const callProcessor = async ({ userId, seq, body, attempt, fencingToken, signal }: Run): Promise<Outcome> => {
    const request: unknown = JSON.parse(body);
    const logger = log.child({ userId, seq, attempt });
    try {
      return outcomeOfResult(await processor(request, { userId, seq, attempt, fencingToken, signal, logger }));
    } catch (thrown) {
      // The stack helps whoever wrote the processor; it stays in the log.
      logger.debug({ err: thrown }, 'the processor threw');
      return outcomeOfError(thrown, attempt, config, clock.random());
    }
  };
  return (run) =>
    callProcessor(run).catch((thrown) =>
      failed({ name: 'BadRequestError', message: `The request is not JSON: ${describeError(thrown).message}` }),
    );
};

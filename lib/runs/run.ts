import type { Logger } from '../log.ts';
import type { Clock, RunRequest } from '../ports.ts';
import type { ProcessorContext } from '../processor.ts';
import type { Run } from '../types.ts';
import { startDeadline } from './deadline.ts';
import type { LoadedProcessor } from './load-processor.ts';
import {
  countedAttempts,
  deadLetterOutcome,
  isUnrecoverable,
  outcomeOfError,
  outcomeOfResult,
  outcomeOfText,
} from './outcome.ts';
import { policyOfRun } from './policy.ts';
import { ownError, toRunError } from './run-error.ts';

type RunDeps = { clock: Pick<Clock, 'after' | 'random'>; log: Logger };

/** Wraps a processor so that every end of a run is an outcome. The returned function never rejects. */
export const createRunRequest = (loaded: LoadedProcessor, { clock, log }: RunDeps): RunRequest => {
  /** Waits for the processor even past the deadline: its user's next run must not begin beside it. */
  const callProcessor = async <Result>(
    call: (context: ProcessorContext) => Result | Promise<Result>,
    run: Run,
    timeoutMs: number,
  ): Promise<Result> => {
    const { userId, seq, attempt, fencingToken } = run;
    const logger = log.child({ userId, seq, attempt });
    const deadline = startDeadline(run.signal, timeoutMs, clock);
    const context = { userId, seq, attempt, fencingToken, signal: deadline.signal, logger };
    try {
      const result = await call(context);
      deadline.throwIfPassed();
      return result;
    } catch (thrown) {
      // The author of the processor needs the stack, which stays in the log. `err` shows nothing of what is not an `Error`.
      logger.debug({ err: thrown, error: toRunError(thrown) }, 'the processor threw');
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
      const error = ownError('BadRequestError', 'The request is not JSON', toRunError(thrown));
      return deadLetterOutcome(error, 'failed', policy);
    }
    try {
      if ('textProcessor' in loaded) {
        const call = (context: ProcessorContext) => loaded.textProcessor(run.body, context);
        return outcomeOfText(await callProcessor(call, run, policy.timeoutMs), policy);
      }
      const call = (context: ProcessorContext) => loaded.processor(request, context);
      return outcomeOfResult(await callProcessor(call, run, policy.timeoutMs), policy);
    } catch (thrown) {
      return outcomeOfError(thrown, countedAttempts(run), policy, clock.random());
    }
  };
};

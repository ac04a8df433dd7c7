import type { Logger } from '../log.ts';
import type { Clock, RunRequest } from '../ports.ts';
import type { ProcessorContext } from '../processor.ts';
import type { Outcome, Run } from '../types.ts';
import { CurrentRuns } from './current-runs.ts';
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
import { policyOfRun, type RunPolicy } from './policy.ts';
import { ownError, toRunError } from './run-error.ts';

type RunWithoutBody = Omit<Run, 'body'>;
type RunDeps = { clock: Pick<Clock, 'after' | 'random'>; log: Logger; runs?: CurrentRuns };

type Call<Result> = (context: ProcessorContext) => Result | Promise<Result>;

/** Apart from where the body is known: a closure there would keep it in memory until the run ends. */
const callWith =
  <Request, Result>(
    processor: (request: Request, context: ProcessorContext) => Result | Promise<Result>,
    request: Request,
  ): Call<Result> =>
  (context) =>
    processor(request, context);

/** Wraps a processor so that every end of a run is an outcome. The returned function never rejects. */
export const createRunRequest = (
  loaded: LoadedProcessor,
  { clock, log, runs = new CurrentRuns() }: RunDeps,
): RunRequest => {
  /** Waits for the processor even past the deadline: its user's next run must not begin beside it. */
  const callProcessor = async <Result>(call: Call<Result>, run: RunWithoutBody, timeoutMs: number): Promise<Result> => {
    const { userId, user, seq, attempt, fencingToken } = run;
    const logger = log.child({ userId, user, seq, attempt });
    const deadline = startDeadline(run.signal, timeoutMs, clock);
    const context = { userId, user, seq, attempt, fencingToken, signal: deadline.signal, logger };
    try {
      const result = await runs.during({ userId, seq, attempt }, () => call(context));
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

  const process = async <Result>(
    call: Call<Result>,
    outcomeOf: (result: Result, policy: RunPolicy) => Outcome,
    run: RunWithoutBody,
    policy: RunPolicy,
  ): Promise<Outcome> => {
    try {
      return outcomeOf(await callProcessor(call, run, policy.timeoutMs), policy);
    } catch (thrown) {
      return outcomeOfError(thrown, countedAttempts(run), policy, clock.random());
    }
  };

  // Not an async function: that would keep the body in memory until the run ends, besides the request.
  return ({ body, ...run }) => {
    const policy = policyOfRun(loaded.policy, run.limits);
    let request: unknown;
    try {
      request = JSON.parse(body);
    } catch (thrown) {
      const error = ownError('BadRequestError', 'The request is not JSON', toRunError(thrown));
      return Promise.resolve(deadLetterOutcome(error, 'failed', policy));
    }
    return 'textProcessor' in loaded
      ? process(callWith(loaded.textProcessor, body), outcomeOfText, run, policy)
      : process(callWith(loaded.processor, request), outcomeOfResult, run, policy);
  };
};

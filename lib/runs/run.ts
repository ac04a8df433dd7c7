import type { Logger } from '../log.ts';
import type { Clock, RunRequest } from '../ports.ts';
import type { Outcome, Run } from '../types.ts';
import { CurrentRuns } from './current-runs.ts';
import { startDeadline } from './deadline.ts';
import type { LoadedProcessor } from './load-processor.ts';
import { countedAttempts, deadLetterOutcome, isUnrecoverable, outcomeOfError, outcomeOfResult } from './outcome.ts';
import { policyOfRun, type RunPolicy } from './policy.ts';
import { toRunError } from './run-error.ts';

type RunWithoutBody = Omit<Run, 'body'>;
type RunDeps = { clock: Pick<Clock, 'after' | 'random'>; log: Logger; runs?: CurrentRuns };

/** Wraps a processor so that every end of a run is an outcome. The returned function never rejects. */
export const createRunRequest = (
  loaded: LoadedProcessor,
  { clock, log, runs = new CurrentRuns() }: RunDeps,
): RunRequest => {
  /** Waits for the processor even past the deadline: its user's next run must not begin beside it. */
  const callProcessor = async (request: unknown, run: RunWithoutBody, timeoutMs: number): Promise<unknown> => {
    const { userId, seq, attempt, fencingToken } = run;
    const logger = log.child({ userId, seq, attempt });
    const deadline = startDeadline(run.signal, timeoutMs, clock);
    const context = { userId, seq, attempt, fencingToken, signal: deadline.signal, logger };
    try {
      const result = await runs.during({ userId, seq, attempt }, () => loaded.processor(request, context));
      deadline.throwIfPassed();
      return result;
    } catch (thrown) {
      // The author of the processor needs the stack. It stays in the log.
      logger.debug({ err: thrown }, 'the processor threw');
      if (!isUnrecoverable(thrown)) deadline.throwIfPassed();
      throw thrown;
    } finally {
      deadline.cancel();
    }
  };

  const process = async (request: unknown, run: RunWithoutBody, policy: RunPolicy): Promise<Outcome> => {
    try {
      return outcomeOfResult(await callProcessor(request, run, policy.timeoutMs), policy);
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
      const message = `The request is not JSON: ${toRunError(thrown).message}`;
      return Promise.resolve(deadLetterOutcome({ name: 'BadRequestError', message }, 'failed', policy));
    }
    return process(request, run, policy);
  };
};

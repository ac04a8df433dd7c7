import type { Logger } from '../log.ts';
import type { Clock, RunRequest } from '../ports.ts';
import type { ProcessorContext } from '../processor.ts';
import { RunEndedError } from '../run-ended.ts';
import { propertyOf } from '../thrown.ts';
import { traceIdOf } from '../traceparent.ts';
import type { Outcome, Run } from '../types.ts';
import { CurrentRuns, type RunInProcess } from './current-runs.ts';
import { startDeadline } from './deadline.ts';
import { createFailureLog } from './failure-log.ts';
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
import { createProcessorLogger, takenNames } from './processor-logger.ts';
import { asError, forLog, ownError, toRunError } from './run-error.ts';

type RunWithoutBody = Omit<Run, 'body'>;
type RunDeps = { clock: Pick<Clock, 'monotonicMs' | 'after' | 'random'>; log: Logger; runs?: CurrentRuns };

type Call<Result> = (context: ProcessorContext) => Result | Promise<Result>;

/** Apart from where the body is known: a closure there would keep it in memory until the run ends. */
const callWith =
  <Request, Result>(
    processor: (request: Request, context: ProcessorContext) => Result | Promise<Result>,
    request: Request,
  ): Call<Result> =>
  (context) =>
    processor(request, context);

const idOf = ({ userId, seq, attempt }: RunInProcess): RunInProcess => ({ userId, seq, attempt });

/** The fields of every line about a run. */
const aboutOf = ({ userId, user, seq, attempt, trace }: RunInProcess & Pick<Run, 'user' | 'trace'>) => ({
  ...{ userId, user, seq, attempt },
  trace: traceIdOf(trace?.traceparent),
});

/** What failed runs of one kind have in common: the class of the error, and where it was thrown. */
const kindOf = (error: Error): string => {
  const stack = propertyOf(error, 'stack');
  const place = typeof stack === 'string' ? /\n\s+at .*/.exec(stack)?.[0] : undefined;
  return `${toRunError(error).name} ${place}`;
};

/** Wraps a processor so that every end of a run is an outcome. The returned function never rejects. */
export const createRunRequest = (
  loaded: LoadedProcessor,
  { clock, log, runs = new CurrentRuns() }: RunDeps,
): RunRequest => {
  const logFailure = createFailureLog({ clock, log });
  const taken = takenNames(log, aboutOf({ userId: '', user: '', seq: 0, attempt: 0 }));

  /** Waits for the processor even past the deadline: its user's next run must not begin beside it. */
  const callProcessor = async <Result>(call: Call<Result>, run: RunWithoutBody, timeoutMs: number): Promise<Result> => {
    const { userId, user, seq, attempt, fencingToken, trace } = run;
    const about = aboutOf(run);
    const logger = createProcessorLogger(log, about, taken);
    const deadline = startDeadline(run.signal, timeoutMs, clock, () =>
      logFailure('timeout', { ...about, timeoutMs }, 'run past its timeout'),
    );
    const id = { userId, user, seq, attempt, fencingToken, ...(trace && { trace }) };
    const context = { ...id, signal: deadline.signal, logger };
    try {
      const result = await runs.during(idOf(run), () => call(context));
      deadline.throwIfPassed();
      return result;
    } catch (thrown) {
      if (!isUnrecoverable(thrown)) deadline.throwIfPassed();
      throw thrown;
    } finally {
      deadline.cancel();
    }
  };

  /** Here and not where outcomes are recorded: the stack of an error stays in the process that ran it. */
  const logEnd = (run: RunWithoutBody, outcome: Outcome, since: number, thrown?: { value: unknown }): Outcome => {
    if (outcome.kind === 'done') return outcome;
    const err = thrown ? forLog(thrown.value) : asError(outcome.error);
    const { kind } = outcome;
    const fields = { ...aboutOf(run), outcome: kind, ms: Math.round(clock.monotonicMs() - since), err };
    // What an aborted run throws is no outcome: it runs again, unless an operator ended it.
    if (run.signal.reason instanceof RunEndedError)
      logFailure(kindOf(err), { ...fields, outcome: 'ended' }, 'run failed after an operator ended it');
    else if (run.signal.aborted) log.debug({ ...fields, outcome: 'aborted' }, 'run aborted');
    else logFailure(kindOf(err), kind === 'retry' ? { ...fields, delayMs: outcome.delayMs } : fields, 'run failed');
    return outcome;
  };

  const process = async <Result>(
    call: Call<Result>,
    outcomeOf: (result: Result, policy: RunPolicy) => Outcome,
    run: RunWithoutBody,
    policy: RunPolicy,
  ): Promise<Outcome> => {
    const since = clock.monotonicMs();
    try {
      return logEnd(run, outcomeOf(await callProcessor(call, run, policy.timeoutMs), policy), since);
    } catch (value) {
      const outcome = outcomeOfError(value, countedAttempts(run), policy, clock.random());
      return logEnd(run, outcome, since, { value });
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
      return Promise.resolve(logEnd(run, deadLetterOutcome(error, 'failed', policy), clock.monotonicMs()));
    }
    return 'textProcessor' in loaded
      ? process(callWith(loaded.textProcessor, body), outcomeOfText, run, policy)
      : process(callWith(loaded.processor, request), outcomeOfResult, run, policy);
  };
};

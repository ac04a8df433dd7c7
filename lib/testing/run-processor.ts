/** One run of a processor in a test, with the outcome that a worker would record. */
import { systemClock } from '../clock.ts';
import { createLogger } from '../log.ts';
import type { Processor, ProcessorContext, ProcessorLogger, ProcessorPolicy } from '../processor.ts';
import { userIdOf } from '../references.ts';
import { createRunRequest } from '../runs/run.ts';
import type { DeadLetterReason, Outcome, RunError } from '../types.ts';
import { policyInTest } from './policy-in-test.ts';
import { createTestLogger } from './test-logger.ts';

/** What a test may say about the run. What it leaves out is that of the first run of a user's first request. */
export type TestContext = Partial<ProcessorContext> & {
  /** The `policy` that the processor's module exports: it decides about the timeout and the retry. */
  policy?: ProcessorPolicy;
};

/**
 * Why a run failed, as the ledger records it: `name`, `message`, causes and parts, clipped and without a stack. `exposed`: clients
 * see this text. `thrown` is what the processor threw itself.
 */
export type TestError = RunError & { thrown?: unknown };

/**
 * What the end of a run means. `retry`: another attempt follows after `delayMs`, the shortest pause that there may be. `deadLetter`: no
 * attempt follows; `blocks` says whether the user's later requests wait for a person. `aborted`: it failed after the `signal` of the test
 * had aborted, so that nothing is recorded, and the request runs again elsewhere.
 */
export type RunOutcome =
  | { status: 'done'; result: unknown }
  | { status: 'failed'; error: TestError; retry: { delayMs: number } }
  | { status: 'failed'; error: TestError; deadLetter: { reason: DeadLetterReason; blocks: boolean } }
  | { status: 'aborted'; error: TestError };

/** The request as the processor gets it: what JSON keeps of it. @throws {TypeError} when it is not JSON. */
export const bodyOf = (request: unknown): string => {
  const body = JSON.stringify(request);
  if (body === undefined) throw new TypeError(`The request must be JSON; it is of type ${typeof request}`);
  return body;
};

const log = createLogger('silent');

/** Back-offs without jitter: a test can name the pause. */
const clock = { ...systemClock, random: () => 0 };

const shownOutcome = (outcome: Outcome, thrown: { thrown?: unknown }, { aborted }: AbortSignal): RunOutcome => {
  if (outcome.kind === 'done') return { status: 'done', result: JSON.parse(outcome.result) };
  const error = { ...outcome.error, ...thrown };
  if (aborted) return { status: 'aborted', error };
  if (outcome.kind === 'retry') return { status: 'failed', error, retry: { delayMs: outcome.delayMs } };
  return { status: 'failed', error, deadLetter: { reason: outcome.reason, blocks: outcome.kind === 'blocked' } };
};

/** The processor with the logger of the test. `thrown` gets what it throws. */
const observed =
  (processor: Processor, logger: ProcessorLogger, thrown: { thrown?: unknown }): Processor =>
  async (request, context) => {
    try {
      return await processor(request, { ...context, logger });
    } catch (error) {
      thrown.thrown = error;
      throw error;
    }
  };

/**
 * Runs a processor once, as a worker would, and returns the outcome: the same code decides about results, their limit, errors, pauses
 * and the timeout. It needs no server and no test framework.
 *
 * @param request any JSON value. The processor gets a copy, as it would from the ledger.
 * @param context what the run is told, and the policy. `signal`: abort it to see what the processor does when its worker stops.
 * @throws {TypeError} when the request is not JSON; {PolicyError} when the policy is out of range. What the processor throws is in the
 * outcome.
 *
 * @example
 * ```ts
 * const outcome = await runProcessor(charge, { amount: 5 }, { attempt: 2, policy: { maxAttempts: 3 } });
 * assert.deepEqual(outcome, { status: 'done', result: { charged: 5 } });
 * ```
 */
export const runProcessor = async (
  processor: Processor,
  request: unknown,
  context: TestContext = {},
): Promise<RunOutcome> => {
  const { policy, user = 'test-user', userId = userIdOf(user), seq = 1, attempt = 1, fencingToken = 1 } = context;
  const { signal = new AbortController().signal, logger = createTestLogger(), trace } = context;
  const thrown: { thrown?: unknown } = {};
  const run = createRunRequest(
    { processor: observed(processor, logger, thrown), policy: policyInTest(policy) },
    { clock, log },
  );
  const id = { userId, user, seq, attempt, fencingToken, trace };
  const outcome = await run({ ...id, body: bodyOf(request), limits: {}, forgiven: 0, interruptions: 0, signal });
  return shownOutcome(outcome, thrown, signal);
};

/** `@lanekeeper/client/testing`: a client without a server, for tests of code that uses one. */
import { createClient } from '../client.ts';
import { ApiError, type ApiProblem } from '../errors.ts';
import type { LanekeeperClient } from '../types.ts';
import { MemoryQueue, type TestProcessor } from './memory-queue.ts';

export type { TestProcessor } from './memory-queue.ts';

export type TestClient = LanekeeperClient & {
  /** The next call is refused like this. */
  refuseNext(problem: ApiProblem, retryAfterSeconds?: number): void;
};

/**
 * A queue in memory: requests run one at a time, in order. The default processor returns each request as its result. One that waits
 * for a promise of the test decides when a request is settled.
 */
export const createTestClient = (
  processor: TestProcessor = (request) => request,
  /** `maxAttempts`: of a request that has none of its own. Attempts follow one another without a pause. Default 1. */
  { maxAttempts = 1 }: { maxAttempts?: number } = {},
): TestClient => {
  let refusal: ApiError | undefined;
  const queue = new MemoryQueue(processor, maxAttempts, () => {
    const error = refusal;
    refusal = undefined;
    if (error) throw error;
  });
  return {
    ...createClient(queue, { closing: new AbortController() }),
    refuseNext: (problem, retryAfterSeconds) => {
      refusal = new ApiError(problem, retryAfterSeconds);
    },
  };
};

import type { RunRequest } from '../ports.ts';

/** Counts the calls of a processor that have not ended. What a processor waits for is real, also where the clock is not. */
export class RunsInProgress {
  #count = 0;
  #ended = Promise.withResolvers<void>();

  get count(): number {
    return this.#count;
  }

  /** Resolves when the next of them ends. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  watch(runRequest: RunRequest): RunRequest {
    return async (run) => {
      this.#count += 1;
      try {
        return await runRequest(run);
      } finally {
        this.#count -= 1;
        this.#ended.resolve();
        this.#ended = Promise.withResolvers();
      }
    };
  }
}

/** The runs under way in this process, so that a fault can be put down to the run that caused it. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { EntryId } from '../types.ts';

export type RunInProcess = EntryId & { attempt: number };

export class CurrentRuns {
  readonly #storage = new AsyncLocalStorage<RunInProcess>();
  readonly #inFlight = new Set<RunInProcess>();

  async during<T>(run: RunInProcess, work: () => T | Promise<T>): Promise<T> {
    this.#inFlight.add(run);
    try {
      return await this.#storage.run(run, work);
    } finally {
      this.#inFlight.delete(run);
    }
  }

  /** The run that started what happens now, also when that run has ended. */
  get current(): RunInProcess | undefined {
    return this.#storage.getStore();
  }

  get inFlight(): RunInProcess[] {
    return [...this.#inFlight];
  }
}

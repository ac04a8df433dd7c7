/** Counts the steps under way, so that a handover can wait for all of them to end. */
export class Activity {
  #count = 0;
  #wake: (() => void) | undefined;

  get count(): number {
    return this.#count;
  }

  begin(): void {
    this.#count += 1;
  }

  end(): void {
    this.#count -= 1;
    if (this.#count === 0) this.stopWaiting();
  }

  /** Resolves when no step is under way, when `timeout` aborts, or at `stopWaiting`. One caller at a time. */
  whenIdle(timeout?: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#count === 0 || timeout?.aborted) resolve();
    this.#wake = resolve;
    timeout?.addEventListener('abort', () => resolve(), { once: true });
    return promise.finally(() => {
      this.#wake = undefined;
    });
  }

  stopWaiting(): void {
    this.#wake?.();
  }
}

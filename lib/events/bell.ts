import type { Clock } from '../ports.ts';

/** One waits until another rings. */
export class Bell {
  #wake: (() => void) | undefined;

  ring(): void {
    this.#wake?.();
  }

  /** For `ms` at most; infinity waits for the ring alone. */
  wait(ms: number, clock: Pick<Clock, 'after'>): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel?.();
        this.#wake = undefined;
        resolve();
      };
      const cancel = Number.isFinite(ms) ? clock.after(Math.max(0, ms), done) : undefined;
      this.#wake = done;
    });
  }
}

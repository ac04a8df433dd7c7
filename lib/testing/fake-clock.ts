import type { Clock } from '../ports.ts';

type Timer = { at: number; callback: () => void };

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  readonly #startedAt: number;
  readonly #timers = new Set<Timer>();
  #ms = 0;

  constructor(startedAt: Date) {
    this.#startedAt = startedAt.getTime();
  }

  now(): Date {
    return new Date(this.#startedAt + this.#ms);
  }

  monotonicMs(): number {
    return this.#ms;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#ms + Math.max(0, ms), callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** No chance, so that every run of a test has the same pauses. */
  random(): number {
    return 0.5;
  }

  /** Moves to the next timer that is due by then, and calls it. Returns whether there was one. */
  fireNext(until = Infinity): boolean {
    let next: Timer | undefined;
    for (const timer of this.#timers) if (!next || timer.at < next.at) next = timer;
    if (!next || next.at > until) return false;
    this.#timers.delete(next);
    this.#ms = Math.max(this.#ms, next.at);
    next.callback();
    return true;
  }

  /** Moves to a moment, in ms since the start, for which no timer is due. */
  moveTo(ms: number): void {
    this.#ms = Math.max(this.#ms, ms);
  }
}

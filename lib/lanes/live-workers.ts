/** Which workers are alive, as one worker sees it. */
import type { Clock, Heartbeat } from '../ports.ts';

/** A worker that has been silent for this long is forgotten: its loans have ended long ago. */
const forgetAfterMs = 3_600_000;

/**
 * A worker is alive while its heartbeat changes. How long it has not changed is counted here, by the monotonic clock: no clock that
 * is set, neither a host's nor MongoDB's, makes a live worker look dead.
 */
export class LiveWorkers {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #validMs: number;
  readonly #seen = new Map<string, { at: number; changedMs: number }>();

  /** @param validMs a worker whose heartbeat has not changed for longer runs nothing any more. */
  constructor(clock: Pick<Clock, 'monotonicMs'>, validMs: number) {
    this.#clock = clock;
    this.#validMs = validMs;
  }

  note(heartbeats: Heartbeat[]): void {
    const now = this.#clock.monotonicMs();
    for (const { workerId, at } of heartbeats) {
      if (this.#seen.get(workerId)?.at !== at.getTime()) this.#seen.set(workerId, { at: at.getTime(), changedMs: now });
    }
    for (const [workerId, { changedMs }] of this.#seen) {
      if (now - changedMs > forgetAfterMs) this.#seen.delete(workerId);
    }
  }

  /** A worker that is not known yet counts as alive, from now on for `validMs`. */
  isAlive(workerId: string): boolean {
    const now = this.#clock.monotonicMs();
    const seen = this.#seen.get(workerId) ?? { at: Number.NaN, changedMs: now };
    this.#seen.set(workerId, seen);
    return now - seen.changedMs <= this.#validMs;
  }
}

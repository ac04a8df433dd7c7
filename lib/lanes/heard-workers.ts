/** What one worker hears of all workers: which are alive, and which lanes nobody owns. */
import { heartbeatEveryMs } from '../heartbeat-times.ts';
import type { Clock, Heartbeat } from '../ports.ts';

/** An owner that is silent for this long counts as gone. Both the write of a heartbeat and its read may be late. */
const ownerSilentMs = 5 * heartbeatEveryMs;
/** A worker that has been silent for this long is forgotten: it owns and runs nothing any more. */
const forgetAfterMs = 3_600_000;

/**
 * A worker is alive while its heartbeat changes. How long it has not changed is counted here, by the monotonic clock: no clock that
 * is set, neither a host's nor MongoDB's, makes a live worker look dead or a dead one alive.
 */
export class HeardWorkers {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #heard = new Map<string, { at: number; changedMs: number; gone?: boolean }>();
  #newest: Heartbeat[] | undefined;

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  note(heartbeats: Heartbeat[]): void {
    const now = this.#clock.monotonicMs();
    this.#newest = heartbeats;
    for (const { workerId, at, gone } of heartbeats) {
      const before = this.#heard.get(workerId);
      // Its last heartbeat may arrive after the note that it is gone.
      if (before?.gone || (!gone && before?.at === at.getTime())) continue;
      this.#heard.set(workerId, { at: at.getTime(), changedMs: now, gone });
    }
    for (const [workerId, { changedMs }] of this.#heard) {
      if (now - changedMs > forgetAfterMs) this.#heard.delete(workerId);
    }
  }

  /** The newest heartbeats of all workers, those of dead ones included. */
  get newest(): Heartbeat[] {
    return this.#newest ?? [];
  }

  /** Whether the worker's heartbeat has changed in the last `withinMs`, and says nothing of its end. One that was never heard of is given that time from now on. */
  isAlive(workerId: string, withinMs: number): boolean {
    const now = this.#clock.monotonicMs();
    const heard = this.#heard.get(workerId) ?? { at: Number.NaN, changedMs: now };
    this.#heard.set(workerId, heard);
    return !heard.gone && now - heard.changedMs <= withinMs;
  }

  /** The newest heartbeats of the workers that are alive. */
  alive(withinMs: number): Heartbeat[] {
    return (this.#newest ?? []).filter(({ workerId }) => this.isAlive(workerId, withinMs));
  }

  /**
   * The lanes below `count` that no worker owns. `undefined` before the first heartbeats were read. While none can be read, the
   * lanes of other workers soon count as lanes without an owner: nobody knows of one.
   */
  lanesWithoutOwner(count: number, own: number[]): number[] | undefined {
    if (!this.#newest) return undefined;
    const owned = new Set([...own, ...this.alive(ownerSilentMs).flatMap(({ lanes }) => lanes)]);
    return Array.from({ length: count }, (_, lane) => lane).filter((lane) => !owned.has(lane));
  }
}

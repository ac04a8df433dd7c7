/** Whether the consumer is ready: a worker runs, and no lane has been without an owner for too long. */
import type { WorkerSnapshot } from '../lanes/snapshot.ts';
import type { Clock } from '../ports.ts';

/** Lanes that are named in the reason. */
const namedLanes = 10;

type Reported = Pick<WorkerSnapshot, 'lanesWithoutOwner'> | undefined;

/** Since when lanes have had no owner. A lane has one when any worker of this consumer knows of one. */
export class UnownedLanes {
  readonly #since = new Map<number, number>();
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  /** Since when workers have run and none has known which lanes have an owner. */
  #unknownSince: number | undefined;

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** @param snapshots the newest of each worker. A worker that does not know yet changes nothing. */
  note(snapshots: Reported[]): void {
    const known = snapshots.flatMap((snapshot) => (snapshot?.lanesWithoutOwner ? [snapshot.lanesWithoutOwner] : []));
    const [first, ...others] = known.map((lanes) => new Set(lanes));
    if (first) this.#unknownSince = undefined;
    else if (snapshots.some(Boolean)) this.#unknownSince ??= this.#clock.monotonicMs();
    if (!first) return;
    const without = new Set([...first].filter((lane) => others.every((lanes) => lanes.has(lane))));
    for (const lane of this.#since.keys()) if (!without.has(lane)) this.#since.delete(lane);
    for (const lane of without) if (!this.#since.has(lane)) this.#since.set(lane, this.#clock.monotonicMs());
  }

  /** Says which lanes have had no owner for longer than `limitMs`; `undefined` when there are none. */
  complaint(limitMs: number): string | undefined {
    const forMs = (since: number) => this.#clock.monotonicMs() - since;
    const limit = `UNHEALTHY_AFTER_MS is ${limitMs}`;
    if (this.#unknownSince !== undefined && forMs(this.#unknownSince) > limitMs) {
      const seconds = Math.round(forMs(this.#unknownSince) / 1_000);
      return `No worker has been able to read the owners of the lanes in MongoDB for ${seconds} s (${limit}).`;
    }
    const late = [...this.#since].filter(([, since]) => forMs(since) > limitMs).sort(([a], [b]) => a - b);
    if (late.length === 0) return undefined;
    const seconds = Math.round(Math.max(...late.map(([, since]) => forMs(since))) / 1_000);
    const names = late.slice(0, namedLanes).map(([lane]) => lane);
    const more = late.length > namedLanes ? ', …' : '';
    return (
      `Lanes that have had no known owner for up to ${seconds} s (${limit}): ${late.length}, namely ` +
      `${names.join(', ')}${more}. Earlier warnings in the log say why.`
    );
  }
}

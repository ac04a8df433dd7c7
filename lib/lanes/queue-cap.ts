/**
 * Which users of one lane may have a queue in RabbitMQ, where `MAX_OPEN_QUEUES` caps their number. Every lane has a fixed part of the
 * cap. A lane has one owner, and its part goes with it to the next one: so no worker has to know what the others have open.
 */
import { hasWork, type LoadedUser } from './loaded-user.ts';
import { partOf } from './part-of.ts';

/** @param maxOpenQueues 0: no cap. The parts of all lanes below `lanes` add up to it. */
export const capOfLane = (lane: number, { lanes, maxOpenQueues }: { lanes: number; maxOpenQueues: number }): number => {
  if (maxOpenQueues === 0) return Number.POSITIVE_INFINITY;
  if (lane >= lanes) return 0;
  return partOf(maxOpenQueues, lanes, lane);
};

/** A queue that was idle for this part of `idleTimeoutMs` may close for another user. Users that send more often keep theirs. */
const yieldPart = 0.1;
/** A lane closes no more than one queue for others in this time: opening one costs RabbitMQ more than some requests without it. */
const yieldPauseMs = 100;

export class QueueCap {
  readonly #cap: number;
  /** From before the declare until the delete is answered. */
  readonly #holders = new Set<LoadedUser>();
  #nextSearchAt = Number.NEGATIVE_INFINITY;

  constructor(cap: number) {
    this.#cap = cap;
  }

  /** Whether the user may have a queue. `false`: the lane has its part of the cap already. */
  take(user: LoadedUser): boolean {
    if (this.#cap === Number.POSITIVE_INFINITY || this.#holders.has(user)) return true;
    if (this.#holders.size >= this.#cap) return false;
    this.#holders.add(user);
    return true;
  }

  /** The user's queue is deleted, or the user forgotten. */
  release(user: LoadedUser): void {
    this.#holders.delete(user);
  }

  /** The user whose queue was idle for longest, for the caller to close, if that is long enough. */
  takeIdle(now: number, idleTimeoutMs: number): LoadedUser | undefined {
    if (now < this.#nextSearchAt) return undefined;
    const idleMs = idleTimeoutMs * yieldPart;
    let longest: LoadedUser | undefined;
    for (const user of this.#holders) {
      if (isIdle(user) && user.idleSince < (longest?.idleSince ?? now)) longest = user;
    }
    const found = longest && longest.idleSince + idleMs <= now ? longest : undefined;
    // While nobody was idle for long enough, nobody is until the one that is idle for longest has been.
    this.#nextSearchAt = found ? now + yieldPauseMs : (longest?.idleSince ?? now) + idleMs;
    return found;
  }
}

const isIdle = (user: LoadedUser): boolean =>
  user.queue === 'open' && user.activity === 'idle' && !user.closing && !user.refreshDue && !hasWork(user);

/**
 * Users whose queue may hold messages that nobody consumes yet: after an acquisition, or after a channel has closed. RabbitMQ needs
 * seconds to open the queues of thousands of users, and functions publish to them meanwhile. So what was accepted is looked up, and
 * whoever has something new is refreshed.
 */
import type { LaneDeps } from './context.ts';
import { hasWork, type LoadedUser } from './loaded-user.ts';
import type { OwnedLane } from './owned-lane.ts';
import type { UserRegistry } from './user-steps.ts';

/** A request waits for this long, and a little more, before it is found. */
const lookUpMs = 500;
const usersPerQuery = 500;

type UnheardDeps = Pick<LaneDeps, 'clock' | 'userQueues'>;

export class UnheardUsers {
  readonly #lane: OwnedLane;
  readonly #registry: Pick<UserRegistry, 'isLoaded' | 'refresh'>;
  readonly #deps: UnheardDeps;
  readonly #users = new Set<LoadedUser>();
  #isStarted = false;

  constructor(lane: OwnedLane, registry: Pick<UserRegistry, 'isLoaded' | 'refresh'>, deps: UnheardDeps) {
    this.#lane = lane;
    this.#registry = registry;
    this.#deps = deps;
  }

  add(user: LoadedUser): void {
    this.#users.add(user);
  }

  /** Goes on until every user's queue is consumed, or the lane is given up. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#deps.clock.after(lookUpMs, () => {
      this.#lookUp()
        // It is tried again: a look-up that fails loses nothing.
        .catch(() => undefined)
        .finally(() => {
          this.#isStarted = false;
          if (this.#users.size > 0) this.start();
        });
    });
  }

  async #lookUp(): Promise<void> {
    for (const user of this.#users) {
      if (!this.#isUnheard(user)) this.#users.delete(user);
    }
    const idle = [...this.#users].filter((user) => !hasWork(user));
    for (let first = 0; first < idle.length; first += usersPerQuery) {
      const asked = idle.slice(first, first + usersPerQuery);
      const accepted = await this.#deps.userQueues.lastAccepted(asked.map(({ userId }) => userId));
      for (const user of asked) {
        const isNew = (accepted.get(user.userId) ?? 0) > user.known;
        if (isNew && this.#isUnheard(user)) this.#registry.refresh(user.userId);
      }
    }
  }

  #isUnheard(user: LoadedUser): boolean {
    return this.#lane.mayStart() && this.#registry.isLoaded(user) && user.queue !== 'open' && !user.markedRefused;
  }
}

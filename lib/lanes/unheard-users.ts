/**
 * Users whose queue may hold messages that nobody consumes yet: after an acquisition, or after a channel has closed. RabbitMQ needs
 * seconds to open the queues of thousands of users, and functions publish to them meanwhile. So what was accepted is looked up, and
 * whoever has something new is refreshed.
 */
import type { WorkerContext } from './context.ts';
import { hasWork, type LoadedUser } from './loaded-user.ts';
import type { OwnedLane } from './owned-lane.ts';
import type { UserRegistry } from './user-steps.ts';

/** A request waits for this long, and a little more, before it is found. */
const lookUpMs = 500;

/** `count`: how many users are loaded. */
type LaneRegistry = Pick<UserRegistry, 'isLoaded' | 'refresh'> & { count(): number };
type UnheardContext = Pick<WorkerContext, 'lastTickets'> & { deps: Pick<WorkerContext['deps'], 'clock'> };

export class UnheardUsers {
  readonly #lane: OwnedLane;
  readonly #registry: LaneRegistry;
  readonly #context: UnheardContext;
  readonly #users = new Set<LoadedUser>();
  #isStarted = false;

  constructor(lane: OwnedLane, registry: LaneRegistry, context: UnheardContext) {
    this.#lane = lane;
    this.#registry = registry;
    this.#context = context;
  }

  /** Call `start` after it. */
  add(user: LoadedUser): void {
    this.#users.add(user);
  }

  /** Goes on until every user's queue is consumed, or the lane is given up. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#context.deps.clock.after(lookUpMs, () => {
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
    const asked = [...this.#users].filter((user) => !hasWork(user));
    if (asked.length === 0) return;
    const accepted = await this.#context.lastTickets({ lane: this.#lane.lane, users: this.#registry.count() });
    for (const user of asked) {
      const isNew = (accepted.get(user.userId) ?? 0) > user.known;
      if (isNew && this.#isUnheard(user)) this.#registry.refresh(user.userId);
    }
  }

  #isUnheard(user: LoadedUser): boolean {
    return this.#lane.mayStart() && this.#registry.isLoaded(user) && user.queue !== 'open' && !user.markedRefused;
  }
}

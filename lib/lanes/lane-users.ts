/** The loaded users of one lane hold: loaded, refreshed, forgotten; what they know and what is due for them. */
import type { Delivery, UserQueueChannel } from '../ports.ts';
import { withTimeout } from '../timeout.ts';
import type { RequestMessage, UserQueue } from '../types.ts';
import { Activity } from './activity.ts';
import type { WorkerContext } from './context.ts';
import { ackAtOnce } from './deliveries.ts';
import { endRuns } from './end-runs.ts';
import { areOnlyRunsSince, lendAfterMs, lendRuns } from './lend-runs.ts';
import {
  cancelTimers,
  endLoan,
  type LoadedUser,
  loadUser,
  loadUserAtAcquisition,
  noteMessage,
  noteRefresh,
} from './loaded-user.ts';
import { momentOf } from './moment.ts';
import type { OwnedLane } from './owned-lane.ts';
import { UnheardUsers } from './unheard-users.ts';
import { UserSteps } from './user-steps.ts';

/** By then, pending work of all lanes acquired together has been claimed. */
const lateQueuesMs = 200;

export class LaneUsers {
  readonly #lane: OwnedLane;
  readonly #context: WorkerContext;
  readonly #steps: UserSteps;
  readonly #activity = new Activity();
  readonly #users = new Map<string, LoadedUser>();
  readonly #unheard: UnheardUsers;
  /** How many refreshes are under way, by user. */
  readonly #refreshing = new Map<string, number>();
  /** Wakes that came before the lane was owned, or during a handover. */
  readonly #earlyWakes = new Set<string>();

  constructor(lane: OwnedLane, queues: UserQueueChannel, context: WorkerContext) {
    this.#lane = lane;
    this.#context = context;
    const registry = {
      isLoaded: (user: LoadedUser) => this.#users.get(user.userId) === user,
      forget: (user: LoadedUser) => this.#forget(user),
      refresh: (userId: string) => this.refresh(userId),
      noteUnheard: (user: LoadedUser) => this.#noteUnheard(user),
      count: () => this.#users.size,
    };
    this.#unheard = new UnheardUsers(lane, registry, context);
    this.#steps = new UserSteps({ lane, queues, registry, activity: this.#activity, context });
  }

  get size(): number {
    return this.#users.size;
  }

  /** How many users have a step under way. */
  get workingCount(): number {
    return this.#activity.count;
  }

  all(): Iterable<LoadedUser> {
    return this.#users.values();
  }

  /** Loads all users that are not closed. Discards the users of an earlier load that failed half-way. */
  async load(): Promise<void> {
    const { bodies, deps } = this.#context;
    this.#users.clear();
    for await (const batch of deps.userQueues.notClosed(this.#lane.lane)) {
      for (const queue of batch)
        this.#users.set(queue.userId, loadUserAtAcquisition(queue, momentOf(deps.clock), bodies));
    }
  }

  /** Starts the work after an acquisition. */
  start(): void {
    const users = [...this.#users.values()];
    for (const user of users) this.#unheard.add(user);
    this.#steps.start(users);
    for (const userId of this.#earlyWakes) this.refresh(userId);
    this.#earlyWakes.clear();
    this.#context.deps.clock.after(lateQueuesMs, () => {
      for (const user of this.#users.values()) this.#steps.openLateQueue(user);
    });
    this.#unheard.start();
  }

  /** Resolves when no step is under way, lent runs included. */
  whenIdle(): Promise<void> {
    return this.#activity.whenIdle();
  }

  /** @see endRuns */
  endRuns(channelClosed: Promise<void>): Promise<void> {
    return endRuns(this.#users, this.#lane, { activity: this.#activity, channelClosed, context: this.#context });
  }

  /** Waits a moment for the steps under way to end, except for long runs, and lends the runs that go on. */
  async endOrLend(forMs: number | undefined): Promise<void> {
    const { clock } = this.#context.deps;
    this.#activity.beginEnd();
    const longSince = clock.monotonicMs() - lendAfterMs;
    const onlyLongRuns = this.#activity.until(() => areOnlyRunsSince(longSince, this.#users.values()));
    await withTimeout(clock, lendAfterMs, onlyLongRuns, () => undefined);
    while (!this.#activity.onlyRuns()) await this.#activity.whenOnlyRuns();
    await lendRuns(this.#users, this.#lane, { forMs, wanted: this.#lane.isHeld }, this.#context);
  }

  /** Ends the loans of workers that are dead. */
  endLoansOfDead(isAlive: (workerId: string) => boolean): void {
    for (const user of this.#users.values()) {
      if (!user.lent || isAlive(user.lent.workerId)) continue;
      endLoan(user);
      this.#steps.advance(user);
    }
  }

  /** The users whose queue is being declared. */
  opening(): string[] {
    return this.#steps.opening();
  }

  /** The lane is released. */
  stop(): void {
    for (const user of this.#users.values()) {
      cancelTimers(user);
      user.held.close();
    }
  }

  wake(userId: string): void {
    if (this.#lane.mayStart()) this.refresh(userId);
    else this.#earlyWakes.add(userId);
  }

  request(userId: string, message: RequestMessage, delivery: Delivery): void {
    const user = this.#users.get(userId);
    if (user) {
      noteMessage(user, message, delivery, this.#context.deps.clock.monotonicMs());
      this.#steps.advance(user);
    } else {
      ackAtOnce(delivery);
      if (this.#lane.isHeld()) this.refresh(userId);
    }
  }

  /** The user queue's consumer is gone [R6]. */
  queueLost(userId: string): void {
    const user = this.#users.get(userId);
    if (!user || !this.#lane.isHeld()) return;
    user.queue = 'none';
    this.refresh(userId);
    this.#noteUnheard(user);
  }

  #noteUnheard(user: LoadedUser): void {
    this.#unheard.add(user);
    this.#unheard.start();
  }

  /** Reads the user's queue document, and the lane's lease after it [R4, R5]. */
  refresh(userId: string): void {
    const { lane, isHeld } = this.#lane;
    this.#refreshing.set(userId, (this.#refreshing.get(userId) ?? 0) + 1);
    const user = this.#users.get(userId);
    if (user) user.refreshDue = true;
    this.#context
      .refresh({ userId, lane, wanted: isHeld })
      .then((found) => {
        this.#refreshArrived(userId);
        if (!found || !isHeld()) return;
        if (found.lease === this.#lane.token) this.#noteQueue(userId, found.queue);
        else this.#lane.lose(`another worker acquired it (lease ${found.lease})`);
      })
      .catch((error) => this.#lane.lose('a refresh failed', error));
  }

  #refreshArrived(userId: string): void {
    const left = (this.#refreshing.get(userId) ?? 1) - 1;
    if (left > 0) this.#refreshing.set(userId, left);
    else this.#refreshing.delete(userId);
  }

  #noteQueue(userId: string, queue: UserQueue | undefined): void {
    const now = momentOf(this.#context.deps.clock);
    const loaded = this.#users.get(userId);
    if (!queue || queue.state === 'closed') return void (loaded && this.#noteClosed(loaded));
    const { bodies, underWay } = this.#context;
    const user = loaded ?? loadUser(queue, now, bodies);
    // More refreshes of this user may be under way: nothing is closed before the last of them has arrived.
    user.refreshDue = this.#refreshing.has(userId);
    if (loaded) noteRefresh(loaded, queue, now);
    else this.#users.set(userId, user);
    void underWay.askAfterRefresh(user, () => this.#lane.isHeld() && this.refresh(userId));
    this.#steps.advance(user);
  }

  /** This owner closed the user, but the answer was lost. A user queue declared since then must be deleted too. */
  #noteClosed(user: LoadedUser): void {
    user.refreshDue = this.#refreshing.has(user.userId);
    if (user.activity !== 'idle') return;
    if (user.queue === 'none') {
      this.#forget(user);
      return;
    }
    user.closing = true;
    this.#steps.advance(user);
  }

  #forget(user: LoadedUser): void {
    this.#steps.forget(user);
    this.#users.delete(user.userId);
  }

  /** Acknowledges messages held since `before`: none is held near the broker's `consumer_timeout`. */
  ackHeldSince(before: number): void {
    for (const user of this.#users.values()) user.held.ackHeldSince(before, user.next);
  }
}

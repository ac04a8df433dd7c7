/** The loaded users of one lane hold: loaded, refreshed, forgotten; what they know and what is due for them. */
import type { Delivery, Progress } from '../ports.ts';
import type { RequestMessage, UserQueue } from '../types.ts';
import { Activity } from './activity.ts';
import type { WorkerContext } from './context.ts';
import { ackAtOnce } from './deliveries.ts';
import {
  type LoadedUser,
  loadUser,
  loadUserAtAcquisition,
  noteMessage,
  noteRefresh,
  waitsForKnownReason,
} from './loaded-user.ts';
import { momentOf } from './moment.ts';
import type { OwnedLane, UserQueueChannel } from './owned-lane.ts';
import { UserSteps } from './user-steps.ts';

/** By then, pending work of all lanes acquired together has been claimed. */
const lateQueuesMs = 200;

export class LaneUsers {
  readonly #lane: OwnedLane;
  readonly #context: WorkerContext;
  readonly #steps: UserSteps;
  readonly #activity = new Activity();
  readonly #users = new Map<string, LoadedUser>();
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
    };
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
    const { userQueues, clock } = this.#context.deps;
    this.#users.clear();
    for await (const batch of userQueues.notClosed(this.#lane.lane)) {
      for (const queue of batch) this.#users.set(queue.userId, loadUserAtAcquisition(queue, momentOf(clock)));
    }
  }

  /** Starts the work after an acquisition. */
  startAcquired(): void {
    this.resume();
    this.#context.deps.clock.after(lateQueuesMs, () => {
      for (const user of this.#users.values()) this.#steps.openLateQueue(user);
    });
  }

  /** Starts the work, or resumes it after a handover that timed out. Wakes that came meanwhile are handled now. */
  resume(): void {
    for (const user of [...this.#users.values()]) this.#steps.advance(user);
    for (const userId of this.#earlyWakes) this.refresh(userId);
    this.#earlyWakes.clear();
  }

  whenIdle(timeout?: AbortSignal): Promise<void> {
    return this.#activity.whenIdle(timeout);
  }

  /** The lane is released. */
  stop(): void {
    for (const user of this.#users.values()) user.cancelTimer?.();
    this.#activity.stopWaiting();
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

  /** RabbitMQ cancelled the user queue's consumer [R6]. */
  queueCancelled(userId: string): void {
    const user = this.#users.get(userId);
    if (!user || !this.#lane.isHeld()) return;
    user.queue = 'none';
    this.refresh(userId);
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
    if (!queue || queue.state === 'closed') {
      if (loaded) this.#noteClosed(loaded);
      return;
    }
    const user = loaded ?? loadUser(queue, now);
    // More refreshes of this user may be under way: nothing is closed before the last of them has arrived.
    user.refreshDue = this.#refreshing.has(userId);
    if (loaded) noteRefresh(loaded, queue, now);
    else this.#users.set(userId, user);
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
    user.cancelTimer?.();
    user.held.dropAll();
    this.#users.delete(user.userId);
  }

  /** Progress to flush: new settlements, and waiting users last vouched for before `vouchedBefore`. */
  progress(vouchedBefore: number): Progress[] {
    return [...this.#users.values()]
      .map((user) => ({ user, settled: user.next - 1, advanced: user.next - 1 > user.flushed }))
      .filter(({ user, advanced }) => advanced || (user.vouchedAt < vouchedBefore && waitsForKnownReason(user)))
      .map(({ user: { userId }, settled, advanced }) => ({ userId, settled, advanced }));
  }

  noteFlushed(flushed: Progress[], at: number): void {
    for (const { userId, settled } of flushed) {
      const user = this.#users.get(userId);
      if (!user) continue;
      user.flushed = Math.max(user.flushed, settled);
      user.vouchedAt = at;
    }
  }

  /** Acknowledges messages held since `before`: none is held near the broker's `consumer_timeout`. */
  ackHeldSince(before: number): void {
    for (const user of this.#users.values()) user.held.ackHeldSince(before, user.next);
  }
}

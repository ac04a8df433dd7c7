/** One hold on a lane, from the subscription to the end of its channel: stand by, take, own, hand over. */
import { sleep } from '../clock.ts';
import { BrokerUnavailableError } from '../errors.ts';
import type { Delivery, LaneChannel, LaneEvents, Progress } from '../ports.ts';
import type { WorkerContext } from './context.ts';
import { persist } from './persist.ts';
import {
  type LoadedUser,
  letGoHeld,
  loadUser,
  loadUserAtTakeOver,
  noteLook,
  noteMessage,
  waitsForGoodReason,
} from './user-state.ts';
import { createUserSteps } from './user-steps.ts';

export type ReleaseReason = 'handed-over' | 'lost' | 'stopped';

/** `opening standing-by taking owned handing-over released`, in this order; a hand-over that is given up goes back to `owned`. */
export type HoldState = 'opening' | 'standing-by' | 'taking' | 'owned' | 'handing-over' | 'released';

export type LaneHold = {
  readonly lane: number;
  state(): HoldState;
  users(): Iterable<LoadedUser>;
  /** How many users are in the middle of a step. */
  workingCount(): number;
  consumerCount(): Promise<number>;
  /**
   * Starts nothing new, lets what runs end and settle, and closes the channel. Resolves to false, with the lane still owned,
   * when that takes longer than `patience` allows.
   */
  handOver(reason: 'handed-over' | 'stopped', patience?: AbortSignal): Promise<boolean>;
  abortRuns(): void;
  /** Gives the lane up at once. */
  forsake(why: string): Promise<void>;
  renewBaton(): Promise<void>;
  /** What `userQueues` does not know yet: what was settled, and who waits for a good reason since before `vouchedBefore`. */
  progress(vouchedBefore: Date): Progress[];
  flushed(progress: Progress[], at: Date): void;
  /** Lets go of what was held longer than this. Nothing is held near the broker's `consumer_timeout`. */
  letGoHeldSince(before: Date): void;
  /** Resolves when the channel is gone. */
  readonly ended: Promise<ReleaseReason>;
};

/** By then what was in hand at a take-over, of all the lanes that came together, has been claimed. */
const lateQueuesMs = 200;
/** How soon a lane gets the baton that the broker did not take. */
const batonRetryMs = 1_000;

export const holdLane = (lane: number, context: WorkerContext): LaneHold => {
  const { clock, log, observer, publisher, laneBroker, lanes, userQueues } = context.deps;
  const { share } = context;
  const users = new Map<string, LoadedUser>();
  const abort = new AbortController();
  const ended = Promise.withResolvers<ReleaseReason>();
  /** Wakes that came while nothing could be looked at: before the lane was owned, or while it was being handed over. */
  const earlyWakes = new Set<string>();
  /** Looks under way, by user. */
  const looks = new Map<string, number>();
  let state: HoldState = 'opening';
  let token = 0;
  let channel: LaneChannel | undefined;
  let baton: Delivery | undefined;
  let delivered = false;
  let working = 0;
  let quiet: (() => void) | undefined;
  let handingOver: Promise<boolean> | undefined;
  /** Handed over for good: a hand-over before this one that is given up does not go to work again. */
  let stopping = false;

  const isHeld = () => state !== 'released';

  const release = async (reason: ReleaseReason): Promise<void> => {
    if (state === 'released') return;
    const wasOwned = state === 'owned' || state === 'handing-over';
    state = 'released';
    abort.abort();
    for (const user of users.values()) user.cancelTimer?.();
    quiet?.();
    try {
      await channel?.close();
      if (wasOwned) observer.laneReleased({ lane, reason, at: clock.now() });
    } finally {
      share.release(lane);
      ended.resolve(reason);
    }
  };

  const lose = (why: string, error?: unknown): void => {
    if (!isHeld()) return;
    log.warn({ lane, fencingToken: token, err: error }, `lane lost: ${why}`);
    void release('lost');
  };

  const steps = createUserSteps(
    {
      token: () => token,
      channel: () => channel as LaneChannel,
      mayStart: () => state === 'owned',
      isHeld,
      signal: () => abort.signal,
      isLoaded: (user) => users.get(user.userId) === user,
      forget: (user) => forget(user),
      look: (userId) => look(userId),
      lose,
      stepBegins() {
        working += 1;
      },
      stepEnds() {
        working -= 1;
        if (working === 0) quiet?.();
      },
    },
    context,
  );

  const forget = (user: LoadedUser): void => {
    user.cancelTimer?.();
    for (const request of user.held.values()) request.delivery?.ack();
    users.delete(user.userId);
  };

  const look = (userId: string): void => {
    looks.set(userId, (looks.get(userId) ?? 0) + 1);
    const user = users.get(userId);
    if (user) user.lookDue = true;
    context
      .look({ userId, lane, wanted: isHeld })
      .then((seen) => {
        const left = (looks.get(userId) ?? 1) - 1;
        if (left > 0) looks.set(userId, left);
        else looks.delete(userId);
        if (!seen || !isHeld()) return;
        if (seen.lease === token) noteSeen(userId, seen.queue);
        else lose(`its lease is ${seen.lease} by now`);
      })
      .catch((error) => lose('a look failed', error));
  };

  const noteSeen = (userId: string, queue: Parameters<typeof loadUser>[0] | undefined): void => {
    const loaded = users.get(userId);
    if (!queue || queue.state === 'closed') {
      if (loaded) noteClosed(loaded);
      return;
    }
    const user = loaded ?? loadUser(queue, clock.now());
    // A user that a look loads may have more looks under way: until the last of them nothing is closed.
    user.lookDue = looks.has(userId);
    if (loaded) noteLook(loaded, queue, clock.now());
    else users.set(userId, user);
    steps.advance(user);
  };

  /** Closed by us, and the answer was lost. A user queue that was declared since must go too. */
  const noteClosed = (user: LoadedUser): void => {
    user.lookDue = looks.has(user.userId);
    if (user.activity !== 'idle') return;
    if (user.queue === 'none') {
      forget(user);
      return;
    }
    user.closing = true;
    steps.advance(user);
  };

  /** Reads the lease again after the load: an owner that was overtaken meanwhile must not start anything [R4]. */
  const load = async (): Promise<boolean> => {
    token = await lanes.takeLease(lane);
    users.clear();
    for await (const batch of userQueues.notClosed(lane)) {
      for (const queue of batch) users.set(queue.userId, loadUserAtTakeOver(queue, clock.now()));
    }
    return (await context.lease({ lane, wanted: isHeld })) === token;
  };

  const take = async (): Promise<void> => {
    state = 'taking';
    const consumers = await (channel as LaneChannel).consumerCount();
    if (!isHeld()) return;
    if (!share.take(lane, consumers)) return release('handed-over');
    const mine = await persist(clock, isHeld, load);
    if (!isHeld()) return;
    if (!mine) {
      lose('it was taken while it was loaded');
      return;
    }
    state = 'owned';
    observer.laneTaken({ lane, fencingToken: token, users: users.size, at: clock.now() });
    workOn();
    clock.after(lateQueuesMs, () => {
      for (const user of users.values()) steps.openLate(user);
    });
  };

  /** Goes to work, first or again: nothing that came meanwhile is forgotten. */
  const workOn = (): void => {
    for (const user of [...users.values()]) steps.advance(user);
    for (const userId of earlyWakes) look(userId);
    earlyWakes.clear();
  };

  /** The first delivery proves that this consumer is the active one. Before it, nothing is touched. */
  const takeWhenDelivered = (): void => {
    delivered = true;
    if (state === 'standing-by') take().catch((error) => lose('it could not be taken', error));
  };

  const events: LaneEvents = {
    baton(delivery) {
      baton?.ack();
      baton = delivery;
      takeWhenDelivered();
    },
    wake(userId, delivery) {
      delivery.ack();
      if (state === 'owned') look(userId);
      else earlyWakes.add(userId);
      takeWhenDelivered();
    },
    request(userId, message, delivery) {
      const user = users.get(userId);
      if (user) {
        noteMessage(user, message, delivery, clock.now());
        steps.advance(user);
      } else {
        delivery.ack();
        if (isHeld()) look(userId);
      }
    },
    userQueueCancelled(userId) {
      const user = users.get(userId);
      if (!user || !isHeld()) return;
      user.queue = 'none';
      look(userId);
    },
    closed: (cause) => lose('its channel was closed', cause),
  };

  /** A baton always lies in the lane [R3]. A broker that takes none for now gets one later. */
  const layBaton = async (): Promise<void> => {
    while (isHeld()) {
      try {
        if ((await publisher.publishBaton(lane)) === 'unroutable') lose('it is not there');
        return;
      } catch (error) {
        if (!(error instanceof BrokerUnavailableError)) throw error;
        // Not ended by `abort`: a lane whose runs are aborted is held on, and would try without a pause.
        await sleep(clock, batonRetryMs);
      }
    }
  };

  const open = async (): Promise<void> => {
    channel = await laneBroker.openLane(lane, events);
    if (!isHeld()) return channel.close();
    state = 'standing-by';
    layBaton().catch((error) => lose('it got no baton', error));
    if (delivered) takeWhenDelivered();
  };

  const whenQuiet = (patience: AbortSignal | undefined): Promise<void> =>
    new Promise((resolve) => {
      if (working === 0 || patience?.aborted) return resolve();
      quiet = resolve;
      patience?.addEventListener('abort', () => resolve(), { once: true });
    });

  const progress = (vouchedBefore: Date): Progress[] =>
    [...users.values()]
      .filter((user) => user.next - 1 > user.flushed || (user.vouchedAt < vouchedBefore && waitsForGoodReason(user)))
      .map((user) => ({ userId: user.userId, settled: user.next - 1, advanced: user.next - 1 > user.flushed }));

  const giveAway = async (reason: 'handed-over' | 'stopped', patience?: AbortSignal): Promise<boolean> => {
    if (state === 'owned' || state === 'handing-over') {
      state = 'handing-over';
      await whenQuiet(patience);
      quiet = undefined;
      if (working > 0 && isHeld()) {
        if (stopping) return false;
        state = 'owned';
        workOn();
        return false;
      }
      if (isHeld()) await userQueues.flushSettled(progress(new Date(0)), clock.now()).catch(() => undefined);
    }
    await release(reason);
    return true;
  };

  open().catch((error) => {
    log.debug({ lane, err: error }, 'a lane could not be opened');
    void release('lost');
  });

  return {
    lane,
    state: () => state,
    users: () => users.values(),
    workingCount: () => working,
    consumerCount: () => (channel as LaneChannel).consumerCount(),
    handOver(reason, patience) {
      stopping ||= reason === 'stopped';
      const earlier = handingOver;
      handingOver = (async () => (await earlier) || giveAway(reason, patience))();
      return handingOver;
    },
    abortRuns: () => abort.abort(),
    async renewBaton() {
      if (state === 'owned') await layBaton();
    },
    async forsake(why) {
      lose(why);
      await ended.promise;
    },
    progress,
    flushed(flushed, at) {
      for (const { userId, settled } of flushed) {
        const user = users.get(userId);
        if (!user) continue;
        user.flushed = Math.max(user.flushed, settled);
        user.vouchedAt = at;
      }
    },
    letGoHeldSince(before) {
      for (const user of users.values()) letGoHeld(user, before);
    },
    ended: ended.promise,
  };
};

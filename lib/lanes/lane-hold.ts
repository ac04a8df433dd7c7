/** One hold on a lane: the life of its channel, from subscribing to closing. Its states are in lane-state.ts. */
import { BrokerUnavailableError } from '../errors.ts';
import type { Delivery, LaneChannel, LaneEvents, LaneObserver, UserQueueChannel } from '../ports.ts';
import { createStateMachine } from '../state-machine.ts';
import { withTimeout } from '../timeout.ts';
import { publishBaton } from './baton.ts';
import type { WorkerContext } from './context.ts';
import { ackAtOnce, BatonDelivery } from './deliveries.ts';
import { dueFlushes, flush } from './flush.ts';
import { assertHolds, type HoldState, holdTransitions } from './lane-state.ts';
import { LaneUsers } from './lane-users.ts';
import { deleteLateQueues } from './late-queues.ts';
import type { OwnedLane } from './owned-lane.ts';
import { persist } from './persist.ts';

const queuesCloseMs = 1_000;

export type ReleaseReason = Parameters<LaneObserver['laneReleased']>[0]['reason'];

export class LaneHold implements OwnedLane {
  readonly lane: number;
  readonly users: LaneUsers;
  readonly #context: WorkerContext;
  readonly #abort = new AbortController();
  readonly #ended = Promise.withResolvers<ReleaseReason>();
  readonly #channelClosed = Promise.withResolvers<void>();
  readonly #baton = new BatonDelivery();
  readonly #queues: UserQueueChannel;
  #channel: LaneChannel | undefined;
  #token = 0;
  readonly #life = createStateMachine<HoldState>({
    name: 'lane hold',
    initial: 'opening',
    transitions: holdTransitions,
    check: (state) => assertHolds(state, { channel: this.#channel !== undefined, token: this.#token }),
  });
  /** The first delivery has come: this consumer is the active one. */
  #delivered = false;
  #handingOver: Promise<void> | undefined;
  #cleanedUp: Promise<void> = Promise.resolve();

  constructor(lane: number, context: WorkerContext) {
    this.lane = lane;
    this.#context = context;
    this.#queues = context.deps.laneBroker.openUserQueues({
      request: (userId, message, delivery) => this.users.request(userId, message, delivery),
      consumerLost: (userId) => this.users.queueLost(userId),
    });
    this.users = new LaneUsers(this, this.#queues, context);
    this.#open().catch((err) => {
      // The connection and the lane broker log outages. Any other error is a defect.
      const level = err instanceof BrokerUnavailableError ? 'debug' : 'error';
      context.deps.log[level]({ lane, err }, 'could not open the lane');
      void this.#release('lost');
    });
  }

  get state(): HoldState {
    return this.#life.state;
  }

  get token(): number {
    return this.#token;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Resolves when the channel is closed. */
  get ended(): Promise<ReleaseReason> {
    return this.#ended.promise;
  }

  /** After `ended`: resolves when no user queue can be left behind by this hold. Never rejects. */
  get cleanedUp(): Promise<void> {
    return this.#cleanedUp;
  }

  readonly mayStart = (): boolean => this.#life.is('owned');

  readonly isHeld = (): boolean => !this.#life.is('giving-up', 'released');

  readonly lose = (reason: string, error?: unknown): void => {
    if (!this.isHeld()) return;
    // A lane that this worker only stood by on is no loss: many end at once, with their connection, which is logged.
    const level = this.#life.is('opening', 'standing-by') ? 'debug' : 'warn';
    this.#context.deps.log[level]({ lane: this.lane, fencingToken: this.#token, err: error }, `lane lost: ${reason}`);
    void this.#release('lost');
  };

  /** How many workers are subscribed to the lane, this one included; `undefined` when RabbitMQ does not say it. */
  consumerCount(): Promise<number | undefined> {
    return this.#openChannel().consumerCount();
  }

  /**
   * Starts no new step, lets short runs end and lends the others, flushes and closes the channel. Lent runs go on:
   * `users.whenIdle` waits for them.
   *
   * @param forMs the worker stops, and exits within this time.
   */
  handOver(reason: 'handed-over' | 'stopped', forMs?: number): Promise<void> {
    this.#handingOver ??= this.#giveAway(reason, forMs).catch((error) =>
      this.lose('it could not be handed over', error),
    );
    return this.#handingOver;
  }

  abortRuns(): void {
    this.#abort.abort();
  }

  async renewBaton(): Promise<void> {
    const wanted = () => this.#life.is('owned', 'giving-up');
    if (wanted()) await publishBaton(this, wanted, this.#context);
  }

  #openChannel(): LaneChannel {
    if (!this.#channel) throw new Error(`lane ${this.lane} has no channel yet`);
    return this.#channel;
  }

  async #open(): Promise<void> {
    const channel = await this.#context.deps.laneBroker.openLane(this.lane, this.#events());
    this.#channel = channel;
    if (!this.isHeld()) return channel.close();
    this.#life.become('standing-by');
    publishBaton(this, this.isHeld, this.#context).catch((error) =>
      this.lose('its baton could not be published', error),
    );
    if (this.#delivered) this.#acquireOnFirstDelivery();
  }

  #events(): LaneEvents {
    const { users } = this;
    return {
      baton: (delivery: Delivery) => {
        this.#baton.replace(delivery);
        this.#acquireOnFirstDelivery();
      },
      wake: (userId, delivery) => {
        ackAtOnce(delivery);
        users.wake(userId);
        this.#acquireOnFirstDelivery();
      },
      closed: (cause) => {
        this.#channelClosed.resolve();
        this.lose('its channel was closed', cause);
      },
    };
  }

  /** The first delivery proves that this consumer is the active one. Nothing is touched before it. */
  #acquireOnFirstDelivery(): void {
    this.#delivered = true;
    if (this.#life.is('standing-by')) this.#acquire().catch((error) => this.lose('it could not be acquired', error));
  }

  async #acquire(): Promise<void> {
    this.#life.become('acquiring');
    const { deps, share, load } = this.#context;
    const consumers = await this.consumerCount();
    if (!this.isHeld()) return;
    if (!share.take(this.lane, consumers)) return this.#release('handed-over');
    const mine = await persist(deps.clock, this.isHeld, () => load(() => this.#load()));
    if (!this.isHeld()) return;
    if (!mine) return this.lose('another worker acquired it during the load');
    this.#life.become('owned');
    deps.observer.laneTaken({
      lane: this.lane,
      fencingToken: this.#token,
      users: this.users.size,
      at: deps.clock.now(),
    });
    this.users.start();
  }

  /** Reads the lease again after the load: an owner that was replaced meanwhile must not start anything [R4]. */
  async #load(): Promise<boolean> {
    if (!this.isHeld()) return false;
    const { workerId, deps, lease } = this.#context;
    this.#token = await deps.lanes.takeLease(this.lane, workerId, deps.clock.now());
    await this.users.load();
    return (await lease({ lane: this.lane, wanted: this.isHeld })) === this.#token;
  }

  async #giveAway(reason: 'handed-over' | 'stopped', forMs: number | undefined): Promise<void> {
    if (this.mayStart()) {
      this.#life.become('handing-over');
      await this.users.endOrLend(forMs);
      if (this.isHeld()) await this.#flush();
    }
    await this.#release(reason);
  }

  async #flush(): Promise<void> {
    const due = dueFlushes(this.users.all(), Number.NEGATIVE_INFINITY, this.isHeld);
    await flush(due, this.#context.deps).catch(() => undefined);
  }

  async #release(reason: ReleaseReason): Promise<void> {
    if (!this.isHeld()) return;
    const { lane } = this;
    const { observer, clock } = this.#context.deps;
    const wasOwned = this.#life.is('owned', 'handing-over');
    this.#life.become(reason === 'lost' ? 'giving-up' : 'released');
    // Runs that are lent out go on.
    if (reason === 'lost') this.#abort.abort();
    this.users.stop();
    const queuesClosed = this.#queues.close();
    this.#cleanedUp = deleteLateQueues(this.users.opening(), queuesClosed, this.#context);
    try {
      if (reason === 'lost') await this.users.endRuns(this.#channelClosed.promise);
      // Before the lane: a declare of ours must not follow the next owner's delete. A server that hangs is not waited for.
      await withTimeout(clock, queuesCloseMs, queuesClosed, () => undefined);
      await this.#channel?.close();
      if (wasOwned) observer.laneReleased({ lane, reason, at: clock.now() });
    } finally {
      if (this.#life.is('giving-up')) this.#life.become('released');
      this.#context.share.release(lane);
      this.#ended.resolve(reason);
    }
  }
}

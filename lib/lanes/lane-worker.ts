/** A worker's lanes: stands by on all of them, owns its share, and hands everything over when it stops. */
import { heartbeatEveryMs, heartbeatValidMs } from '../heartbeat-times.ts';
import { exitMarginMs } from '../limits.ts';
import type { StalledUser } from '../ports.ts';
import { withTimeout } from '../timeout.ts';
import { surplusOf } from './balance.ts';
import { createContext, type LaneDeps, type WorkerContext } from './context.ts';
import { dueFlushes, flush } from './flush.ts';
import { beatMsOf, watchFrozenWorkers } from './frozen-workers.ts';
import { HeardWorkers } from './heard-workers.ts';
import type { LaneHold } from './lane-hold.ts';
import { LaneKeeper } from './lane-keeper.ts';
import { MinuteTally } from './minute-tally.ts';
import { momentOf } from './moment.ts';
import { every } from './periodic-task.ts';
import { persist } from './persist.ts';
import { reportGone, whenNoRunsLeft, whenOnlyUselessRunsLeft } from './retire.ts';
import { createShare, type Share } from './share.ts';
import { takeSnapshot, type WorkerSnapshot } from './snapshot.ts';
import { StatisticsCount } from './statistics.ts';
import { createSweep } from './sweep.ts';
import { inTurns, usersOf } from './turns.ts';
import { createWorkerId, WorkerHeartbeat } from './worker-heartbeat.ts';

/** How long a stopping worker waits for runs that ignore their aborted signal. */
const abortTimeoutMs = 1_000;
/** How long a primary may take to notice that a worker must be killed. */
const killMarginMs = 2_000;
/** A message stays unacknowledged for about this long at most, far below the broker's `consumer_timeout` of 30 minutes. */
const longestHoldMs = 120_000;
const ackHeldEveryMs = 30_000;
const tellMinuteEveryMs = 5_000;

export class LaneWorker {
  readonly #deps: LaneDeps;
  readonly #context: WorkerContext;
  readonly #share: Share;
  readonly #heartbeat: WorkerHeartbeat;
  readonly #heard: HeardWorkers;
  readonly #keeper: LaneKeeper;
  readonly #statistics: StatisticsCount;
  readonly #tally = new MinuteTally();
  readonly #sweep: () => Promise<void>;
  readonly #stopping = new AbortController();
  /** The last run has ended: the heartbeat stops. */
  readonly #finished = new AbortController();
  readonly #ended: Promise<void>;
  readonly #failed = Promise.withResolvers<unknown>();
  /** What the sweep under way has found. */
  #found: StalledUser[] | undefined;

  constructor(given: LaneDeps) {
    const workerId = createWorkerId(given.clock);
    const deps = { ...given, observer: this.#tally.observe(given.observer) };
    this.#deps = deps;
    this.#share = createShare(deps.clock, workerId, () => this.#keeper.count);
    this.#context = createContext(deps, workerId, this.#share);
    this.#heartbeat = new WorkerHeartbeat(deps, workerId);
    this.#heard = new HeardWorkers(deps.clock);
    this.#statistics = new StatisticsCount(deps, workerId, this.#heard);
    this.#keeper = new LaneKeeper(this.#context, this.#stopping.signal, () => this.#heartbeat.storeIsSilent());
    this.#sweep = createSweep(deps, (found) => this.#noteStuck(found));
    this.#ended = this.#work().catch(this.#failed.resolve);
  }

  /**
   * Acquires no more lanes, hands over those it owns, and waits for its runs. After `graceMs` it aborts their signals.
   *
   * @param outlived the process goes on: a run that ignores its signal is waited for, because its user must wait for it.
   */
  async stop({ outlived = false } = {}): Promise<void> {
    const { clock, config } = this.#deps;
    const { graceMs } = config;
    this.#stopping.abort();
    const cancelAbort = clock.after(graceMs, () => this.#keeper.abortRuns());
    const handingOver = this.#handEverythingOver({ graceMs, exits: !outlived });
    const handedOver = Promise.all([handingOver, this.#ended]).then(() => this.#keeper.settled());
    await withTimeout(clock, graceMs + abortTimeoutMs, handedOver, () => undefined);
    cancelAbort();
    if (outlived) await whenNoRunsLeft(handedOver, this.#context);
    this.#finished.abort();
    await this.#heartbeat.remove();
  }

  /**
   * Resolves when this worker must retire: a run that an operator ended ignores its signal, and only the end of the process ends it.
   * Until then its user waits. Never rejects.
   */
  get mustRetire(): Promise<void> {
    return this.#context.retirement.promise;
  }

  /**
   * Acquires no more lanes, and hands over those it owns, without a time limit. Resolves when no run is left that the end of the
   * process would interrupt.
   */
  async retire(): Promise<void> {
    this.#stopping.abort();
    await this.#handEverythingOver({ exits: false });
    await whenOnlyUselessRunsLeft(this.#keeper, this.#context);
  }

  /** The process of another worker has exited: it runs nothing any more. Tells every worker. */
  async noteGone(workerId: string): Promise<void> {
    await reportGone(workerId, this.#finished.signal, this.#deps);
  }

  /** Resolves with the error when the lanes cannot be kept, as when MongoDB refuses this worker. Then stop it. Never rejects. */
  get failed(): Promise<unknown> {
    return this.#failed.promise;
  }

  snapshot(): WorkerSnapshot {
    const { runs, underWay, unresponsive, bodies } = this.#context;
    const ofRuns = { inFlight: runs.size, oldestRunMs: underWay.oldestMs(), unresponsiveRuns: unresponsive.size };
    const counts = { ...ofRuns, heldBytes: bodies.bytes };
    const own = this.#keeper.active().map(({ lane }) => lane);
    return {
      workerId: this.#context.workerId,
      ...counts,
      ...takeSnapshot(this.#keeper.owned(), this.#statistics.unvouchedSince, momentOf(this.#deps.clock)),
      ...this.#statistics.newest(this.#keeper.owned()),
      mongodbUp: this.#heartbeat.storeAnswers,
      rabbitmqUp: this.#keeper.standsBy(),
      lanesWithoutOwner: this.#heard.lanesWithoutOwner(this.#keeper.count, own),
    };
  }

  async #work(): Promise<void> {
    const { clock, lanes, config } = this.#deps;
    const { signal } = this.#stopping;
    const known = await persist(
      clock,
      () => !signal.aborted,
      () => lanes.known(),
    );
    this.#keeper.keepUpTo(Math.max(config.lanes, ...(known ?? []).map((lane) => lane + 1)));
    const go = (ms: number, task: () => Promise<void>) => void every(this.#deps, ms, this.#finished.signal, task);
    go(beatMsOf(config.frozenAfterMs), () => this.#sendHeartbeat());
    for (const task of [() => this.#hear(), () => this.#context.underWay.askWhereDue()]) go(heartbeatEveryMs, task);
    go(tellMinuteEveryMs, () => this.#tally.flush(this.#deps.workers));
    void watchFrozenWorkers(this.#deps, this.#context.workerId, () => this.#keeper.standsBy(), signal);
    const repeat = (ms: number, task: () => Promise<void>) => every(this.#deps, ms, signal, task);
    await Promise.all([
      repeat(config.flushMs, () => this.#flush()),
      repeat(config.balanceMs, () => this.#balance()),
      repeat(config.sweepMs, () => this.#sweepOnce()),
      repeat(config.batonRenewMs, () => this.#renewBatons()),
      repeat(ackHeldEveryMs, () => this.#ackHeld()),
    ]);
    await this.#keeper.ended();
  }

  async #flush(): Promise<void> {
    const { clock, config } = this.#deps;
    const vouchedBefore = clock.monotonicMs() - config.stuckAfterMs / 3;
    const lanes = this.#keeper.active();
    const due = lanes.flatMap(({ users, isHeld }) => dueFlushes(users.all(), vouchedBefore, isHeld));
    await flush(due, this.#deps);
  }

  #noteStuck(found: StalledUser[]): void {
    this.#found = found;
    this.#deps.observer.swept({ stuck: found.length, at: this.#deps.clock.now() });
    this.#keeper.adoptLanesOfUsers(found);
  }

  async #sweepOnce(): Promise<void> {
    this.#found = undefined;
    try {
      await this.#sweep();
    } finally {
      // Also when the wakes could not be published. Without an answer from MongoDB the earlier finding stays.
      if (this.#found) await this.#statistics.noteSweep(this.#found);
    }
  }

  /** Reads the heartbeats of all workers: the loans of dead ones end. */
  async #hear(): Promise<void> {
    this.#heard.note(await this.#deps.workers.all());
    const alive = this.#heard.alive(heartbeatValidMs);
    this.#share.noteHeartbeats(alive);
    this.#keeper.adoptLanesOfWorkers(alive);
    for (const hold of this.#keeper.owned())
      hold.users.endLoansOfDead((workerId) => this.#heard.isAlive(workerId, this.#heartbeat.lenderValidMs));
  }

  async #balance(): Promise<void> {
    const surplus = await surplusOf(this.#keeper.owned(), this.#share);
    const users = usersOf(surplus);
    await inTurns(surplus, { clock: this.#deps.clock, users, signal: this.#stopping.signal }, async (hold) => {
      const isWanted = hold.mayStart() && (await hold.consumerCount()) !== 1;
      if (isWanted) await this.#keeper.handOver(hold, 'handed-over');
    });
  }

  async #sendHeartbeat(): Promise<void> {
    const told = this.#statistics.toTell(this.#keeper.active(), this.#keeper.owned());
    try {
      const unresponsive = [...this.#context.unresponsive].map(({ userId }) => userId);
      const away = this.#stopping.signal.aborted || !this.#keeper.standsBy();
      await this.#heartbeat.send({ ...told, moves: this.#tally.moves(this.#keeper.active()), unresponsive, away });
    } catch (error) {
      if (this.#heartbeat.storeIsSilent()) this.#keeper.giveUp('MongoDB does not answer this worker');
      throw error;
    }
  }

  async #renewBatons(): Promise<void> {
    await this.#keeper.renewBatons();
  }

  async #ackHeld(): Promise<void> {
    const before = this.#deps.clock.monotonicMs() - longestHoldMs;
    for (const hold of this.#keeper.held()) hold.users.ackHeldSince(before);
  }

  /** @param exits the process of this worker exits soon after `graceMs`. */
  async #handEverythingOver({ graceMs, exits }: { graceMs?: number; exits: boolean }): Promise<void> {
    const { clock, config } = this.#deps;
    const forMs = exits ? config.graceMs + exitMarginMs + killMarginMs : undefined;
    const handOver = (hold: LaneHold) => this.#keeper.handOver(hold, 'stopped', forMs);
    const owned = this.#keeper.owned();
    // First of all, so that no lane comes to this worker any more.
    const others = this.#keeper.held().filter((hold) => !owned.includes(hold));
    await Promise.all([...others.map(handOver), inTurns(owned, { clock, users: usersOf(owned), graceMs }, handOver)]);
  }
}

export const startLaneWorker = (deps: LaneDeps): LaneWorker => new LaneWorker(deps);

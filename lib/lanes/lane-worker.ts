/** A worker's lanes: stands by on all of them, owns its share, and hands everything over when it stops. */
import { sleep } from '../clock.ts';
import { heartbeatEveryMs } from '../heartbeat-times.ts';
import type { StalledUser } from '../ports.ts';
import { withTimeout } from '../timeout.ts';
import { createBalance } from './balance.ts';
import { createContext, type LaneDeps, type WorkerContext } from './context.ts';
import { LaneHold } from './lane-hold.ts';
import { momentOf } from './moment.ts';
import { oldestAcceptedAt } from './pending-age.ts';
import { every } from './periodic-task.ts';
import { persist } from './persist.ts';
import { createShare } from './share.ts';
import { type StuckUsers, takeSnapshot, type WorkerSnapshot } from './snapshot.ts';
import { isPending } from './stalled-users.ts';
import { createSweep } from './sweep.ts';
import { createWorkerId, WorkerHeartbeat } from './worker-heartbeat.ts';

const firstReopenMs = 100;
const longestReopenMs = 2_000;
/** How long a stopping worker waits for runs that ignore their aborted signal. */
const abortTimeoutMs = 1_000;
/** A message stays unacknowledged for about this long at most, far below the broker's `consumer_timeout` of 30 minutes. */
const longestHoldMs = 120_000;
const ackHeldEveryMs = 30_000;
/** The pause before MongoDB is asked again by a worker that has given its lanes up. */
const storePauseMs = 500;

export class LaneWorker {
  readonly #deps: LaneDeps;
  readonly #context: WorkerContext;
  readonly #heartbeat: WorkerHeartbeat;
  readonly #balance: ReturnType<typeof createBalance>;
  readonly #sweep: () => Promise<void>;
  readonly #holds = new Map<number, LaneHold>();
  readonly #kept: Promise<void>[] = [];
  readonly #stopping = new AbortController();
  readonly #ended: Promise<void>;
  readonly #failed = Promise.withResolvers<unknown>();
  /** What the sweep under way has found. */
  #found: StalledUser[] | undefined;
  #stuck: StuckUsers = { count: 0, since: undefined };

  constructor(deps: LaneDeps) {
    const workerId = createWorkerId(deps.clock);
    const share = createShare(deps.clock, workerId, () => this.#kept.length);
    this.#deps = deps;
    this.#context = createContext(deps, share);
    this.#balance = createBalance(deps, share);
    this.#heartbeat = new WorkerHeartbeat(deps, workerId);
    this.#sweep = createSweep(deps, (found) => this.#noteStuck(found));
    this.#ended = this.#work().catch(this.#failed.resolve);
  }

  /** Acquires no more lanes and hands over those it owns. After `graceMs` it aborts the signals of its runs and leaves. */
  async stop(): Promise<void> {
    const { clock, config } = this.#deps;
    this.#stopping.abort();
    const cancelAbort = clock.after(config.graceMs, () => {
      for (const hold of this.#holds.values()) hold.abortRuns();
    });
    await withTimeout(clock, config.graceMs + abortTimeoutMs, this.#handEverythingOver(), () => undefined);
    cancelAbort();
    await this.#heartbeat.remove();
  }

  /** Resolves with the error when the lanes cannot be kept, as when MongoDB refuses this worker. Then stop it. Never rejects. */
  get failed(): Promise<unknown> {
    return this.#failed.promise;
  }

  snapshot(): WorkerSnapshot {
    return takeSnapshot(this.#owned(), this.#context.slots.inUse(), this.#stuck, momentOf(this.#deps.clock));
  }

  async #work(): Promise<void> {
    const { clock, lanes, config } = this.#deps;
    const { signal } = this.#stopping;
    const known = await persist(
      clock,
      () => !signal.aborted,
      () => lanes.known(),
    );
    this.#keepLanes(Math.max(config.lanes, ...(known ?? []).map((lane) => lane + 1)));
    const repeat = (ms: number, task: () => Promise<void>) => every(this.#deps, ms, signal, task);
    await Promise.all([
      repeat(config.flushMs, () => this.#flush()),
      repeat(config.balanceMs, () => this.#balance(this.#owned(), signal)),
      repeat(config.sweepMs, () => this.#sweepOnce()),
      repeat(heartbeatEveryMs, () => this.#sendHeartbeat()),
      repeat(config.batonRenewMs, () => this.#renewBatons()),
      repeat(ackHeldEveryMs, () => this.#ackHeld()),
    ]);
    await Promise.all(this.#kept);
  }

  #owned(): LaneHold[] {
    return [...this.#holds.values()].filter((hold) => hold.state === 'owned');
  }

  /** The lanes owned, and those whose last runs are still under way. */
  #active(): LaneHold[] {
    return [...this.#holds.values()].filter((hold) => ['owned', 'handing-over'].includes(hold.state));
  }

  /** Stands by on the lanes below `count`, in a random order, so that workers share them. */
  #keepLanes(count: number): void {
    const { clock } = this.#deps;
    const added = Array.from({ length: Math.max(0, count - this.#kept.length) }, (_, index) => ({
      lane: this.#kept.length + index,
      place: clock.random(),
    }));
    added.sort((a, b) => a.place - b.place);
    for (const { lane } of added) this.#kept.push(this.#keepLane(lane));
  }

  /** Stands by on a lane as long as the worker lives. The pause before it opens the lane again grows with each failure. */
  async #keepLane(lane: number): Promise<void> {
    const { clock } = this.#deps;
    const { signal } = this.#stopping;
    let pauseMs = firstReopenMs;
    while (!signal.aborted) {
      while (this.#heartbeat.storeIsSilent() && !signal.aborted) await sleep(clock, storePauseMs, signal);
      if (signal.aborted) return;
      const hold = new LaneHold(lane, this.#context);
      this.#holds.set(lane, hold);
      const openedAt = clock.monotonicMs();
      const reason = await hold.ended;
      if (reason === 'handed-over') continue;
      pauseMs = clock.monotonicMs() - openedAt > longestReopenMs ? firstReopenMs : pauseMs;
      await sleep(clock, pauseMs * (0.5 + clock.random() / 2), signal);
      pauseMs = Math.min(pauseMs * 2, longestReopenMs);
    }
  }

  async #flush(): Promise<void> {
    const { clock, config, userQueues } = this.#deps;
    const now = clock.monotonicMs();
    const vouchedBefore = now - config.stuckAfterMs / 3;
    const progress = this.#active().flatMap((hold) => hold.users.progress(vouchedBefore));
    if (progress.length === 0) return;
    await userQueues.flushSettled(progress, clock.now());
    for (const hold of this.#holds.values()) hold.users.noteFlushed(progress, now);
  }

  #noteStuck(found: StalledUser[]): void {
    this.#found = found;
    this.#stuck = { ...this.#stuck, count: found.filter(isPending).length };
    this.#deps.observer.swept({ stuck: found.length, at: this.#deps.clock.now() });
    this.#adoptLane(Math.max(-1, ...found.map(({ lane }) => lane)));
  }

  async #sweepOnce(): Promise<void> {
    this.#found = undefined;
    try {
      await this.#sweep();
    } finally {
      // Also when the wakes could not be published. Without an answer from MongoDB the earlier finding stays.
      if (this.#found) this.#stuck = { ...this.#stuck, since: await oldestAcceptedAt(this.#found, this.#deps) };
    }
  }

  /** Functions may know of more lanes than this worker. Those lanes' users must not wait for the worker's restart. */
  #adoptLane(lane: number): void {
    if (lane < this.#kept.length) return;
    this.#deps.log.error(
      { lane, lanes: this.#kept.length },
      'found users in lanes beyond LANES: standing by on those too',
    );
    this.#keepLanes(lane + 1);
  }

  async #sendHeartbeat(): Promise<void> {
    try {
      await this.#heartbeat.send(this.#active().map(({ lane }) => lane));
    } catch (error) {
      if (this.#heartbeat.storeIsSilent()) {
        const held = [...this.#holds.values()].filter((hold) => hold.isHeld());
        await Promise.all(held.map((hold) => hold.giveUp('MongoDB does not answer this worker')));
      }
      throw error;
    }
  }

  async #renewBatons(): Promise<void> {
    await Promise.all(this.#owned().map((hold) => hold.renewBaton()));
  }

  async #ackHeld(): Promise<void> {
    const before = this.#deps.clock.monotonicMs() - longestHoldMs;
    for (const hold of this.#holds.values()) hold.users.ackHeldSince(before);
  }

  async #handEverythingOver(): Promise<void> {
    await Promise.all([...this.#holds.values()].map((hold) => hold.handOver('stopped')));
    await this.#ended;
  }
}

export const startLaneWorker = (deps: LaneDeps): LaneWorker => new LaneWorker(deps);

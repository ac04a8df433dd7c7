/** Keeps a worker subscribed to every lane, and knows the holds. */
import { sleep } from '../clock.ts';
import type { Heartbeat, StalledUser } from '../ports.ts';
import type { WorkerContext } from './context.ts';
import { LaneHold } from './lane-hold.ts';

const firstReopenMs = 100;
const longestReopenMs = 2_000;
/** The pause before MongoDB is asked again by a worker that has given its lanes up. */
const storePauseMs = 500;

/** Also a lane that is given up lends runs that ignore their signal. */
const lendsRuns = ({ users }: LaneHold): boolean => [...users.all()].some(({ running }) => running?.lentOut);

export class LaneKeeper {
  readonly #context: WorkerContext;
  readonly #stopping: AbortSignal;
  readonly #storeIsSilent: () => boolean;
  readonly #holds = new Map<number, LaneHold>();
  readonly #kept: Promise<void>[] = [];
  /** Holds whose runs go on after the lane was handed over or given up. */
  readonly #lending = new Set<LaneHold>();
  readonly #cleaning = new Set<Promise<void>>();

  /** @param storeIsSilent MongoDB has not answered for so long that this worker must not own lanes. */
  constructor(context: WorkerContext, stopping: AbortSignal, storeIsSilent: () => boolean) {
    this.#context = context;
    this.#stopping = stopping;
    this.#storeIsSilent = storeIsSilent;
  }

  /** Lanes that this worker stands by on or owns. */
  get count(): number {
    return this.#kept.length;
  }

  /** The newest hold of each lane, and released ones whose lent runs go on. */
  all(): LaneHold[] {
    return [...new Set([...this.#holds.values(), ...this.#lending])];
  }

  held(): LaneHold[] {
    return [...this.#holds.values()].filter((hold) => hold.isHeld());
  }

  owned(): LaneHold[] {
    return [...this.#holds.values()].filter((hold) => hold.state === 'owned');
  }

  /** The lanes owned, and those that are being handed over. */
  active(): LaneHold[] {
    return [...this.#holds.values()].filter((hold) => ['owned', 'handing-over'].includes(hold.state));
  }

  /** Whether this worker is subscribed to any lane. */
  standsBy(): boolean {
    return this.held().some((hold) => hold.state !== 'opening');
  }

  /** Resolves when no lane is kept any more, after the worker has begun to stop. */
  async ended(): Promise<void> {
    await Promise.all(this.#kept);
  }

  /** Resolves when every run that was lent out has ended, and no user queue can be left behind. */
  async settled(): Promise<void> {
    await Promise.all([...[...this.#lending].map((hold) => hold.users.whenIdle()), ...this.#cleaning]);
  }

  /** Stands by on the lanes below `count`, in a random order, so that workers share them. */
  keepUpTo(count: number): void {
    const { clock } = this.#context.deps;
    const added = Array.from({ length: Math.max(0, count - this.#kept.length) }, (_, index) => ({
      lane: this.#kept.length + index,
      place: clock.random(),
    }));
    added.sort((a, b) => a.place - b.place);
    for (const { lane } of added) this.#kept.push(this.#keep(lane));
  }

  /** Functions may know of more lanes than this worker. Those lanes' users must not wait for the worker's restart. */
  adoptLanesOfUsers(users: Pick<StalledUser, 'lane'>[]): void {
    const text = 'found users in lanes beyond LANES: standing by on those too';
    this.#adopt(Math.max(-1, ...users.map(({ lane }) => lane)), 'error', text);
  }

  /** A worker that was started with a larger `LANES` owns lanes that this one does not know. It must not be alone with them. */
  adoptLanesOfWorkers(heartbeats: Pick<Heartbeat, 'lanes'>[]): void {
    const text = 'another worker owns lanes beyond LANES: standing by on those too';
    this.#adopt(Math.max(-1, ...heartbeats.flatMap(({ lanes }) => lanes)), 'info', text);
  }

  #adopt(lane: number, level: 'error' | 'info', text: string): void {
    const lanes = this.count;
    if (lane < lanes || this.#stopping.aborted) return;
    this.#context.deps.log[level]({ lane, lanes }, text);
    this.keepUpTo(lane + 1);
  }

  /** Runs that go on after the handover stay known until they end. */
  async handOver(hold: LaneHold, reason: 'handed-over' | 'stopped', forMs?: number): Promise<void> {
    this.#trackRuns(hold);
    await hold.handOver(reason, forMs);
  }

  #trackRuns(hold: LaneHold): void {
    this.#lending.add(hold);
    void hold.users.whenIdle().then(() => this.#lending.delete(hold));
  }

  abortRuns(): void {
    for (const hold of this.all()) hold.abortRuns();
  }

  async renewBatons(): Promise<void> {
    await Promise.all([...this.#holds.values()].map((hold) => hold.renewBaton()));
  }

  /** Aborts all runs, and gives all lanes up. */
  giveUp(reason: string): void {
    for (const hold of this.#lending) hold.abortRuns();
    for (const hold of this.held()) hold.lose(reason);
  }

  #trackCleanup({ cleanedUp }: LaneHold): void {
    this.#cleaning.add(cleanedUp);
    void cleanedUp.then(() => this.#cleaning.delete(cleanedUp));
  }

  /** Stands by on a lane as long as the worker lives. The pause before it opens the lane again grows with each failure. */
  async #keep(lane: number): Promise<void> {
    const { clock } = this.#context.deps;
    const signal = this.#stopping;
    let pauseMs = firstReopenMs;
    while (!signal.aborted) {
      while (this.#storeIsSilent() && !signal.aborted) await sleep(clock, storePauseMs, signal);
      if (signal.aborted) return;
      const hold = new LaneHold(lane, this.#context);
      this.#holds.set(lane, hold);
      const openedMs = clock.monotonicMs();
      const reason = await hold.ended;
      this.#trackCleanup(hold);
      if (lendsRuns(hold)) this.#trackRuns(hold);
      if (reason === 'handed-over') continue;
      pauseMs = clock.monotonicMs() - openedMs > longestReopenMs ? firstReopenMs : pauseMs;
      await sleep(clock, pauseMs * (0.5 + clock.random() / 2), signal);
      pauseMs = Math.min(pauseMs * 2, longestReopenMs);
    }
  }
}

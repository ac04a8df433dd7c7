/** The life of one loaded user with its owner, one step at a time: read, write a tombstone, run, close. */

import type { UserQueueChannel } from '../ports.ts';
import { withTimeout } from '../timeout.ts';
import type { Activity } from './activity.ts';
import type { WorkerContext } from './context.ts';
import { decideStep, type Step } from './decide-step.ts';
import type { HeldRequest } from './held-requests.ts';
import { advancePast, cancelTimers, endLoan, type LoadedUser, postponeClose } from './loaded-user.ts';
import type { OwnedLane } from './owned-lane.ts';
import { persist } from './persist.ts';
import type { Slots } from './slots.ts';
import { UserClaims } from './user-claims.ts';
import { UserQueueCare } from './user-queue-care.ts';
import { UserReads } from './user-reads.ts';
import { UserRuns } from './user-runs.ts';

/** Who keeps the loaded users. */
export type UserRegistry = {
  isLoaded(user: LoadedUser): boolean;
  forget(user: LoadedUser): void;
  refresh(userId: string): void;
  /** The user's queue may hold messages that nobody consumes yet: what is accepted is looked up until somebody does. */
  noteUnheard(user: LoadedUser): void;
};

type UserStepsOptions = {
  lane: OwnedLane;
  queues: UserQueueChannel;
  registry: UserRegistry;
  activity: Activity;
  context: WorkerContext;
};

export class UserSteps {
  readonly #lane: OwnedLane;
  readonly #queues: UserQueueCare;
  readonly #registry: UserRegistry;
  readonly #activity: Activity;
  readonly #context: WorkerContext;
  readonly #reads: UserReads;
  readonly #claims: UserClaims;
  readonly #runs: UserRuns;

  constructor({ lane, queues, registry, activity, context }: UserStepsOptions) {
    this.#lane = lane;
    this.#queues = new UserQueueCare({ lane, queues, registry, context, advance: (user) => this.advance(user) });
    this.#registry = registry;
    this.#activity = activity;
    this.#context = context;
    this.#reads = new UserReads(lane, context);
    this.#claims = new UserClaims(lane, this.#reads, context);
    this.#runs = new UserRuns(lane, { activity, claims: this.#claims, context });
  }

  /** Starts what is due for the user, unless a step is under way. */
  advance(user: LoadedUser): void {
    if (!this.#mayStart(user) || user.activity !== 'idle') return;
    user.cancelTimer?.();
    user.cancelTimer = undefined;
    const now = this.#now();
    const step = decideStep(user, now, this.#context.deps.config);
    this.#queues.openWhenDue(user, step);
    this.#take(user, step, now);
  }

  /** Starts what is due after an acquisition. */
  start(users: LoadedUser[]): void {
    this.#queues.inherit(users);
    for (const user of users) this.advance(user);
  }

  /** Lets go of everything that is kept for the user, who is closed. */
  forget(user: LoadedUser): void {
    cancelTimers(user);
    user.held.dropAll();
    this.#queues.forget(user);
  }

  /** Opens a user queue that was left until pending work was claimed. */
  openLateQueue(user: LoadedUser): void {
    this.#queues.openLate(user);
  }

  /** The users whose queue is being declared. */
  opening(): string[] {
    return this.#queues.opening();
  }

  #now(): number {
    return this.#context.deps.clock.monotonicMs();
  }

  #mayStart(user: LoadedUser): boolean {
    return this.#lane.mayStart() && this.#registry.isLoaded(user);
  }

  #take(user: LoadedUser, step: Step, now: number): void {
    switch (step.kind) {
      case 'run':
        this.#takeRun(user, step.request);
        break;
      case 'read':
        this.#begin(user, () => this.#reads.read(user));
        break;
      case 'write-tombstone':
        this.#begin(user, () => this.#writeTombstone(user));
        break;
      case 'begin-close':
        this.#begin(user, () => this.#beginClose(user, step.onlyWithoutSession));
        break;
      case 'end-close':
        this.#begin(user, () => this.#endClose(user));
        break;
      case 'end-loan':
        endLoan(user);
        this.advance(user);
        break;
      case 'wait':
        user.cancelTimer = this.#context.deps.clock.after(step.until - now, () => {
          user.cancelTimer = undefined;
          this.advance(user);
        });
        break;
      case 'none':
    }
  }

  /** Unavailable stores are retried inside the step. Any other failure is a defect or a dead channel, and releases the lane. */
  #begin(user: LoadedUser, step: () => Promise<void>): void {
    user.activity = 'working';
    this.#activity.begin();
    step()
      .catch((error) => this.#lane.lose('a step failed', error))
      .finally(() => {
        user.activity = 'idle';
        this.#activity.end();
        this.advance(user);
      });
  }

  /** A worker that lost the lane and acquired it again may still run this user's request: two runs of one user must not overlap. */
  #takeRun(user: LoadedUser, request: HeldRequest): void {
    const earlier = user.waitedForEarlierRun ? undefined : this.#context.runs.get(user.userId);
    if (earlier) this.#begin(user, () => this.#waitForEarlierRun(user, earlier));
    else this.#takeNext(user, request);
  }

  #takeNext(user: LoadedUser, request: HeldRequest): void {
    const plan = this.#claims.planOf(user, user.next, request);
    if (plan.kind === 'dead-letter') {
      this.#begin(user, () => this.#runs.giveUp(user, plan.outcome));
      return;
    }
    const slots = this.#context.slots[plan.kind];
    // It waits, and must not look as if it ran.
    if (request.interrupted && slots.isFullFor(user.userId)) this.#begin(user, () => this.#claims.requeue(user));
    else this.#awaitSlot(user, slots);
  }

  async #waitForEarlierRun(user: LoadedUser, earlier: Promise<void>): Promise<void> {
    const { clock, config } = this.#context.deps;
    const waited = withTimeout(clock, config.graceMs, earlier, () => undefined).then(() => true);
    user.waitedForEarlierRun = (await this.#activity.unlessEnding(waited)) ?? false;
  }

  #awaitSlot(user: LoadedUser, slots: Slots): void {
    user.activity = 'ready';
    slots.acquire(user.userId, (slot) => {
      user.activity = 'idle';
      if (!this.#mayStart(user)) return false;
      this.#begin(user, () => this.#runs.workOn(user, slot));
      return true;
    });
  }

  /** Competes with the insert of a function between ticket and record: the first to write this `seq` wins. */
  async #writeTombstone(user: LoadedUser): Promise<void> {
    const { clock, ledger } = this.#context.deps;
    const id = { userId: user.userId, seq: user.next };
    const written = await persist(clock, this.#lane.isHeld, () => ledger.insertTombstone(id, clock.now()));
    user.gap = undefined;
    if (written) advancePast(user, id, this.#now());
  }

  /** [R8] */
  async #beginClose(user: LoadedUser, onlyWithoutSession: boolean): Promise<void> {
    const { clock, userQueues } = this.#context.deps;
    const accepted = user.next - 1;
    const begun = await persist(clock, this.#lane.isHeld, () =>
      userQueues.beginClose(user.userId, accepted, onlyWithoutSession, clock.now()),
    );
    if (begun) {
      user.closing = true;
      user.flushed = accepted;
    } else this.#refreshBeforeClose(user);
  }

  /** Closing takes two steps: a crash in between leaves a `closing` user, which the next owner finishes [R9]. */
  async #endClose(user: LoadedUser): Promise<void> {
    const { clock, userQueues } = this.#context.deps;
    if (!(await this.#activity.unlessEnding(this.#queues.delete(user)))) return;
    const ended = await persist(clock, this.#lane.isHeld, () =>
      userQueues.endClose(user.userId, user.next - 1, clock.now()),
    );
    if (ended) this.#registry.forget(user);
    else this.#refreshBeforeClose(user);
  }

  #refreshBeforeClose(user: LoadedUser): void {
    postponeClose(user, this.#now());
    this.#registry.refresh(user.userId);
  }
}

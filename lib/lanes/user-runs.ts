/** Claim, run, settle: the requests of one user, one at a time, each guarded by the fencing token [R7]. */
import type { LedgerChange, Outcome } from '../types.ts';
import { wakeLane } from '../wake.ts';
import type { Activity } from './activity.ts';
import { changeOf, describeRefusal } from './changes.ts';
import type { WorkerContext } from './context.ts';
import type { HeldRequest } from './held-requests.ts';
import { advancePast, type LoadedUser } from './loaded-user.ts';
import { loseToLaterOwner, type OwnedLane } from './owned-lane.ts';

type Claimed = { seq: number; request: HeldRequest };

export class UserRuns {
  readonly #lane: OwnedLane;
  readonly #activity: Activity;
  readonly #context: WorkerContext;

  constructor(lane: OwnedLane, activity: Activity, context: WorkerContext) {
    this.#lane = lane;
    this.#activity = activity;
    this.#context = context;
  }

  /** Needs a slot and gives it back. Goes on from request to request until another user waits for the slot. */
  async workOn(user: LoadedUser): Promise<void> {
    const { runs } = this.#context;
    const work = this.#workUntilContended(user);
    const ended = work.catch(() => undefined);
    runs.set(user.userId, ended);
    try {
      await work;
    } finally {
      if (runs.get(user.userId) === ended) runs.delete(user.userId);
    }
  }

  async #workUntilContended(user: LoadedUser): Promise<void> {
    const { slots } = this.#context;
    let holdsSlot = true;
    const releaseSlot = () => {
      if (holdsSlot) slots.release();
      holdsSlot = false;
    };
    try {
      const first = user.held.get(user.next);
      let claimed = first && this.#lane.isHeld() ? await this.#claim(user, user.next, first) : undefined;
      while (claimed) claimed = await this.#runAndSettle(user, claimed, releaseSlot);
    } finally {
      releaseSlot();
    }
  }

  #guard(user: LoadedUser, seq: number, { attempts }: HeldRequest) {
    const { clock } = this.#context.deps;
    return { userId: user.userId, seq, token: this.#lane.token, attempt: attempts, at: clock.now() };
  }

  /** Resolves to `undefined` when there is nothing to run: the claim was refused, or is no longer wanted. */
  async #claim(user: LoadedUser, seq: number, request: HeldRequest): Promise<Claimed | undefined> {
    const interrupted = request.interrupted ? 1 : 0;
    const claiming: HeldRequest = {
      ...request,
      attempts: request.attempts + 1,
      interruptions: request.interruptions + interrupted,
      // An interrupted run did not get a fair attempt. A request that keeps ending its workers is stopped by `maxCrashes`.
      forgiven: request.forgiven + interrupted,
      retryAt: undefined,
    };
    const { interruptions, forgiven } = claiming;
    const change: LedgerChange = { kind: 'claim', interruptions, forgiven, ...this.#guard(user, seq, claiming) };
    const result = await this.#context.commit({ change, wanted: this.#lane.isHeld });
    if (!result) return undefined;
    if (!result.applied && result.entry) loseToLaterOwner(this.#lane, [result.entry]);
    // A message of it that came meanwhile is no longer needed. A refused request is read again.
    user.held.drop(seq);
    if (!result.applied) return undefined;
    user.held.set(seq, claiming);
    return { seq, request: claiming };
  }

  /** Resolves to the next request when it was claimed in the same commit as the settlement. */
  async #runAndSettle(
    user: LoadedUser,
    { seq, request }: Claimed,
    releaseSlot: () => void,
  ): Promise<Claimed | undefined> {
    const outcome = await this.#run(user, seq, request);
    const lentOut = user.running?.lentOut;
    user.running = undefined;
    if (lentOut) return this.#endLentRun(user, { seq, request }, outcome, releaseSlot);
    if (!outcome) {
      await this.#giveBack(user, seq, request);
      return undefined;
    }
    const settling = this.#settle(user, seq, request, outcome);
    const following = this.#goesOn(outcome) ? user.held.get(seq + 1) : undefined;
    if (!following || following.retryAt || following.blocked) {
      releaseSlot();
      await settling;
      return undefined;
    }
    const [settled, claimed] = await Promise.all([settling, this.#claim(user, seq + 1, following)]);
    if (claimed && !settled) await this.#giveBack(user, claimed.seq, claimed.request);
    return settled ? claimed : undefined;
  }

  /** The lane was handed over during the run. Its next owner waits for the record of the outcome, and for the wake [R12]. */
  async #endLentRun(
    user: LoadedUser,
    { seq, request }: Claimed,
    outcome: Outcome | undefined,
    releaseSlot: () => void,
  ): Promise<undefined> {
    releaseSlot();
    if (outcome) await this.#settle(user, seq, request, outcome);
    else await this.#giveBack(user, seq, request);
    await wakeLane(this.#lane.lane, user.userId, this.#context.deps);
  }

  #goesOn({ kind }: Outcome): boolean {
    return (kind === 'done' || kind === 'failed') && !this.#context.slots.contended() && this.#lane.mayStart();
  }

  /** `undefined`: the run was aborted, or did not begin; there is no outcome to record. */
  async #run(user: LoadedUser, seq: number, request: HeldRequest): Promise<Outcome | undefined> {
    const { clock, observer, runRequest } = this.#context.deps;
    const { signal, token: fencingToken } = this.#lane;
    if (signal.aborted || !this.#lane.isHeld()) return undefined;
    const { body, limits, forgiven, interruptions, acceptedAt, attempts: attempt } = request;
    const about = { userId: user.userId, seq, attempt, fencingToken };
    observer.runStarted({ ...about, acceptedAt, at: clock.now() });
    user.running = { seq, lentOut: false };
    this.#activity.runBegins();
    const outcome = await runRequest({ ...about, body, limits, forgiven, interruptions, signal });
    this.#activity.runEnds();
    const aborted = signal.aborted && outcome.kind !== 'done';
    observer.runEnded({ ...about, outcome: aborted ? 'aborted' : outcome.kind, at: clock.now() });
    return aborted ? undefined : outcome;
  }

  /** Records that a claim did not lead to an outcome, so that it counts neither as an attempt nor as a crash of its worker. */
  async #giveBack(user: LoadedUser, seq: number, request: HeldRequest): Promise<void> {
    const change: LedgerChange = {
      kind: 'give-back',
      forgiven: request.forgiven + 1,
      ...this.#guard(user, seq, request),
    };
    await this.#context.commit({ change, wanted: () => true });
  }

  /** Resolves to whether the outcome is recorded. It is offered even when the lane is lost: the token decides. */
  async #settle(user: LoadedUser, seq: number, request: HeldRequest, outcome: Outcome): Promise<boolean> {
    const change = changeOf(outcome, this.#guard(user, seq, request), request);
    const refreshesBefore = user.refreshes;
    const result = await this.#context.commit({ change, wanted: () => true });
    if (!result?.applied) {
      this.#lane.lose(`the outcome of request ${seq} was refused`, describeRefusal(result));
      return false;
    }
    this.#noteSettled(user, change, request, refreshesBefore);
    return true;
  }

  #noteSettled(user: LoadedUser, change: LedgerChange, request: HeldRequest, refreshesBefore: number): void {
    const { seq, at, token: fencingToken } = change;
    const { observer, clock } = this.#context.deps;
    const now = clock.monotonicMs();
    if ((change.kind === 'block' || change.kind === 'retry') && user.refreshes > refreshesBefore) {
      // A person may have decided about it before our answer came, and sent the wake already: then it is read again at once.
      user.held.drop(seq);
    } else if (change.kind === 'block') {
      user.held.set(seq, { ...request, blocked: true, heldSince: now });
    } else if (change.kind === 'retry') {
      const { backOffMs, interruptions } = change;
      user.held.set(seq, { ...request, interrupted: false, interruptions, retryAt: now + backOffMs, heldSince: now });
    } else if (change.kind === 'settle') {
      const { userId, status } = change;
      const { acceptedAt } = request;
      advancePast(user, seq, now);
      observer.settled({ userId, seq, status, fencingToken, acceptedAt, at });
    }
    if ('reason' in change) {
      const status = change.kind === 'block' ? 'blocked' : 'failed';
      observer.deadLettered({ userId: user.userId, seq, status, reason: change.reason, fencingToken, at });
    }
  }
}

/** Claim, run, settle: the requests of one user, one at a time, each guarded by the fencing token [R7]. */
import type { LedgerChange } from '../ledger-change.ts';
import { maxMessageBodyBytes } from '../limits.ts';
import { endedOutcome } from '../run-ended.ts';
import { carriedTrace } from '../traceparent.ts';
import type { DeadLetterOutcome, Outcome, Run } from '../types.ts';
import { wakeLane } from '../wake.ts';
import type { Activity } from './activity.ts';
import { changeOf, countsAfter, describeRefusal, explainTimeout, givingUp, reasonOf, statusAfter } from './changes.ts';
import type { WorkerContext } from './context.ts';
import type { HeldRequest } from './held-requests.ts';
import { advancePast, type LoadedUser } from './loaded-user.ts';
import type { OwnedLane } from './owned-lane.ts';
import { RunUnderWay } from './run-under-way.ts';
import { runWatched } from './run-watch.ts';
import type { Slot } from './slots.ts';
import type { Claimed, UserClaims } from './user-claims.ts';

/** While its result waits to be recorded the slot is kept, so that large results do not pile up. */
const isLarge = (outcome: Outcome): boolean => outcome.kind === 'done' && outcome.result.length > maxMessageBodyBytes;

export class UserRuns {
  readonly #lane: OwnedLane;
  readonly #activity: Activity;
  readonly #claims: UserClaims;
  readonly #context: WorkerContext;

  constructor(lane: OwnedLane, parts: { activity: Activity; claims: UserClaims; context: WorkerContext }) {
    this.#lane = lane;
    this.#activity = parts.activity;
    this.#claims = parts.claims;
    this.#context = parts.context;
  }

  /** Gives the slot back. Goes on from request to request until another user waits for the slot. */
  async workOn(user: LoadedUser, slot: Slot): Promise<void> {
    const { runs } = this.#context;
    const work = this.#workUntilContended(user, slot);
    const ended = work.catch(() => undefined);
    runs.set(user.userId, ended);
    try {
      await work;
    } finally {
      if (runs.get(user.userId) === ended) runs.delete(user.userId);
    }
  }

  async #workUntilContended(user: LoadedUser, slot: Slot): Promise<void> {
    try {
      let claimed = await this.#claims.claimNext(user);
      while (claimed) claimed = await this.#runAndSettle(user, this.#traced(user, claimed), slot);
    } finally {
      slot.release();
    }
  }

  #traced({ userId, user }: LoadedUser, { seq, request }: Claimed): Claimed {
    const { attempts: attempt, traceparent } = request;
    const { traceRun } = this.#context.deps;
    const about = { userId, user, seq, attempt, traceparent };
    return { seq, request: { ...request, trace: traceRun ? traceRun(about) : carriedTrace(traceparent, attempt) } };
  }

  /** Records `next` as a dead letter: it was interrupted and must not run twice, or an operator ended its run. */
  async giveUp(user: LoadedUser, outcome: DeadLetterOutcome): Promise<void> {
    const { next, refreshes } = user;
    const request = user.held.get(next);
    if (!request) return;
    const counts = countsAfter(request);
    const change = givingUp(outcome, counts, this.#claims.guard(user, next, request));
    const given: HeldRequest = { ...request, ...counts, interrupted: false };
    if (await this.#claims.takeOver(user, change, given)) this.#noteSettled(user, change, given, refreshes);
  }

  /** Resolves to the next request when it was claimed in the same commit as the settlement. */
  async #runAndSettle(user: LoadedUser, { seq, request }: Claimed, slot: Slot): Promise<Claimed | undefined> {
    const outcome = await this.#run(user, seq, request, slot);
    const lentOut = user.running?.lentOut;
    user.running = undefined;
    if (lentOut) return this.#endLentRun(user, { seq, request }, outcome, slot);
    if (!outcome) {
      await this.#giveBack(user, seq, request);
      return undefined;
    }
    const settling = this.#settle(user, seq, request, outcome);
    const following = this.#goesOn(user, outcome, { seq, request }, slot) && this.#following(user, seq + 1);
    if (!following) {
      if (!isLarge(outcome)) slot.release();
      await settling;
      return undefined;
    }
    const [settled, claimed] = await Promise.all([settling, this.#claims.claim(user, seq + 1, following)]);
    if (claimed && !settled) await this.#giveBack(user, claimed.seq, claimed.request);
    return settled ? claimed : undefined;
  }

  #following(user: LoadedUser, seq: number): HeldRequest | undefined {
    const request = user.held.get(seq);
    if (!request || request.retryAt || request.blocked || user.held.bodyOf(seq) === undefined) return undefined;
    return this.#runsHere(user, seq, request) ? request : undefined;
  }

  /** The lane was handed over during the run. Its next owner waits for the record of the outcome, and for the wake [R12]. */
  async #endLentRun(
    user: LoadedUser,
    { seq, request }: Claimed,
    outcome: Outcome | undefined,
    slot: Slot,
  ): Promise<undefined> {
    slot.release();
    if (outcome) await this.#settle(user, seq, request, outcome);
    else await this.#giveBack(user, seq, request);
    await wakeLane(this.#lane.lane, user.userId, this.#context.deps);
  }

  /** The slot of an isolated run is for isolated runs, an overdue user asks for a slot of its share, and one that went to others is gone. */
  #goesOn(user: LoadedUser, { kind }: Outcome, { seq, request }: Claimed, slot: Slot): boolean {
    const settles = kind === 'done' || kind === 'failed';
    const { here } = this.#context.slots;
    const keepsSlot =
      slot.isHeld() &&
      this.#runsHere(user, seq, request) &&
      !here.isOverdue(user.userId) &&
      !here.contended(user.userId);
    return settles && keepsSlot && this.#lane.mayStart();
  }

  #runsHere(user: LoadedUser, seq: number, request: HeldRequest): boolean {
    return this.#claims.planOf(user, seq, request).kind === 'here';
  }

  /** `undefined`: the run was aborted, or did not begin; there is no outcome to record. */
  async #run(user: LoadedUser, seq: number, request: HeldRequest, slot: Slot): Promise<Outcome | undefined> {
    const { clock, observer } = this.#context.deps;
    const { signal, token: fencingToken } = this.#lane;
    if (signal.aborted || !this.#lane.isHeld()) return undefined;
    const { limits, forgiven, interruptions, acceptedAt, trace, attempts: attempt } = request;
    const about = { userId: user.userId, user: user.user, seq, attempt, fencingToken, trace };
    observer.runStarted({ ...about, acceptedAt, at: clock.now() });
    const { underWay } = this.#context;
    const since = clock.monotonicMs();
    const running = new RunUnderWay({ ...about, token: fencingToken, since, laneSignal: signal });
    user.running = running;
    underWay.add(running);
    this.#activity.runBegins();
    const own = await this.#begin(user, { ...about, limits, forgiven, interruptions }, running, slot).finally(() => {
      underWay.delete(running);
      this.#activity.runEnds();
    });
    const outcome = running.isEnded && own.kind !== 'done' ? endedOutcome(own.error) : own;
    const aborted = signal.aborted && !running.isEnded && outcome.kind !== 'done';
    const error = outcome.kind === 'done' ? {} : { error: outcome.error.name };
    observer.runEnded({ ...about, outcome: aborted ? 'aborted' : outcome.kind, ...error, at: clock.now() });
    if (aborted) return this.#outcomeOfAbort(user, seq, request);
    return user.known > seq ? explainTimeout(outcome, user.known - seq) : outcome;
  }

  /** Not an async function: that would keep the body in memory until the run ends. */
  #begin(user: LoadedUser, run: Omit<Run, 'body' | 'signal'>, running: RunUnderWay, slot: Slot): Promise<Outcome> {
    const body = user.held.takeBody(run.seq);
    if (!body) return Promise.reject(new Error(`request ${run.seq} was claimed without its body`));
    body.free();
    return runWatched({ ...run, body: body.text, signal: running.signal }, running, slot, this.#context);
  }

  /** An aborted run may have had effects. Work that must not be done twice becomes a dead letter; other work is given back. */
  #outcomeOfAbort(user: LoadedUser, seq: number, request: HeldRequest): Outcome | undefined {
    const plan = this.#claims.planOf(user, seq, { ...request, interrupted: true });
    return plan.kind === 'dead-letter' ? plan.outcome : undefined;
  }

  /** Records that a claim did not lead to an outcome, so that it counts neither as an attempt nor as a crash of its worker. */
  async #giveBack(user: LoadedUser, seq: number, request: HeldRequest): Promise<void> {
    // It did not begin, and MongoDB may be slow to record that.
    user.held.takeBody(seq)?.free();
    const change: LedgerChange = {
      kind: 'give-back',
      forgiven: request.forgiven + 1,
      ...this.#claims.guard(user, seq, request),
    };
    await this.#context.commit({ change, lane: this.#lane.lane, wanted: () => true });
  }

  /** Resolves to whether the outcome is recorded. It is offered even when the lane is lost: the token decides. */
  async #settle(user: LoadedUser, seq: number, request: HeldRequest, outcome: Outcome): Promise<boolean> {
    const change = changeOf(outcome, this.#claims.guard(user, seq, request), request);
    const refreshesBefore = user.refreshes;
    const result = await this.#context.commit({ change, lane: this.#lane.lane, wanted: () => true });
    if (!result?.applied) {
      this.#lane.lose(`the outcome of request ${seq} was refused`, describeRefusal(result));
      return false;
    }
    this.#noteSettled(user, change, request, refreshesBefore);
    return true;
  }

  #noteSettled(user: LoadedUser, change: LedgerChange, request: HeldRequest, refreshesBefore: number): void {
    const { userId, seq, at, token: fencingToken } = change;
    const { observer, clock } = this.#context.deps;
    const now = clock.monotonicMs();
    const status = statusAfter(change);
    const { trace } = request;
    if ((status === 'blocked' || change.kind === 'retry') && user.refreshes > refreshesBefore) {
      // A person may have decided about it before our answer came, and sent the wake already: then it is read again at once.
      user.held.drop(seq);
    } else if (status === 'blocked') {
      user.held.set(seq, { ...request, blocked: true, heldSince: now });
    } else if (change.kind === 'retry') {
      const { backOffMs, interruptions } = change;
      user.held.set(seq, { ...request, interruptions, retryAt: now + backOffMs, heldSince: now });
    } else if (status) {
      const { acceptedAt, bytesThrough } = request;
      advancePast(user, { seq, bytesThrough }, now);
      observer.settled({ userId, seq, status, fencingToken, trace, acceptedAt, at });
    }
    const reason = reasonOf(change);
    if (reason && status && status !== 'done')
      observer.deadLettered({ userId, seq, status, reason, fencingToken, trace, at });
  }
}

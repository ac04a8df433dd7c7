/** Claim, run, settle: the requests of one user, one at a time, each guarded by the fencing token [R7]. */
import type { ChangeResult, LedgerChange, LedgerEntry, Outcome } from '../types.ts';
import type { WorkerContext } from './context.ts';
import { loseToLaterOwner, type OwnedLane } from './owned-lane.ts';
import { advancePast, dropHeld, type HeldRequest, type LoadedUser, replaceHeld } from './user-state.ts';

type Claimed = { seq: number; request: HeldRequest };

export type UserRuns = {
  /** Needs a slot, and gives it back. Goes from request to request as long as nobody else waits for the slot. */
  workOn(user: LoadedUser): Promise<void>;
};

export const createUserRuns = (lane: OwnedLane, context: WorkerContext): UserRuns => {
  const { deps, slots } = context;
  const { clock, observer } = deps;

  const workOn = async (user: LoadedUser): Promise<void> => {
    const work = workUntilContended(user);
    const ended = work.catch(() => undefined);
    context.runs.set(user.userId, ended);
    try {
      await work;
    } finally {
      if (context.runs.get(user.userId) === ended) context.runs.delete(user.userId);
    }
  };

  const workUntilContended = async (user: LoadedUser): Promise<void> => {
    let holdsSlot = true;
    const releaseSlot = () => {
      if (holdsSlot) slots.release();
      holdsSlot = false;
    };
    try {
      const first = user.held.get(user.next);
      let claimed = first && lane.isHeld() ? await claim(user, user.next, first) : undefined;
      while (claimed) claimed = await runAndSettle(user, claimed, releaseSlot);
    } finally {
      releaseSlot();
    }
  };

  const guard = (user: LoadedUser, request: HeldRequest) => ({
    userId: user.userId,
    token: lane.token(),
    attempt: request.attempts,
    at: clock.now(),
  });

  /** Resolves to nothing when there is nothing to run, for whatever reason. */
  const claim = async (user: LoadedUser, seq: number, request: HeldRequest): Promise<Claimed | undefined> => {
    const interrupted = request.interrupted ? 1 : 0;
    const claiming: HeldRequest = {
      ...request,
      attempts: request.attempts + 1,
      interruptions: request.interruptions + interrupted,
      // That run came to no end: it was no fair attempt. What ends its workers is put aside after `maxCrashes` all the same.
      forgiven: request.forgiven + interrupted,
      retryAt: undefined,
      delivery: undefined,
    };
    const { interruptions, forgiven } = claiming;
    const change: LedgerChange = { kind: 'claim', seq, interruptions, forgiven, ...guard(user, claiming) };
    const result = await context.commit({ change, wanted: lane.isHeld });
    if (!result) return undefined;
    if (!result.applied) {
      noteRefusedClaim(user, seq, result.entry);
      return undefined;
    }
    // Its message may have come while the claim was on its way.
    dropHeld(user, seq);
    user.held.set(seq, claiming);
    return { seq, request: claiming };
  };

  /** Claimed by a later owner: the lane is lost. Settled meanwhile, or claimed by an earlier owner: read it again. */
  const noteRefusedClaim = (user: LoadedUser, seq: number, entry: LedgerEntry | undefined): void => {
    if (entry) loseToLaterOwner(lane, [entry]);
    dropHeld(user, seq);
  };

  /** Resolves to the next request when it was claimed together with the settlement, in one commit. */
  const runAndSettle = async (
    user: LoadedUser,
    { seq, request }: Claimed,
    releaseSlot: () => void,
  ): Promise<Claimed | undefined> => {
    const outcome = await run(user, seq, request);
    if (!outcome) {
      await giveBack(user, seq, request);
      return undefined;
    }
    const settling = settle(user, seq, request, outcome);
    const following = goesOn(outcome) ? user.held.get(seq + 1) : undefined;
    if (!following || following.retryAt || following.blocked) {
      releaseSlot();
      await settling;
      return undefined;
    }
    const [settled, claimed] = await Promise.all([settling, claim(user, seq + 1, following)]);
    if (claimed && !settled) await giveBack(user, claimed.seq, claimed.request);
    return settled ? claimed : undefined;
  };

  const goesOn = (outcome: Outcome): boolean =>
    (outcome.kind === 'done' || outcome.kind === 'failed') && !slots.contended() && lane.mayStart();

  /** `undefined`: aborted, and what it left behind is no outcome; or it did not begin. */
  const run = async (user: LoadedUser, seq: number, request: HeldRequest): Promise<Outcome | undefined> => {
    const signal = lane.signal();
    if (signal.aborted || !lane.isHeld()) return undefined;
    const { userId } = user;
    const { body, limits, forgiven, interruptions, attempts: attempt } = request;
    const about = { userId, seq, attempt, fencingToken: lane.token() };
    observer.runStarted({ ...about, acceptedAt: request.acceptedAt, at: clock.now() });
    const outcome = await deps.runRequest({ ...about, body, limits, forgiven, interruptions, signal });
    const aborted = signal.aborted && outcome.kind !== 'done';
    observer.runEnded({ ...about, outcome: aborted ? 'aborted' : outcome.kind, at: clock.now() });
    return aborted ? undefined : outcome;
  };

  /** Says that a claim came to no end, so that it does not look as if its worker had died of it, nor counts as an attempt. */
  const giveBack = async (user: LoadedUser, seq: number, request: HeldRequest): Promise<void> => {
    const change: LedgerChange = { kind: 'release', seq, forgiven: request.forgiven + 1, ...guard(user, request) };
    await context.commit({ change, wanted: () => true });
  };

  /** Resolves to whether the outcome is recorded. A success is offered even when the lane is lost: the token decides. */
  const settle = async (user: LoadedUser, seq: number, request: HeldRequest, outcome: Outcome): Promise<boolean> => {
    const base = { seq, ...guard(user, request) };
    const { at, token: fencingToken } = base;
    const looksBefore = user.looks;
    const result = await context.commit({ change: changeOf(outcome, base, request), wanted: () => true });
    if (!result?.applied) {
      lane.lose(`the outcome of request ${seq} was refused`, refusal(result));
      return false;
    }
    if (outcome.kind === 'blocked') {
      // Whoever decided about it before this answer has sent the wake already: then it is read again at once.
      if (user.looks > looksBefore) dropHeld(user, seq);
      else replaceHeld(user, seq, { ...request, blocked: true, heldSince: at });
    } else if (outcome.kind === 'retry') {
      const retryAt = new Date(at.getTime() + outcome.delayMs);
      const interruptions = interruptionsAfter(outcome, request);
      replaceHeld(user, seq, { ...request, interrupted: false, interruptions, retryAt });
    } else {
      advancePast(user, seq, at);
      const { userId } = user;
      observer.settled({ userId, seq, status: outcome.kind, fencingToken, acceptedAt: request.acceptedAt, at });
    }
    if (outcome.kind === 'failed' || outcome.kind === 'blocked') {
      const { kind: status, reason } = outcome;
      observer.deadLettered({ userId: user.userId, seq, status, reason, fencingToken, at });
    }
    return true;
  };

  return { workOn };
};

/** A run that ended by itself ends the row of those that did not. */
const interruptionsAfter = (outcome: Outcome & { kind: 'retry' }, request: HeldRequest): number =>
  outcome.crashed ? request.interruptions + 1 : 0;

const changeOf = (outcome: Outcome, base: Omit<LedgerChange, 'kind'>, request: HeldRequest): LedgerChange => {
  switch (outcome.kind) {
    case 'done':
      return { ...base, kind: 'settle', status: 'done', result: outcome.result };
    case 'failed':
      return { ...base, kind: 'settle', status: 'failed', error: outcome.error, reason: outcome.reason };
    case 'blocked':
      return { ...base, kind: 'block', error: outcome.error, reason: outcome.reason };
    case 'retry': {
      const retryAt = new Date(base.at.getTime() + outcome.delayMs);
      const interruptions = interruptionsAfter(outcome, request);
      return { ...base, kind: 'retry', error: outcome.error, retryAt, interruptions };
    }
  }
};

const refusal = (result: ChangeResult | undefined): unknown =>
  result?.applied === false && result.entry
    ? { status: result.entry.status, token: result.entry.token, attempts: result.entry.attempts }
    : undefined;

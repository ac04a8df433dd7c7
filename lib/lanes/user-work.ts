/** The life of one loaded user in its owner's hands: read, claim, run, settle, close. One step at a time. */
import { sleep } from '../clock.ts';
import type { LaneChannel } from '../ports.ts';
import type { ChangeResult, LedgerChange, LedgerEntry, Outcome } from '../types.ts';
import { isSettled } from '../types.ts';
import type { WorkerContext } from './context.ts';
import { persist } from './persist.ts';
import { advancePast, decideStep, type HeldRequest, type LoadedUser, noteEntries } from './user-state.ts';

/** What a user's work needs of the lane it belongs to. */
export type OwnedLane = {
  token(): number;
  channel(): LaneChannel;
  /** New steps may begin: the lane is owned and not being handed over. */
  mayStart(): boolean;
  /** The lane is not lost: what is under way may go on. */
  isHeld(): boolean;
  /** Aborted when the lane is lost, or when a stopping worker's grace is over. */
  signal(): AbortSignal;
  isLoaded(user: LoadedUser): boolean;
  forget(user: LoadedUser): void;
  look(userId: string): void;
  lose(reason: string, error?: unknown): void;
  working(change: 1 | -1): void;
};

/** How many requests of one user a read of the ledger asks for. */
const readAhead = 8;

export const createUserWork = (lane: OwnedLane, context: WorkerContext) => {
  const { deps, slots } = context;
  const { clock, observer, userQueues, ledger } = deps;

  const advance = (user: LoadedUser): void => {
    if (!lane.mayStart() || user.activity !== 'idle' || !lane.isLoaded(user)) return;
    user.cancelTimer?.();
    user.cancelTimer = undefined;
    if (user.queue === 'none' && !user.closing) void openQueue(user);
    const now = clock.now();
    const step = decideStep(user, now, deps.config);
    switch (step.kind) {
      case 'run':
        awaitSlot(user);
        break;
      case 'read':
        begin(user, () => read(user));
        break;
      case 'bury':
        begin(user, () => bury(user));
        break;
      case 'begin-close':
        begin(user, () => beginClose(user, step.onlyWithoutSession));
        break;
      case 'end-close':
        begin(user, () => endClose(user));
        break;
      case 'wait':
        user.cancelTimer = clock.after(step.until.getTime() - now.getTime(), () => advance(user));
        break;
      case 'none':
    }
  };

  /** A step that fails for another reason than a server's silence is a fault of ours or a dead channel: the lane is given up. */
  const begin = (user: LoadedUser, step: () => Promise<void>): void => {
    user.activity = 'working';
    lane.working(1);
    step()
      .catch((error) => lane.lose('a step failed', error))
      .finally(() => {
        user.activity = 'idle';
        lane.working(-1);
        advance(user);
      });
  };

  const openQueue = async (user: LoadedUser): Promise<void> => {
    user.queue = 'opening';
    try {
      await lane.channel().openUserQueue(user.userId);
      user.queue = 'open';
      advance(user);
    } catch (error) {
      lane.lose('a user queue could not be opened', error);
    }
  };

  const awaitSlot = (user: LoadedUser): void => {
    user.activity = 'ready';
    slots.acquire(() => {
      user.activity = 'idle';
      if (lane.mayStart() && lane.isLoaded(user)) begin(user, () => workOn(user));
      else slots.release();
    });
  };

  const read = async (user: LoadedUser): Promise<void> => {
    const last = Math.min(user.known, user.next + readAhead - 1);
    const ids = Array.from({ length: last - user.next + 1 }, (_, index) => ({
      userId: user.userId,
      seq: user.next + index,
    }));
    const entries = await context.readEntries({ ids, wanted: lane.isHeld });
    if (entries) noteEntries(user, entries, clock.now());
  };

  /** The function between ticket and record is given up: whoever writes this `seq` first has it. */
  const bury = async (user: LoadedUser): Promise<void> => {
    const id = { userId: user.userId, seq: user.next };
    const buried = await persist(clock, lane.isHeld, () => ledger.insertTombstone(id, clock.now()));
    user.gap = undefined;
    if (buried) advancePast(user, id.seq, clock.now());
  };

  const beginClose = async (user: LoadedUser, onlyWithoutSession: boolean): Promise<void> => {
    const accepted = user.next - 1;
    const begun = await persist(clock, lane.isHeld, () =>
      userQueues.beginClose(user.userId, accepted, onlyWithoutSession, clock.now()),
    );
    if (begun) {
      user.closing = true;
      user.flushed = accepted;
    } else lane.look(user.userId);
  };

  /** In two steps, so that a crash in between leaves a `closing` user that the next owner ends [R9]. */
  const endClose = async (user: LoadedUser): Promise<void> => {
    await lane.channel().deleteUserQueue(user.userId);
    user.queue = 'none';
    const ended = await persist(clock, lane.isHeld, () => userQueues.endClose(user.userId, user.next - 1, clock.now()));
    if (ended) lane.forget(user);
    else lane.look(user.userId);
  };

  /** Holds a slot. Goes from request to request as long as nobody else waits for the slot. */
  const workOn = async (user: LoadedUser): Promise<void> => {
    const work = (async () => {
      let holdsSlot = true;
      const releaseSlot = () => {
        if (holdsSlot) slots.release();
        holdsSlot = false;
      };
      try {
        await endOfEarlierRun(user.userId);
        let claimed = await claimNext(user);
        while (claimed) claimed = await runAndSettle(user, claimed, releaseSlot);
      } finally {
        releaseSlot();
      }
    })();
    const ended = work.catch(() => undefined);
    context.runs.set(user.userId, ended);
    await work.finally(() => {
      if (context.runs.get(user.userId) === ended) context.runs.delete(user.userId);
    });
  };

  /** A lane that was lost and taken again by the same worker must not run beside itself. */
  const endOfEarlierRun = async (userId: string): Promise<void> => {
    const earlier = context.runs.get(userId);
    if (!earlier) return;
    const patience = new AbortController();
    await Promise.race([earlier, sleep(clock, deps.config.graceMs, patience.signal)]);
    patience.abort();
  };

  const change = (user: LoadedUser, request: HeldRequest) => ({
    userId: user.userId,
    token: lane.token(),
    attempt: request.attempts,
    at: clock.now(),
  });

  type Claimed = { seq: number; request: HeldRequest };

  /** Claims `seq`; resolves to nothing when there is nothing to run, for whatever reason. */
  const claim = async (user: LoadedUser, seq: number, request: HeldRequest): Promise<Claimed | undefined> => {
    const claiming: HeldRequest = {
      ...request,
      attempts: request.attempts + 1,
      interruptions: request.interruptions + (request.interrupted ? 1 : 0),
      retryAt: undefined,
    };
    const { interruptions } = claiming;
    const wanted: LedgerChange = { kind: 'claim', seq, interruptions, ...change(user, claiming) };
    const result = await context.commit({ change: wanted, wanted: lane.isHeld });
    if (!result) return undefined;
    if (!result.applied) return noteRefusedClaim(user, seq, result.entry);
    claiming.delivery?.ack();
    claiming.delivery = undefined;
    user.held.set(seq, claiming);
    return { seq, request: claiming };
  };

  const claimNext = async (user: LoadedUser): Promise<Claimed | undefined> => {
    const request = user.held.get(user.next);
    return request && lane.isHeld() ? claim(user, user.next, request) : undefined;
  };

  /** Claimed by a later owner: the lane is lost [R7]. Settled meanwhile, or claimed by an earlier owner: read it again. */
  const noteRefusedClaim = (user: LoadedUser, seq: number, entry: LedgerEntry | undefined): undefined => {
    if (entry && !isSettled(entry) && (entry.token ?? 0) > lane.token()) {
      lane.lose(`request ${seq} was claimed with the later fencing token ${entry.token}`);
    }
    user.held.get(seq)?.delivery?.ack();
    user.held.delete(seq);
  };

  const runAndSettle = async (
    user: LoadedUser,
    { seq, request }: Claimed,
    releaseSlot: () => void,
  ): Promise<Claimed | undefined> => {
    const outcome = await run(user, seq, request);
    if (!outcome) return release(user, seq, request);
    const settles = outcome.kind === 'done' || outcome.kind === 'failed';
    const following = settles && !slots.contended() ? user.held.get(seq + 1) : undefined;
    const settling = settle(user, seq, request, outcome);
    if (following && lane.mayStart() && !following.retryAt && !following.blocked) {
      const [settled, claimed] = await Promise.all([settling, claim(user, seq + 1, following)]);
      return settled ? claimed : undefined;
    }
    releaseSlot();
    await settling;
    return undefined;
  };

  /** `undefined`: aborted; what it left behind is not an outcome, and the next owner runs it again. */
  const run = async (user: LoadedUser, seq: number, request: HeldRequest): Promise<Outcome | undefined> => {
    const signal = lane.signal();
    if (signal.aborted || !lane.isHeld()) return undefined;
    const { userId } = user;
    const attempt = request.attempts;
    const fencingToken = lane.token();
    const about = { userId, seq, attempt, fencingToken };
    observer.runStarted({ ...about, acceptedAt: request.acceptedAt, at: clock.now() });
    const { body, limits, forgiven, interruptions } = request;
    const outcome = await deps.runRequest({ ...about, body, limits, forgiven, interruptions, signal });
    const aborted = signal.aborted && outcome.kind !== 'done';
    observer.runEnded({ ...about, outcome: aborted ? 'aborted' : outcome.kind, at: clock.now() });
    return aborted ? undefined : outcome;
  };

  /** Says that an aborted run came to no end, so that it does not look as if its worker had died in it. */
  const release = async (user: LoadedUser, seq: number, request: HeldRequest): Promise<undefined> => {
    await context.commit({ change: { kind: 'release', seq, ...change(user, request) }, wanted: () => true });
  };

  /** Resolves to whether the outcome is recorded. A success is offered even when the lane is lost: the token decides. */
  const settle = async (user: LoadedUser, seq: number, request: HeldRequest, outcome: Outcome): Promise<boolean> => {
    const at = clock.now();
    const base = { seq, ...change(user, request), at };
    const result = await context.commit({ change: changeOf(outcome, base, request), wanted: () => true });
    if (!result?.applied) {
      lane.lose(`the outcome of request ${seq} was refused`, refusal(result));
      return false;
    }
    if (outcome.kind === 'blocked') user.held.set(seq, { ...request, blocked: true });
    else if (outcome.kind === 'retry') {
      const retryAt = new Date(at.getTime() + outcome.delayMs);
      user.held.set(seq, {
        ...request,
        interrupted: false,
        interruptions: interruptionsAfter(outcome, request),
        retryAt,
      });
    } else {
      advancePast(user, seq, at);
      const { userId } = user;
      const { token: fencingToken } = base;
      observer.settled({ userId, seq, status: outcome.kind, fencingToken, acceptedAt: request.acceptedAt, at });
    }
    return true;
  };

  return { advance };
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

/** The life of one loaded user in its owner's hands, one step at a time: read, bury, run, close. */
import { sleep } from '../clock.ts';
import type { WorkerContext } from './context.ts';
import { loseToLaterOwner, type OwnedLane } from './owned-lane.ts';
import { persist } from './persist.ts';
import { createUserRuns } from './user-runs.ts';
import { advancePast, correctTimes, decideStep, type LoadedUser, noteEntries, postponeClose } from './user-state.ts';

/** How many requests of one user a read of the ledger asks for; the first one, for what may run at once. */
const readAhead = 8;
const firstRead = 1;

export type UserSteps = {
  /** Begins what is to do for the user, unless a step is under way. */
  advance(user: LoadedUser): void;
  /** Opens the user queue whose turn has not come because of the work in hand. */
  openLate(user: LoadedUser): void;
};

export const createUserSteps = (lane: OwnedLane, context: WorkerContext): UserSteps => {
  const { deps, slots } = context;
  const { clock, userQueues, ledger } = deps;
  const runs = createUserRuns(lane, context);

  const advance = (user: LoadedUser): void => {
    if (!lane.mayStart() || user.activity !== 'idle' || !lane.isLoaded(user)) return;
    user.cancelTimer?.();
    user.cancelTimer = undefined;
    const now = clock.now();
    correctTimes(user, now);
    const step = decideStep(user, now, deps.config);
    if (user.queue === 'later' && step.kind !== 'read' && step.kind !== 'run') user.queue = 'none';
    if (user.queue === 'none' && !user.closing) void openQueue(user);
    switch (step.kind) {
      case 'run':
        if (context.runs.has(user.userId) && !user.outwaited) begin(user, () => outwaitEarlierRun(user));
        else awaitSlot(user);
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
        user.cancelTimer = clock.after(step.until.getTime() - now.getTime(), () => {
          user.cancelTimer = undefined;
          advance(user);
        });
        break;
      case 'none':
    }
  };

  /** A step that fails for another reason than a server's silence is a fault of ours or a dead channel: the lane is given up. */
  const begin = (user: LoadedUser, step: () => Promise<void>): void => {
    user.activity = 'working';
    lane.stepBegins();
    step()
      .catch((error) => lane.lose('a step failed', error))
      .finally(() => {
        user.activity = 'idle';
        lane.stepEnds();
        advance(user);
      });
  };

  const openQueue = async (user: LoadedUser): Promise<void> => {
    user.queue = 'opening';
    try {
      await lane.channel().openUserQueue(user.userId);
      if (user.queue === 'opening') user.queue = 'open';
      advance(user);
    } catch (error) {
      lane.lose('a user queue could not be opened', error);
    }
  };

  const openLate = (user: LoadedUser): void => {
    if (user.queue === 'later' && lane.isHeld()) void openQueue(user);
  };

  /** A lane that was lost and taken again by the same worker must not run beside itself. */
  const outwaitEarlierRun = async (user: LoadedUser): Promise<void> => {
    const patience = new AbortController();
    await Promise.race([context.runs.get(user.userId), sleep(clock, deps.config.graceMs, patience.signal)]);
    patience.abort();
    user.outwaited = true;
  };

  const awaitSlot = (user: LoadedUser): void => {
    user.activity = 'ready';
    slots.acquire(() => {
      user.activity = 'idle';
      if (!lane.mayStart() || !lane.isLoaded(user)) return false;
      begin(user, () => runs.workOn(user));
      return true;
    });
  };

  const read = async (user: LoadedUser): Promise<void> => {
    const last = Math.min(user.known, user.next + (user.wasRead ? readAhead : firstRead) - 1);
    const ids = Array.from({ length: last - user.next + 1 }, (_, index) => ({
      userId: user.userId,
      seq: user.next + index,
    }));
    const entries = await context.readEntries({ ids, wanted: lane.isHeld });
    if (!entries) return;
    loseToLaterOwner(lane, entries);
    noteEntries(user, last, entries, clock.now());
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
    } else lookAgain(user);
  };

  /** In two steps, so that a crash in between leaves a `closing` user that the next owner ends [R9]. */
  const endClose = async (user: LoadedUser): Promise<void> => {
    await lane.channel().deleteUserQueue(user.userId);
    user.queue = 'none';
    const ended = await persist(clock, lane.isHeld, () => userQueues.endClose(user.userId, user.next - 1, clock.now()));
    if (ended) lane.forget(user);
    else lookAgain(user);
  };

  const lookAgain = (user: LoadedUser): void => {
    postponeClose(user, clock.now());
    lane.look(user.userId);
  };

  return { advance, openLate };
};

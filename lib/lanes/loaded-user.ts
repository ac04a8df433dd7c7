/**
 * One loaded user, as its owner sees it: the record, and what changes it. What to do next is decided in decide-step.ts. All its
 * times are on the monotonic clock.
 */
import type { Delivery } from '../ports.ts';
import { isKeptOpen } from '../sessions.ts';
import type { Lent, RequestMessage, UserQueue, WorkEntry } from '../types.ts';
import type { BodyBudget } from './body-budget.ts';
import { ackAtOnce } from './deliveries.ts';
import { HeldRequests, mustWait } from './held-requests.ts';
import type { Moment } from './moment.ts';
import type { RunUnderWay } from './run-under-way.ts';

export type LoadedUser = {
  readonly userId: string;
  /** Who the user is to the processor. */
  readonly user: string;
  /** The lowest `seq` that is not settled: the only one that may run. */
  next: number;
  /** The highest `seq` known to be accepted. */
  known: number;
  /** `settled` as `userQueues` has it. */
  flushed: number;
  /** What `userQueues` should say as `settledBytes`. */
  settledBytes: number;
  /** No session keeps the user queue open. */
  drain: boolean;
  /** `userQueues` says `closing`. */
  closing: boolean;
  /** A refresh is on its way: nothing is closed before it has arrived. */
  refreshDue: boolean;
  /** How many refreshes have arrived. Compared before and after a commit, to notice a refresh that arrived meanwhile. */
  refreshes: number;
  /**
   * The RabbitMQ queue. `later`: opened shortly after the acquisition, so that pending work is claimed first.
   * `refused`: RabbitMQ refused it, and it is tried again later [R10]. `beyond-cap`: it has none, because the lane has its part of
   * the cap; it gets one when there is room and the user has work [R15].
   */
  queue: 'none' | 'later' | 'opening' | 'open' | 'refused' | 'beyond-cap';
  /** How often in a row RabbitMQ has refused to open or delete the queue. */
  refusals: number;
  /** `userQueues` says `queueRefused`: functions wake the lane. */
  markedRefused: boolean;
  /** What `userQueues` says about a request that another worker still runs [R11]; `until`: by then that worker has exited. */
  lent: (Lent & { until?: number }) | undefined;
  /** The token of the last loan that has ended. */
  endedLoan: number;
  running: RunUnderWay | undefined;
  /** The ledger has been read for this user once. */
  wasRead: boolean;
  readonly held: HeldRequests;
  /** The worker's. */
  readonly bodies: BodyBudget;
  /** `ready`: waits for a slot. `working`: a step is under way, and no other starts before it has ended. */
  activity: 'idle' | 'ready' | 'working';
  /** `next` is missing in the ledger: when it was last read. */
  gap: { readAt: number } | undefined;
  /** When the first gap was found, all tickets up to `through` had been taken: a request that is missing among them has been missing since then. */
  taken: { since: number; through: number };
  idleSince: number;
  /** No close starts before this time: the last one did not match. */
  closeAfter: number;
  /** The wait for a run of an earlier hold of this process is over. */
  waitedForEarlierRun: boolean;
  /** When this owner last vouched for the user in `userQueues`; before its first time, long ago. */
  vouchedAt: number;
  cancelTimer: (() => void) | undefined;
  cancelQueueTimer: (() => void) | undefined;
};

export const loadUser = (queue: UserQueue, now: Moment, bodies: BodyBudget): LoadedUser => ({
  userId: queue.userId,
  // An account that has not logged in since an older version.
  user: queue.user ?? queue.userId,
  next: queue.settled + 1,
  known: queue.accepted,
  flushed: queue.settled,
  settledBytes: queue.settledBytes ?? 0,
  drain: !isKeptOpen(queue, now.date),
  closing: queue.state === 'closing',
  refreshDue: false,
  refreshes: 0,
  queue: 'none',
  refusals: 0,
  markedRefused: queue.queueRefused ?? false,
  lent: queue.lent,
  endedLoan: 0,
  running: undefined,
  wasRead: false,
  held: new HeldRequests(),
  bodies,
  activity: 'idle',
  gap: undefined,
  taken: { since: now.ms, through: 0 },
  idleSince: now.ms,
  closeAfter: now.ms,
  waitedForEarlierRun: false,
  vouchedAt: Number.NEGATIVE_INFINITY,
  cancelTimer: undefined,
  cancelQueueTimer: undefined,
});

/**
 * An acquired lane may bring hundreds of users: pending work starts before RabbitMQ has declared all their queues.
 * The load has read everything accepted before it. A request accepted later waits in the user queue, or is returned as
 * unroutable and wakes the lane.
 */
export const loadUserAtAcquisition = (queue: UserQueue, now: Moment, bodies: BodyBudget): LoadedUser => {
  const user = loadUser(queue, now, bodies);
  user.queue = hasWork(user) ? 'later' : 'none';
  return user;
};

/** Whether `next` is accepted, as far as this owner knows. */
export const hasWork = (user: LoadedUser): boolean => user.next <= user.known;

/**
 * Whether the user does not advance for a reason that the owner knows: a request runs, or waits for a slot, a time or a person, or the
 * user queue is being closed. RabbitMQ may take long to delete the queues of many users.
 */
export const waitsForKnownReason = (user: LoadedUser): boolean => {
  const isUnderWay = user.activity !== 'idle' || user.cancelTimer !== undefined;
  if (hasWork(user)) return isUnderWay;
  return (user.drain || user.closing) && (isUnderWay || user.queue === 'opening');
};

/** [R5] */
export const noteRefresh = (user: LoadedUser, queue: UserQueue, now: Moment): void => {
  user.refreshes += 1;
  if (queue.accepted > user.known) user.idleSince = now.ms;
  user.known = Math.max(user.known, queue.accepted);
  user.drain = !isKeptOpen(queue, now.date);
  user.closing = queue.state === 'closing';
  user.markedRefused = queue.queueRefused ?? false;
  noteLoan(user, queue.lent);
  dropWaiting(user, now.ms);
};

const noteLoan = (user: LoadedUser, lent: Lent | undefined): void => {
  if (lent?.token === user.lent?.token) return;
  user.lent = lent && lent.token > user.endedLoan ? lent : undefined;
};

/** A read has found `next` missing. */
export const noteMissing = (user: LoadedUser, now: number): void => {
  if (user.next > user.taken.through) user.taken = { since: now, through: user.known };
  user.gap = { readAt: now };
};

/** The lender is gone: the request that it ran is interrupted. */
export const endLoan = (user: LoadedUser): void => {
  if (!user.lent) return;
  user.endedLoan = user.lent.token;
  user.lent = undefined;
  if (user.held.get(user.next)?.lent) user.held.drop(user.next);
};

/** A person may have decided about the request that the user waits for: it is read again at once. */
export const dropWaiting = (user: LoadedUser, now: number): void => {
  const request = user.held.get(user.next);
  if (!request || !mustWait(request, now)) return;
  user.held.drop(user.next);
  user.gap = undefined;
};

export const noteMessage = (user: LoadedUser, message: RequestMessage, delivery: Delivery, now: number): void => {
  user.idleSince = now;
  user.known = Math.max(user.known, message.seq);
  if (message.seq < user.next) ackAtOnce(delivery);
  else user.held.addMessage(message, delivery, now, (text) => user.bodies.hold(text, message.seq === user.next));
};

/** The request is settled: the next one may run. */
export const advancePast = (
  user: LoadedUser,
  { seq, bytesThrough = 0 }: Pick<WorkEntry, 'seq' | 'bytesThrough'>,
  now: number,
): void => {
  user.next = Math.max(user.next, seq + 1);
  user.settledBytes = Math.max(user.settledBytes, bytesThrough);
  user.gap = undefined;
  user.idleSince = now;
  user.held.dropBelow(user.next);
};

/** The pause before the next try to close, after one that did not match. */
const closePauseMs = 100;
const firstRefusalPauseMs = 1_000;
const longestRefusalPauseMs = 30_000;

export const postponeClose = (user: LoadedUser, now: number, pauseMs = closePauseMs): void => {
  user.closeAfter = now + pauseMs;
};

/** Counts a refusal of the user queue. Returns the pause before the next try, in ms: it doubles with every refusal in a row. */
export const noteRefusal = (user: LoadedUser): number => {
  user.refusals += 1;
  return Math.min(longestRefusalPauseMs, firstRefusalPauseMs * 2 ** (user.refusals - 1));
};

/** The user closes as if nothing had come for `idleTimeoutMs`, unless something comes before. */
export const closeEarly = (user: LoadedUser): void => {
  user.idleSince = Number.NEGATIVE_INFINITY;
};

export const cancelTimers = (user: LoadedUser): void => {
  user.cancelTimer?.();
  user.cancelQueueTimer?.();
};

/** One loaded user, as its owner sees it, and the pure decisions about what to do next. */
import type { Delivery } from '../ports.ts';
import { hasLiveSession } from '../sessions.ts';
import { isSettled, type LedgerEntry, type RequestMessage, type RunLimits, type UserQueue } from '../types.ts';

/** A request that waits in memory, from a message or from the ledger. */
export type HeldRequest = {
  body: string;
  acceptedAt: Date;
  /** Claims so far, as far as known; a claim that finds another number is told the right one. */
  attempts: number;
  limits: RunLimits;
  forgiven: number;
  interruptions: number;
  /** An earlier owner claimed it and did not come to its end. */
  interrupted: boolean;
  /** Waits for a person; a look reads it again. */
  blocked: boolean;
  retryAt?: Date;
  /** Not acked yet: the request came by message and is not claimed. */
  delivery?: Delivery;
  heldSince: Date;
};

export type LoadedUser = {
  readonly userId: string;
  /** The lowest `seq` that is not settled: the only one that may run. */
  next: number;
  /** The highest `seq` that is known to be accepted. */
  known: number;
  /** `settled` as `userQueues` has it. */
  flushed: number;
  /** No session is left. */
  drain: boolean;
  /** `userQueues` says `closing`. */
  closing: boolean;
  /** A look is on its way: nothing is closed before it. */
  lookDue: boolean;
  /** Looks that came so far: one during a step may have been meant for what the step leaves behind. */
  looks: number;
  /** `later`: loaded at a take-over with work in hand, which comes first, for a moment. */
  queue: 'none' | 'later' | 'opening' | 'open';
  /** It was read from the ledger once. */
  wasRead: boolean;
  held: Map<number, HeldRequest>;
  /** `ready`: waits for a slot. `working`: a step is under way, and no other begins before it ends. */
  activity: 'idle' | 'ready' | 'working';
  /** Since when `next` has been missing in the ledger, and how often it was found so. */
  gap: { since: Date; reads: number } | undefined;
  idleSince: Date;
  /** No close begins before: the last one did not match. */
  closeAfter: Date;
  /** A run of an earlier hold of this process was waited for long enough. */
  outwaited: boolean;
  /** When the owner last said in `userQueues` that the user waits for a good reason. */
  vouchedAt: Date;
  cancelTimer: (() => void) | undefined;
};

export type Step =
  | { kind: 'run'; request: HeldRequest }
  | { kind: 'read' }
  | { kind: 'bury' }
  | { kind: 'wait'; until: Date }
  | { kind: 'begin-close'; onlyWithoutSession: boolean }
  | { kind: 'end-close' }
  | { kind: 'none' };

export type StepLimits = { gapTimeoutMs: number; idleTimeoutMs: number; stuckAfterMs: number };

/** A missing `next` is read again this often before it is given up. */
const gapReads = 4;

export const loadUser = (queue: UserQueue, now: Date): LoadedUser => ({
  userId: queue.userId,
  next: queue.settled + 1,
  known: queue.accepted,
  flushed: queue.settled,
  drain: !hasLiveSession(queue, now),
  closing: queue.state === 'closing',
  lookDue: false,
  looks: 0,
  queue: 'none',
  wasRead: false,
  held: new Map(),
  activity: 'idle',
  gap: undefined,
  idleSince: now,
  closeAfter: now,
  outwaited: false,
  vouchedAt: queue.vouchedAt ?? new Date(0),
  cancelTimer: undefined,
});

/**
 * Hundreds of users may be taken over at once: what is in hand starts before the broker is kept busy with their queues. All
 * that was accepted is known from the load, and what is accepted now waits in the user queue, or is returned and wakes the lane.
 */
export const loadUserAtTakeOver = (queue: UserQueue, now: Date): LoadedUser => {
  const user = loadUser(queue, now);
  return { ...user, queue: hasWork(user) ? 'later' : 'none' };
};

/** [R5] */
export const noteLook = (user: LoadedUser, queue: UserQueue, now: Date): void => {
  user.looks += 1;
  if (queue.accepted > user.known) user.idleSince = now;
  user.known = Math.max(user.known, queue.accepted);
  user.drain = !hasLiveSession(queue, now);
  user.closing = queue.state === 'closing';
  if (user.held.get(user.next)?.blocked) dropHeld(user, user.next);
};

/** Lets go of a request: the ledger has it. An unacked delivery left behind would fill the consumer's prefetch for good. */
export const dropHeld = (user: LoadedUser, seq: number): void => {
  user.held.get(seq)?.delivery?.ack();
  user.held.delete(seq);
};

/**
 * Acks what was held since before `before`, and keeps of it only what is next: the ledger has the rest, and for each ack the
 * broker sends one more.
 */
export const letGoHeld = (user: LoadedUser, before: Date): void => {
  for (const [seq, request] of [...user.held]) {
    if (request.heldSince > before) continue;
    request.delivery?.ack();
    request.delivery = undefined;
    if (seq > user.next) user.held.delete(seq);
  }
};

/** Puts what is known now in the place of what was held, and keeps the delivery that is there. */
export const replaceHeld = (user: LoadedUser, seq: number, request: HeldRequest): void => {
  user.held.set(seq, { ...request, delivery: user.held.get(seq)?.delivery });
};

const fromMessage = ({ body, acceptedAt, limits, interruptions }: RequestMessage, now: Date): HeldRequest => ({
  body,
  acceptedAt: new Date(acceptedAt),
  attempts: 0,
  limits: limits ?? {},
  forgiven: 0,
  interruptions: interruptions ?? 0,
  interrupted: false,
  blocked: false,
  heldSince: now,
});

const fromEntry = (entry: LedgerEntry & { body: string }, now: Date): HeldRequest => ({
  body: entry.body,
  acceptedAt: entry.acceptedAt,
  attempts: entry.attempts,
  limits: entry.limits ?? {},
  forgiven: entry.forgiven ?? 0,
  interruptions: entry.interruptions ?? 0,
  interrupted: entry.status === 'processing' && entry.retryAt === undefined,
  blocked: entry.status === 'blocked',
  retryAt: entry.retryAt,
  heldSince: now,
});

export const noteMessage = (user: LoadedUser, message: RequestMessage, delivery: Delivery, now: Date): void => {
  user.idleSince = now;
  user.known = Math.max(user.known, message.seq);
  const held = user.held.get(message.seq);
  if (message.seq < user.next || held?.delivery) {
    delivery.ack();
    return;
  }
  user.held.set(message.seq, { ...(held ?? fromMessage(message, now)), delivery, heldSince: now });
};

export const advancePast = (user: LoadedUser, seq: number, now: Date): void => {
  user.next = Math.max(user.next, seq + 1);
  user.gap = undefined;
  user.idleSince = now;
  for (const held of [...user.held.keys()]) if (held < user.next) dropHeld(user, held);
};

/** What the ledger says of the requests from `next` to `last`: what is settled is skipped, what waits is held. */
export const noteEntries = (user: LoadedUser, last: number, entries: LedgerEntry[], now: Date): void => {
  user.wasRead = true;
  const bySeq = new Map(entries.map((entry) => [entry.seq, entry]));
  for (let entry = bySeq.get(user.next); entry && isSettled(entry); entry = bySeq.get(user.next)) {
    advancePast(user, entry.seq, now);
  }
  if (!bySeq.has(user.next) && user.next <= last) {
    user.gap = { since: user.gap?.since ?? now, reads: (user.gap?.reads ?? 0) + 1 };
  }
  for (const entry of entries) {
    const { seq, body } = entry;
    if (isSettled(entry) || body === undefined || seq < user.next) continue;
    replaceHeld(user, seq, fromEntry({ ...entry, body }, now));
  }
};

/** Whether `next` is accepted, as far as this owner knows. */
export const hasWork = (user: LoadedUser): boolean => user.next <= user.known;

/** A clock that was set back must not make anybody wait for the hour to come again. */
export const correctTimes = (user: LoadedUser, now: Date): void => {
  if (user.idleSince > now) user.idleSince = now;
  if (user.vouchedAt > now) user.vouchedAt = now;
  if (user.closeAfter.getTime() > now.getTime() + closePauseMs) user.closeAfter = now;
  for (const request of user.held.values()) if (request.heldSince > now) request.heldSince = now;
  if (user.gap && user.gap.since > now) user.gap = { ...user.gap, since: now };
};

/** What the next close waits for after one that did not match. */
const closePauseMs = 100;

export const postponeClose = (user: LoadedUser, now: Date): void => {
  user.closeAfter = new Date(now.getTime() + closePauseMs);
};

/** A user with work whose standstill has a good reason, known to the owner: it runs, waits its turn or its back-off, or for a person. */
export const waitsForGoodReason = (user: LoadedUser): boolean =>
  hasWork(user) && (user.activity !== 'idle' || user.cancelTimer !== undefined);

/** What to do with a user that does nothing at the moment. */
export const decideStep = (user: LoadedUser, now: Date, limits: StepLimits): Step => {
  if (!hasWork(user)) return decideClose(user, now, limits);
  const request = user.held.get(user.next);
  if (request?.blocked) return decideBlocked(request, now, limits);
  if (request?.retryAt && request.retryAt > now) return { kind: 'wait', until: request.retryAt };
  if (request) return { kind: 'run', request };
  return decideGap(user, now, limits);
};

/** Whoever retries or skips it wakes the lane; a wake may be lost. */
const decideBlocked = ({ heldSince }: HeldRequest, now: Date, { stuckAfterMs }: StepLimits): Step => {
  const due = new Date(heldSince.getTime() + stuckAfterMs);
  return due <= now ? { kind: 'read' } : { kind: 'wait', until: due };
};

/** Its function is between ticket and record, or dead: read again now and then, and at last put a tombstone there. */
const decideGap = ({ gap }: LoadedUser, now: Date, { gapTimeoutMs }: StepLimits): Step => {
  if (!gap) return { kind: 'read' };
  const reads = Math.min(gap.reads, gapReads);
  const due = new Date(gap.since.getTime() + Math.ceil((gapTimeoutMs * reads) / gapReads));
  if (due > now) return { kind: 'wait', until: due };
  return { kind: reads < gapReads ? 'read' : 'bury' };
};

const decideClose = (user: LoadedUser, now: Date, { idleTimeoutMs }: StepLimits): Step => {
  if (user.lookDue || user.queue === 'opening') return { kind: 'none' };
  if (user.closeAfter > now) return { kind: 'wait', until: user.closeAfter };
  if (user.closing) return { kind: 'end-close' };
  if (user.drain) return { kind: 'begin-close', onlyWithoutSession: true };
  const idleUntil = new Date(user.idleSince.getTime() + idleTimeoutMs);
  return idleUntil <= now ? { kind: 'begin-close', onlyWithoutSession: false } : { kind: 'wait', until: idleUntil };
};

/** Enqueue: from a request to a ticket, a ledger entry and a message to the owner. Steps and rules: docs/protocol.md. */

import { SessionEndedError } from '../accounts/errors.ts';
import { liveUserQueue } from '../accounts/live-session.ts';
import type { Deps } from '../deps.ts';
import { BrokerRefusedError, BrokerUnavailableError, StoreUnavailableError } from '../errors.ts';
import { laneOf } from '../lane-of.ts';
import { maxMessageBodyBytes } from '../limits.ts';
import { logSampled } from '../log-sampled.ts';
import type { TicketDemand } from '../ports.ts';
import type { Caller } from '../references.ts';
import type { LedgerEntry, RequestStatus, RunLimits, Ticket, TicketRefusal, UserQueue } from '../types.ts';
import { isSettled } from '../types.ts';
import { wakeLane } from '../wake.ts';
import { EnqueueRateError, NotRecordedInTimeError, TooManyPendingError } from './errors.ts';
import { type Repeat, repeatOf } from './repeat.ts';

/**
 * `body` is the request as JSON text, `key` the Idempotency-Key. `retryOf` is the failed request that is sent again, with its
 * `interruptions`.
 */
export type AcceptCommand = Caller & {
  body: string;
  key?: string;
  limits?: RunLimits;
  retryOf?: number;
  interruptions?: number;
};

/**
 * `position` counts from 1 for the request that is running or next; it is 0 for a settled request. It is never too low, but may
 * count requests that were settled and not flushed yet, or cancelled: an exact count would cost every enqueue one more query.
 */
export type Accepted = { seq: number; status: RequestStatus; position: number } & Repeat;

export type AcceptDeps = Pick<Deps, 'userQueues' | 'ledger' | 'publisher' | 'clock' | 'log'> & {
  config: Pick<Deps['config'], 'lanes' | 'maxPending' | 'maxPendingBytes' | 'enqueueRate'>;
  /** Without it, a repeat is compared in this thread. */
  comparisons?: Pick<Deps['comparisons'], 'isSameJson'>;
};

/** A tombstone takes a ticket only when its function was slow for `gapTimeoutMs`. This many in a row mean that MongoDB is slow. */
const ticketTries = 3;

/** The position of a request in its user queue, as far as `settled` was flushed. */
export const positionOf = (entry: Pick<LedgerEntry, 'seq' | 'status'>, settled: number): number =>
  isSettled(entry) ? 0 : Math.max(1, entry.seq - settled);

/**
 * Accepts one request of one user. Once it resolves, the request is in the ledger and cannot get lost.
 *
 * @throws {SessionEndedError} 401; {TooManyPendingError} 429; {EnqueueRateError} 429; {IdempotencyKeyReusedError} 422; {NotRecordedInTimeError} 503; {BusyError} 503;
 * {StoreUnavailableError} 503: the request may or may not be recorded. With an Idempotency-Key it is safe to repeat the call.
 */
export const acceptRequest = async (command: AcceptCommand, deps: AcceptDeps): Promise<Accepted> => {
  const earlier = command.key === undefined ? undefined : await deps.ledger.findByKey(command.userId, command.key);
  if (earlier) return answerAgain(command, earlier, deps);

  for (let tries = 0; tries < ticketTries; tries += 1) {
    const ticket = await takeTicket(command, deps);
    const acceptedAt = deps.clock.now();
    const recorded = await record(command, ticket, acceptedAt, deps);
    if (recorded === 'recorded') {
      await announce(command, ticket, acceptedAt, deps);
      return { seq: ticket.seq, status: 'queued', position: ticket.seq - ticket.settled };
    }
    if (recorded !== 'fenced') return answerAgain(command, recorded, deps);
  }
  throw new NotRecordedInTimeError(ticketTries);
};

/** Turns an unused ticket into a tombstone. If the ticket opened the user queue, the owner must close it again. */
const abandon = async (userId: string, bytes: number, ticket: Ticket, deps: AcceptDeps): Promise<void> => {
  const { seq, wasOpen, lane, bytesThrough } = ticket;
  await deps.ledger.insertTombstone({ userId, seq, bytes, bytesThrough }, deps.clock.now());
  if (!wasOpen) await wakeLane(lane, userId, deps);
};

const callersQueue = async ({ userId, sessionId }: Caller, deps: AcceptDeps): Promise<UserQueue> => {
  if (sessionId !== undefined) return liveUserQueue({ userId, sessionId }, deps);
  const [queue] = await deps.userQueues.get([userId]);
  if (!queue) throw new SessionEndedError();
  return queue;
};

/** The search for settled entries goes this far beyond `maxPending`. Entries behind it count as pending. */
const settledSearch = 10_000;

/** A user is counted again no sooner than after so many times the time that the count took, but after `longestMs` at the latest. */
const countPause = { times: 20, longestMs: 10_000 };

/** No rate applies to an operator's retry. */
const demandOf = ({ body, sessionId, reference }: AcceptCommand, { config }: AcceptDeps): TicketDemand => ({
  bytes: Buffer.byteLength(body),
  maxPending: config.maxPending,
  maxPendingBytes: config.maxPendingBytes,
  ...(config.enqueueRate > 0 && (sessionId ?? reference) !== undefined ? { ratePerSecond: config.enqueueRate } : {}),
});

const askForTicket = (
  { userId, sessionId, reference }: Caller,
  demand: TicketDemand,
  { userQueues, clock, config }: AcceptDeps,
): Promise<Ticket | TicketRefusal | undefined> => {
  const now = clock.now();
  if (reference === undefined) return userQueues.takeTicket(userId, sessionId, now, demand);
  const lane = laneOf(userId, config.lanes);
  return userQueues.takeTicketByReference({ userId, user: reference, lane }, now, demand);
};

/**
 * The ticket's own update checks the limits, against what the owner has flushed. Only when it refuses is the ledger asked what it has
 * settled since, or behind a request that blocks its user, and only as often as it can be done cheaply: a flood of refused calls
 * must not cost more than the same calls accepted. A `seq` that is not recorded yet counts as pending.
 */
const takeTicket = async (command: AcceptCommand, deps: AcceptDeps): Promise<Ticket> => {
  const demand = demandOf(command, deps);
  const take = () => askForTicket(command, demand, deps);
  let taken = await take();
  if (taken?.seq === undefined && taken?.countDue && (await countSettled(command.userId, taken, deps)))
    taken = await take();
  if (!taken) throw new SessionEndedError();
  if (taken.seq !== undefined) return taken;
  throw taken.refused === 'rate'
    ? new EnqueueRateError(demand.ratePerSecond ?? 0, taken)
    : new TooManyPendingError(taken, demand);
};

const undefinedIfAway = (error: unknown): undefined => {
  if (!(error instanceof StoreUnavailableError)) throw error;
};

/** Returns whether the count ended in time. If not, the refusal stands, and the ticket's update has set the longest pause. */
const countSettled = async (
  userId: string,
  { settled, settledBytes }: TicketRefusal,
  { ledger, userQueues, clock, config }: AcceptDeps,
): Promise<boolean> => {
  const startedAt = clock.monotonicMs();
  const range = { after: settled, upTo: settled + config.maxPending + settledSearch };
  const sum = await ledger.sumSettled(userId, range).catch(undefinedIfAway);
  if (!sum) return false;
  const { requests, bytes, bytesBefore } = sum;
  const pauseMs = Math.min(countPause.longestMs, countPause.times * (clock.monotonicMs() - startedAt));
  const countAgainAt = new Date(clock.now().getTime() + pauseMs);
  // `settledBytes` is too low behind a tombstone, and where an owner of an older version has flushed `settled` alone.
  const counted = { requests: settled + requests, bytes: Math.max(settledBytes, bytesBefore) + bytes };
  await userQueues.noteCounted(userId, counted, countAgainAt);
  return true;
};

/** `fenced`: a tombstone came first. An entry: another request has the key, and this ticket is now a tombstone. */
const record = async (
  { sessionId: _, reference: __, ...request }: AcceptCommand,
  ticket: Ticket,
  acceptedAt: Date,
  deps: AcceptDeps,
): Promise<'recorded' | 'fenced' | LedgerEntry> => {
  const { ledger } = deps;
  const { seq } = ticket;
  const { userId, body, key } = request;
  const bytes = Buffer.byteLength(body);
  const inserted = await ledger.insert({ ...request, bytes, bytesThrough: ticket.bytesThrough, seq, acceptedAt });
  if (inserted === 'inserted') return 'recorded';
  if (inserted === 'duplicate-seq') {
    // Only the ticket's holder and a tombstone write this seq. Anything else is this very insert, sent twice by the driver.
    const [existing] = await ledger.read([{ userId, seq }]);
    if (!existing || existing.status === 'abandoned') return 'fenced';
    if (existing.body === body && existing.key === key) return 'recorded';
    throw new Error(`The ledger has another request with seq ${seq}: two tickets had the same seq.`);
  }
  await abandon(userId, bytes, ticket, deps);
  const other = key === undefined ? undefined : await ledger.findByKey(userId, key);
  if (!other) throw new Error(`The ledger refused the key of request ${seq}, but has no request with that key.`);
  return other;
};

/** Answers with the request that has the same key. If that is still queued, its wake may have been lost. */
const answerAgain = async (command: AcceptCommand, entry: LedgerEntry, deps: AcceptDeps): Promise<Accepted> => {
  const queue = await callersQueue(command, deps);
  const repeat = await repeatOf(command, entry, deps);
  if (entry.status === 'queued') await wakeLane(queue.lane, command.userId, deps);
  return { seq: entry.seq, status: entry.status, position: positionOf(entry, queue.settled), ...repeat };
};

/**
 * Publishes to the user queue if it was open and the body is small. If it was not, is large, does not exist any more [R1], or does not take the message, wakes
 * the lane: the owner reads the request from the ledger.
 */
const announce = async (command: AcceptCommand, ticket: Ticket, acceptedAt: Date, deps: AcceptDeps): Promise<void> => {
  const { userId, body, limits, interruptions } = command;
  const { seq, lane, wasOpen, bytesThrough } = ticket;
  if (wasOpen && Buffer.byteLength(body) <= maxMessageBodyBytes) {
    const message = { seq, body, bytesThrough, limits, interruptions, acceptedAt: acceptedAt.getTime() };
    try {
      if ((await deps.publisher.publishRequest(userId, message)) === 'routed') return;
    } catch (error) {
      if (!(error instanceof BrokerUnavailableError)) throw error;
      if (error instanceof BrokerRefusedError) return wakeLane(lane, userId, deps);
      const fields = { err: error, userId, seq };
      logSampled(deps.log, 'warn', fields, 'request recorded but not published; the sweep will find it');
      return;
    }
  }
  await wakeLane(lane, userId, deps);
};

/** Enqueue step 2: a ticket for requests of one user, within the user's limits. */
import { SessionEndedError } from '../accounts/errors.ts';
import { StoreUnavailableError } from '../errors.ts';
import { laneOf } from '../lane-of.ts';
import type { TicketDemand } from '../ports.ts';
import type { Caller } from '../references.ts';
import type { Ticket, TicketRefusal } from '../types.ts';
import type { AcceptDeps } from './accept.ts';
import { EnqueueRateError, TooManyPendingError } from './errors.ts';

/** The search for settled entries goes this far beyond `maxPending`. Entries behind it count as pending. */
const settledSearch = 10_000;

/** A user is counted again no sooner than after so many times the time that the count took, but after `longestMs` at the latest. */
const countPause = { times: 20, longestMs: 10_000 };

/** No rate applies to an operator's retry. */
const demandOf = (
  { sessionId, reference }: Caller,
  requests: { body: string }[],
  { config }: AcceptDeps,
): TicketDemand => ({
  count: requests.length,
  bytes: requests.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0),
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
 *
 * @throws {SessionEndedError} 401; {TooManyPendingError} 429; {EnqueueRateError} 429
 */
export const takeTicket = async (caller: Caller, requests: { body: string }[], deps: AcceptDeps): Promise<Ticket> => {
  const demand = demandOf(caller, requests, deps);
  const take = () => askForTicket(caller, demand, deps);
  let taken = await take();
  if (taken?.seq === undefined && taken?.countDue && (await countSettled(caller.userId, taken, deps)))
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

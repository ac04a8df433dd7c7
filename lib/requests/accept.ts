/** Enqueue: from a request to a ticket, a ledger entry and a word to the owner. Steps and rules: the lane protocol. */
import { SessionEndedError } from '../accounts/errors.ts';
import type { Deps } from '../deps.ts';
import { BrokerUnavailableError } from '../errors.ts';
import type { TicketLimit } from '../ports.ts';
import { hasLiveSession } from '../sessions.ts';
import type { LedgerEntry, RequestStatus, RunLimits, Ticket, UserQueue } from '../types.ts';
import { isSettled } from '../types.ts';
import { IdempotencyKeyReusedError, NotRecordedInTimeError, TooManyPendingError } from './errors.ts';
import { wakeLane } from './wake.ts';

/**
 * `body` is the request as JSON text; `key` the Idempotency-Key; `retryOf` the failed request that is sent again, with
 * the `interruptions` that it is known by. Without `sessionId` the user need not be logged in: an operator's retry.
 */
export type AcceptCommand = {
  userId: string;
  sessionId: string | undefined;
  body: string;
  key?: string;
  limits?: RunLimits;
  retryOf?: number;
  interruptions?: number;
};

/**
 * `position` counts from 1, the request that runs or is next; 0 when the request is settled. It is never too low, but counts
 * what was settled and not flushed, or cancelled: to ask the ledger would be one more statement for every enqueue under load.
 */
export type Accepted = { seq: number; status: RequestStatus; position: number };

export type AcceptDeps = Pick<Deps, 'userQueues' | 'ledger' | 'publisher' | 'clock' | 'log'> & {
  config: Pick<Deps['config'], 'maxPending'>;
};

/** A ticket is fenced only when its function was slow for `gapTimeoutMs`; this often in a row means that MongoDB is. */
const ticketTries = 3;

/** Where a request stands in its user queue, as far as `settled` was flushed. */
export const positionOf = (entry: Pick<LedgerEntry, 'seq' | 'status'>, settled: number): number =>
  isSettled(entry) ? 0 : Math.max(1, entry.seq - settled);

/**
 * Accepts one request of one user. When it resolves, the request is in the ledger and nothing loses it.
 *
 * @throws {SessionEndedError} 401; {TooManyPendingError} 429; {IdempotencyKeyReusedError} 422; {StoreUnavailableError}
 * 503: the request may or may not have been recorded, which an Idempotency-Key makes safe to repeat.
 */
export const acceptRequest = async (command: AcceptCommand, deps: AcceptDeps): Promise<Accepted> => {
  const earlier = command.key === undefined ? undefined : await deps.ledger.findByKey(command.userId, command.key);
  if (earlier) return answerAgain(command, earlier, deps);

  for (let tries = 0; tries < ticketTries; tries += 1) {
    const ticket = await takeTicket(command, deps);
    const recorded = await record(command, ticket, deps);
    if (recorded === 'recorded') {
      await announce(command, ticket, deps);
      return { seq: ticket.seq, status: 'queued', position: ticket.seq - ticket.settled };
    }
    if (recorded !== 'fenced') return answerAgain(command, recorded, deps);
  }
  throw new NotRecordedInTimeError(ticketTries);
};

/** A ticket that is not used becomes a tombstone; a user queue that it opened must be closed again. */
const abandon = async (userId: string, { seq, wasOpen, lane }: Ticket, deps: AcceptDeps): Promise<void> => {
  await deps.ledger.insertTombstone({ userId, seq }, deps.clock.now());
  if (!wasOpen) await wakeLane(lane, userId, deps);
};

type Caller = Pick<AcceptCommand, 'userId' | 'sessionId'>;

/** The user queue of a caller who may use it. */
const liveQueue = async ({ userId, sessionId }: Caller, { userQueues, clock }: AcceptDeps): Promise<UserQueue> => {
  const [queue] = await userQueues.get([userId]);
  if (!queue || (sessionId !== undefined && !hasLiveSession(queue, clock.now(), sessionId)))
    throw new SessionEndedError();
  return queue;
};

/** So many more entries than may be pending are looked at in search of settled ones: those beyond count as pending. */
const settledSought = 10_000;

/**
 * The limit holds in the ticket's own step, by `settled` as it was flushed: a refused call leaves nothing behind. Only where
 * that refuses is the ledger asked what it has settled since, or behind a request that holds its user. A `seq` that is not
 * recorded yet counts as pending, and the second try names the highest `seq` there is room for: nobody gets in beside it.
 */
const takeTicket = async (caller: Caller, deps: AcceptDeps): Promise<Ticket> => {
  const { maxPending } = deps.config;
  const take = (limit: TicketLimit) =>
    deps.userQueues.takeTicket(caller.userId, caller.sessionId, deps.clock.now(), limit);
  const ticket = await take({ pending: maxPending });
  if (ticket) return ticket;
  const { userId, accepted, settled: flushed } = await liveQueue(caller, deps);
  const range = { after: flushed, upTo: flushed + maxPending + settledSought };
  const settled = flushed + (await deps.ledger.countSettled(userId, range));
  const late = accepted - settled < maxPending ? await take({ seq: settled + maxPending }) : undefined;
  if (!late) throw new TooManyPendingError(Math.max(maxPending, accepted - settled), maxPending);
  return late;
};

/** `fenced`: a tombstone came first. An entry: another request has the key, and this ticket is a tombstone now. */
const record = async (
  { sessionId: _, ...request }: AcceptCommand,
  ticket: Ticket,
  deps: AcceptDeps,
): Promise<'recorded' | 'fenced' | LedgerEntry> => {
  const { ledger, clock } = deps;
  const { seq } = ticket;
  const { userId, body, key } = request;
  const inserted = await ledger.insert({ ...request, seq, acceptedAt: clock.now() });
  if (inserted === 'inserted') return 'recorded';
  if (inserted === 'duplicate-seq') {
    // Only the ticket's holder and a tombstone write this seq: anything else is this very insert, sent twice by the driver.
    const [there] = await ledger.read([{ userId, seq }]);
    if (!there || there.status === 'abandoned') return 'fenced';
    if (there.body === body && there.key === key) return 'recorded';
    throw new Error(`The ledger holds another request under the ticket ${seq}: two tickets had one seq.`);
  }
  await abandon(userId, ticket, deps);
  const other = key === undefined ? undefined : await ledger.findByKey(userId, key);
  if (!other) throw new Error(`The ledger refused the key of request ${seq} but holds no request with it.`);
  return other;
};

const answerAgain = async (command: AcceptCommand, entry: LedgerEntry, deps: AcceptDeps): Promise<Accepted> => {
  const queue = await liveQueue(command, deps);
  if (entry.body !== command.body) throw new IdempotencyKeyReusedError(entry.seq);
  if (entry.status === 'queued') await wakeLane(queue.lane, command.userId, deps);
  return { seq: entry.seq, status: entry.status, position: positionOf(entry, queue.settled) };
};

/** To the user queue when it was open, else, or when it is not there [R1], to the lane. */
const announce = async (command: AcceptCommand, ticket: Ticket, deps: AcceptDeps): Promise<void> => {
  if (ticket.wasOpen) {
    const { body, limits, interruptions } = command;
    const message = { seq: ticket.seq, body, limits, interruptions, acceptedAt: deps.clock.now().getTime() };
    try {
      if ((await deps.publisher.publishRequest(command.userId, message)) === 'routed') return;
    } catch (error) {
      if (!(error instanceof BrokerUnavailableError)) throw error;
      deps.log.warn(
        { err: error, userId: command.userId, seq: ticket.seq },
        'the broker did not take a request; the sweep will',
      );
      return;
    }
  }
  await wakeLane(ticket.lane, command.userId, deps);
};

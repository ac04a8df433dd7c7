/** Enqueue: from requests to a ticket, ledger entries and messages to the owner. Steps and rules: docs/protocol.md. */
import { SessionEndedError } from '../accounts/errors.ts';
import { liveUserQueue } from '../accounts/live-session.ts';
import type { Deps } from '../deps.ts';
import { AppError } from '../errors.ts';
import type { Hints } from '../ports.ts';
import type { Caller } from '../references.ts';
import type { Span, Tracing } from '../tracing.ts';
import type { LedgerEntry, RequestStatus, RunLimits, UserQueue } from '../types.ts';
import { isSettled } from '../types.ts';
import { wakeLane } from '../wake.ts';
import { acceptInSpan } from './accept-span.ts';
import { NotRecordedInTimeError } from './errors.ts';
import { type Recorded, recordInOrder } from './record.ts';
import { type Repeat, repeatOf } from './repeat.ts';
import { takeTicket } from './take-ticket.ts';

/**
 * `body` is the request as JSON text, `key` the Idempotency-Key. `retryOf` is the failed request that is sent again, with its
 * `interruptions`, `linkedTo` its trace. `traceparent`: the trace of the caller.
 */
export type RequestToAccept = {
  body: string;
  key?: string;
  limits?: RunLimits;
  retryOf?: number;
  interruptions?: number;
  traceparent?: string;
  linkedTo?: string;
};

export type AcceptCommand = Caller & RequestToAccept;

/** Requests of one user, in the order in which they shall run. */
export type AcceptAllCommand = Caller & { requests: RequestToAccept[] };

/**
 * `position` counts from 1 for the request that is running or next; it is 0 for a settled request. It is never too low, but may
 * count requests that were settled and not flushed yet, or cancelled: an exact count would cost every enqueue one more query.
 */
export type Accepted = { seq: number; status: RequestStatus; position: number } & Repeat;

export type AcceptDeps = Pick<Deps, 'userQueues' | 'ledger' | 'publisher' | 'clock' | 'log'> & {
  config: Pick<Deps['config'], 'lanes' | 'maxPending' | 'maxPendingBytes' | 'enqueueRate'>;
  /** Without it, a repeat is compared in this thread. */
  comparisons?: Pick<Deps['comparisons'], 'isSameJson'>;
  /** Where spans are made. */
  tracing?: Tracing;
  hints?: Hints;
};

/** `span`: of this call. */
export type InSpan = { span?: Span };

/** A tombstone takes a ticket only when its function was slow for `gapTimeoutMs`. This many in a row mean that MongoDB is slow. */
const ticketTries = 3;

/** The position of a request in its user queue, as far as `settled` was flushed. */
export const positionOf = (entry: Pick<LedgerEntry, 'seq' | 'status'>, settled: number): number =>
  isSettled(entry) ? 0 : Math.max(1, entry.seq - settled);

/** `acceptRequests` for one request. */
export const acceptRequest = async (command: AcceptCommand, deps: AcceptDeps): Promise<Accepted> => {
  const { body, key, limits, retryOf, interruptions, traceparent, linkedTo, ...caller } = command;
  const [accepted] = await acceptRequests(
    { ...caller, requests: [{ body, key, limits, retryOf, interruptions, traceparent, linkedTo }] },
    deps,
  );
  return accepted as Accepted;
};

/**
 * Accepts requests of one user with one ticket, all or none, and returns an answer for each in their order. Once it resolves, they are in
 * the ledger and cannot get lost. Those whose key is in the ledger already are answered as repeats and take no ticket.
 *
 * @throws {SessionEndedError} 401; {TooManyPendingError} 429; {EnqueueRateError} 429: nothing was recorded. {IdempotencyKeyReusedError} 422;
 * {BusyError} 503: the same, unless another call took one of the keys at the same moment. {NotRecordedInTimeError} 503;
 * {StoreUnavailableError} 503: the first ones of the requests may be recorded. With an Idempotency-Key it is safe to repeat the call.
 */
export const acceptRequests = ({ requests, ...caller }: AcceptAllCommand, deps: AcceptDeps): Promise<Accepted[]> =>
  acceptInSpan({ userId: caller.userId, requests }, deps.tracing, (traced, span) =>
    acceptAll(caller, traced, span ? { ...deps, span } : deps),
  );

const acceptAll = async (
  caller: Caller,
  requests: RequestToAccept[],
  deps: AcceptDeps & InSpan,
): Promise<Accepted[]> => {
  const { userId } = caller;
  const known = await Promise.all(
    requests.map(({ key }) => (key === undefined ? undefined : deps.ledger.findByKey(userId, key))),
  );
  const answers: (Accepted | undefined)[] = await answerAgain(caller, requests, known, deps);
  const isNew = (index: number): boolean => answers[index] === undefined;
  let hasRecorded = false;
  for (let tries = 0; ; tries += 1) {
    const left = [...requests.keys()].filter(isNew);
    if (left.length === 0) return answers as Accepted[];
    if (tries === ticketTries) throw new NotRecordedInTimeError({ tickets: ticketTries });
    const fresh = left.map((index) => requests[index] as RequestToAccept);
    const ticket = await takeTicket(caller, fresh, deps).catch(refusedIf(hasRecorded));
    deps.span?.event('ticket taken', { 'lanekeeper.seq': ticket.first, 'lanekeeper.lane': ticket.lane });
    const outcomes = await recordInOrder(userId, fresh, ticket, deps);
    hasRecorded ||= outcomes.some(({ kind }) => kind === 'recorded');
    const others = outcomes.map((outcome) => (outcome.kind === 'known' ? outcome.entry : undefined));
    const repeats = await answerAgain(caller, fresh, others, deps).catch(refusedIf(hasRecorded));
    for (const [place, index] of left.entries()) answers[index] = repeats[place] ?? answerOf(outcomes[place], ticket);
  }
};

/** A session that ended and a limit say that nothing was recorded. */
const refusedIf =
  (hasRecorded: boolean) =>
  (error: unknown): never => {
    const isRefusal = error instanceof AppError && [401, 429].includes(error.status);
    throw hasRecorded && isRefusal ? new NotRecordedInTimeError({ refusal: error }) : error;
  };

/** None for a request that has to be recorded with another ticket. */
const answerOf = (outcome: Recorded | undefined, { settled }: { settled: number }): Accepted | undefined =>
  outcome?.kind === 'recorded'
    ? { seq: outcome.seq, status: 'queued', position: Math.max(1, outcome.seq - settled) }
    : undefined;

const callersQueue = async ({ userId, sessionId }: Caller, deps: AcceptDeps): Promise<UserQueue> => {
  if (sessionId !== undefined) return liveUserQueue({ userId, sessionId }, deps);
  const [queue] = await deps.userQueues.get([userId]);
  if (!queue) throw new SessionEndedError();
  return queue;
};

/** Answers the requests whose key another entry has. If one of those is still queued, its wake may have been lost. */
const answerAgain = async (
  caller: Caller,
  requests: RequestToAccept[],
  entries: (LedgerEntry | undefined)[],
  deps: AcceptDeps,
): Promise<(Accepted | undefined)[]> => {
  if (!entries.some((entry) => entry)) return [];
  const { lane, settled } = await callersQueue(caller, deps);
  const answers = await Promise.all(
    requests.map(async (request, index) => {
      const entry = entries[index];
      if (!entry) return undefined;
      const { seq, status } = entry;
      return { seq, status, position: positionOf(entry, settled), ...(await repeatOf(request, entry, deps)) };
    }),
  );
  if (entries.some((entry) => entry?.status === 'queued')) await wakeLane(lane, caller.userId, deps);
  return answers;
};

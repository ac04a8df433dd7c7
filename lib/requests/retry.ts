/** What a person decides about a dead-lettered request: to run it again, or to skip it. */
import type { Deps } from '../deps.ts';
import type { EntryId, LedgerEntry } from '../types.ts';
import { type AcceptDeps, type Accepted, acceptRequest } from './accept.ts';
import { NotBlockedError, NotRetryableError, RequestNotFoundError } from './errors.ts';
import { wakeLane } from './wake.ts';

/** Without `sessionId` the user need not be logged in: an operator's decision. */
export type RetryCommand = EntryId & { sessionId: string | undefined };

/** `again`: the body was accepted as a new request. */
type RetriedAgain = { kind: 'again'; accepted: Accepted };
/** `in-place`: the request itself is queued again. */
export type Retried = { kind: 'in-place'; entry: LedgerEntry } | RetriedAgain;

type DecisionDeps = Pick<Deps, 'userQueues' | 'ledger' | 'publisher' | 'clock' | 'log'>;

const readEntry = async ({ userId, seq }: EntryId, { ledger }: Pick<Deps, 'ledger'>): Promise<LedgerEntry> => {
  const [entry] = await ledger.read([{ userId, seq }]);
  if (!entry) throw new RequestNotFoundError(seq);
  return entry;
};

/** A wake makes the owner read a blocked request again. */
const wakeOwner = async (userId: string, deps: DecisionDeps): Promise<void> => {
  const [queue] = await deps.userQueues.get([userId]);
  if (queue) await wakeLane(queue.lane, userId, deps);
};

/**
 * Runs a request again: a blocked one in its place, a failed one at the end of the queue, once, while it is a dead letter. Of
 * concurrent decisions about one request exactly one wins.
 *
 * @throws {RequestNotFoundError} 404; {NotRetryableError} 409; for a failed request also what `acceptRequest` throws.
 */
export const retryRequest = async (command: RetryCommand, deps: AcceptDeps): Promise<Retried> => {
  const retried = await retry(command, deps);
  return retried.kind === 'again' ? retried : { ...retried, entry: await readEntry(command, deps) };
};

/** The same for callers that do not need the entry afterwards. */
export const retry = async (
  { sessionId, ...id }: RetryCommand,
  deps: AcceptDeps,
): Promise<{ kind: 'in-place' } | RetriedAgain> => {
  const entry = await readEntry(id, deps);
  if (entry.status === 'blocked') {
    await unblock(entry, deps);
    return { kind: 'in-place' };
  }
  if (entry.status !== 'failed') throw new NotRetryableError(id.seq, `it is ${entry.status}`);
  return { kind: 'again', accepted: await acceptAgain(entry, sessionId, deps) };
};

const unblock = async (entry: LedgerEntry, deps: AcceptDeps): Promise<void> => {
  if (!(await deps.ledger.unblock(entry))) {
    throw new NotRetryableError(entry.seq, 'another decision about it came first');
  }
  await wakeOwner(entry.userId, deps);
};

/** No client's Idempotency-Key equals it: those are ASCII. */
const retryKey = (seq: number): string => `↻${seq}`;

/**
 * Accepts the body first and removes the dead letter second. A crash in between leaves a dead letter; its next retry finds by
 * the key that the request was accepted already. In the other order, a crash would leave the body in no list. The key lets only
 * one of several concurrent retries be recorded. Only one of them removes the dead letter, and that one has won.
 */
const acceptAgain = async (
  { userId, seq, body, limits, deadLetter, ...entry }: LedgerEntry,
  sessionId: string | undefined,
  deps: AcceptDeps,
): Promise<Accepted> => {
  if (!deadLetter || body === undefined) throw await refusal({ userId, seq }, deps);
  // A request whose workers ended with it runs isolated from the start, instead of ending two more.
  const interruptions = deadLetter.reason === 'failed' ? undefined : entry.interruptions;
  const command = { userId, sessionId, body, limits, interruptions, retryOf: seq, key: retryKey(seq) };
  const accepted = await acceptRequest(command, deps);
  if (!(await deps.ledger.dropDeadLetter({ userId, seq }))) throw await refusal({ userId, seq }, deps);
  return accepted;
};

const refusal = async ({ userId, seq }: EntryId, { ledger }: Pick<Deps, 'ledger'>): Promise<NotRetryableError> => {
  const again = await ledger.findByKey(userId, retryKey(seq));
  return new NotRetryableError(seq, again ? `it already runs again as request ${again.seq}` : 'it was dropped');
};

/**
 * Skips a blocked request: it fails finally and stays a dead letter, and the requests behind it run.
 *
 * @throws {RequestNotFoundError} 404; {NotBlockedError} 409
 */
export const skipRequest = async (id: EntryId, deps: DecisionDeps): Promise<LedgerEntry> => {
  await skip(id, deps);
  return readEntry(id, deps);
};

/** The same for callers that do not need the entry afterwards. */
export const skip = async (id: EntryId, deps: DecisionDeps): Promise<void> => {
  if (!(await deps.ledger.skip(id, deps.clock.now()))) {
    const status = await deps.ledger.status(id);
    throw status ? new NotBlockedError(id.seq, status) : new RequestNotFoundError(id.seq);
  }
  await wakeOwner(id.userId, deps);
};

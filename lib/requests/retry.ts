/** What a person decides about a request that was put aside: to run it again, or to pass it over. */
import type { Deps } from '../deps.ts';
import type { EntryId, LedgerEntry } from '../types.ts';
import { type AcceptDeps, type Accepted, acceptRequest } from './accept.ts';
import { NotBlockedError, NotRetryableError, RequestNotFoundError } from './errors.ts';
import { wakeLane } from './wake.ts';

/** Without `sessionId` the user need not be logged in: an operator's decision. */
export type RetryCommand = EntryId & { sessionId: string | undefined };

/** `in-place`: the request itself is queued again. `again`: its body was accepted as a new request. */
export type Retried = { kind: 'in-place'; entry: LedgerEntry } | { kind: 'again'; accepted: Accepted };

type DecisionDeps = Pick<Deps, 'userQueues' | 'ledger' | 'publisher' | 'clock' | 'log'>;

const readEntry = async (id: EntryId, { ledger }: Pick<Deps, 'ledger'>): Promise<LedgerEntry> => {
  const [entry] = await ledger.read([id]);
  if (!entry) throw new RequestNotFoundError(id.seq);
  return entry;
};

/** The owner reads a blocked head again when it looks. */
const wakeOwner = async (userId: string, deps: DecisionDeps): Promise<void> => {
  const [queue] = await deps.userQueues.get([userId]);
  if (queue) await wakeLane(queue.lane, userId, deps);
};

/**
 * Runs a request again: a blocked one in its place, a failed one at the end of the queue, once, for as long as it is a
 * dead letter. Of several decisions about one request at once exactly one wins.
 *
 * @throws {RequestNotFoundError} 404; {NotRetryableError} 409; and for a failed one what `acceptRequest` throws.
 */
export const retryRequest = async ({ sessionId, ...id }: RetryCommand, deps: AcceptDeps): Promise<Retried> => {
  const entry = await readEntry(id, deps);
  if (entry.status === 'blocked') return { kind: 'in-place', entry: await unblock(entry, deps) };
  if (entry.status !== 'failed') throw new NotRetryableError(id.seq, `it is ${entry.status}`);
  return { kind: 'again', accepted: await acceptAgain(entry, sessionId, deps) };
};

const unblock = async (entry: LedgerEntry, deps: AcceptDeps): Promise<LedgerEntry> => {
  if (!(await deps.ledger.unblock(entry))) {
    throw new NotRetryableError(entry.seq, 'somebody else has just decided about it');
  }
  await wakeOwner(entry.userId, deps);
  return readEntry(entry, deps);
};

/** No client's Idempotency-Key looks like it: those are ASCII. */
const retryKey = (seq: number): string => `↻${seq}`;

/**
 * Accepts first and takes it off the dead letters second: dying in between leaves a dead letter that whoever retries it
 * finds accepted already, by its key. In the other order its body would be lost from sight. The key lets only one of many
 * retries be recorded; the dead letter, which only one of them takes away, says which of them is told so.
 */
const acceptAgain = async (
  { userId, seq, body, limits, deadLetter, ...entry }: LedgerEntry,
  sessionId: string | undefined,
  deps: AcceptDeps,
): Promise<Accepted> => {
  if (!deadLetter || body === undefined) throw await refusal({ userId, seq }, deps);
  // One that ended its workers runs alone again from the start, instead of ending two more.
  const interruptions = deadLetter.reason === 'crashed' ? entry.interruptions : undefined;
  const command = { userId, sessionId, body, limits, interruptions, retryOf: seq, key: retryKey(seq) };
  const accepted = await acceptRequest(command, deps);
  if (!(await deps.ledger.dropDeadLetter({ userId, seq }))) throw await refusal({ userId, seq }, deps);
  return accepted;
};

const refusal = async ({ userId, seq }: EntryId, { ledger }: Pick<Deps, 'ledger'>): Promise<NotRetryableError> => {
  const again = await ledger.findByKey(userId, retryKey(seq));
  return new NotRetryableError(seq, again ? `it runs again as request ${again.seq}` : 'it was dropped');
};

/**
 * Passes a blocked request over: it is failed for good, stays a dead letter, and what waits behind it runs.
 *
 * @throws {RequestNotFoundError} 404; {NotBlockedError} 409
 */
export const skipRequest = async (id: EntryId, deps: DecisionDeps): Promise<LedgerEntry> => {
  const skipped = await deps.ledger.skip(id, deps.clock.now());
  const entry = await readEntry(id, deps);
  if (!skipped) throw new NotBlockedError(id.seq, entry.status);
  await wakeOwner(id.userId, deps);
  return entry;
};

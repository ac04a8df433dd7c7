/** What a person decides about a request that failed: to run it again, at once and not after its back-off, or to skip it. */
import type { Deps } from '../deps.ts';
import type { Hints } from '../ports.ts';
import type { Caller } from '../references.ts';
import { type EntryId, isInBackOff, type LedgerEntry } from '../types.ts';
import { wakeOwner } from '../wake.ts';
import { type AcceptDeps, type Accepted, acceptRequest } from './accept.ts';
import { NotBlockedError, NotRetryableError, RequestNotFoundError } from './errors.ts';
import { retryKey } from './repeat.ts';

export type RetryCommand = EntryId & Caller;

/** `again`: the body was accepted as a new request. */
type RetriedAgain = { kind: 'again'; accepted: Accepted };
/** `in-place`: the request itself is queued again: it was blocked, or its back-off was ended. */
export type Retried = { kind: 'in-place'; entry: LedgerEntry } | RetriedAgain;

type DecisionDeps = Pick<Deps, 'userQueues' | 'ledger' | 'publisher' | 'clock' | 'log'> & { hints?: Hints };

const readEntry = async ({ userId, seq }: EntryId, { ledger }: Pick<Deps, 'ledger'>): Promise<LedgerEntry> => {
  const [entry] = await ledger.read([{ userId, seq }]);
  if (!entry) throw new RequestNotFoundError(seq);
  return entry;
};

/**
 * Runs a request again: a blocked one in its place, one in its back-off in its place and at once, a failed one at the end of the
 * queue, once, while it is a dead letter. Of concurrent decisions about one request exactly one wins.
 *
 * @throws {RequestNotFoundError} 404; {NotRetryableError} 409; for a failed request also what `acceptRequest` throws.
 */
export const retryRequest = async (command: RetryCommand, deps: AcceptDeps): Promise<Retried> => {
  const retried = await retry(command, deps);
  return retried.kind === 'again' ? retried : { ...retried, entry: await readEntry(command, deps) };
};

/** The same for callers that do not need the entry afterwards. */
export const retry = async (command: RetryCommand, deps: AcceptDeps): Promise<{ kind: 'in-place' } | RetriedAgain> => {
  const entry = await readEntry(command, deps);
  if (entry.status === 'blocked' || isInBackOff(entry)) {
    await queueAgain(entry, deps);
    return { kind: 'in-place' };
  }
  if (entry.status !== 'failed') throw new NotRetryableError(command.seq, `it is ${entry.status}`);
  return { kind: 'again', accepted: await acceptAgain(entry, command, deps) };
};

const queueAgain = async (entry: LedgerEntry, { ledger, ...deps }: AcceptDeps): Promise<void> => {
  if (entry.status === 'blocked') {
    if (!(await ledger.unblock(entry))) throw new NotRetryableError(entry.seq, 'another decision about it came first');
  } else if (!(await ledger.endBackOff(entry))) {
    throw new NotRetryableError(entry.seq, 'its next attempt has started, or another decision about it came first');
  }
  await wakeOwner(entry.userId, deps);
};

/**
 * Accepts the body first and removes the dead letter second. A crash in between leaves a dead letter; its next retry finds by
 * the key that the request was accepted already. In the other order, a crash would leave the body in no list. The key lets only
 * one of several concurrent retries be recorded. Only one of them removes the dead letter, and that one has won.
 */
const acceptAgain = async (
  { userId, seq, body, limits, deadLetter, ...entry }: LedgerEntry,
  { seq: _, ...caller }: RetryCommand,
  deps: AcceptDeps,
): Promise<Accepted> => {
  if (!deadLetter || body === undefined) throw await refusal({ userId, seq }, deps);
  // A request whose workers ended with it runs isolated from the start, instead of ending two more.
  const interruptions = deadLetter.reason === 'failed' ? undefined : entry.interruptions;
  const again = { body, limits, interruptions, retryOf: seq, key: retryKey(seq), linkedTo: entry.traceparent };
  const accepted = await acceptRequest({ ...caller, ...again }, deps);
  if (!(await deps.ledger.dropDeadLetter({ userId, seq }))) throw await refusal({ userId, seq }, deps);
  return accepted;
};

const refusal = async ({ userId, seq }: EntryId, { ledger }: Pick<Deps, 'ledger'>): Promise<NotRetryableError> => {
  const again = await ledger.findByKey(userId, retryKey(seq));
  return new NotRetryableError(seq, again ? `it already runs again as request ${again.seq}` : 'it was dropped');
};

/**
 * Skips a request that is blocked or in its back-off: it fails finally and is a dead letter, and the requests behind it run.
 *
 * @throws {RequestNotFoundError} 404; {NotBlockedError} 409
 */
export const skipRequest = async (id: EntryId, deps: DecisionDeps): Promise<LedgerEntry> => {
  await skip(id, deps);
  return readEntry(id, deps);
};

const skip = async (id: EntryId, deps: DecisionDeps): Promise<void> => {
  if (await trySkip(id, deps)) return;
  const status = await deps.ledger.status(id);
  throw status ? new NotBlockedError(id.seq, status) : new RequestNotFoundError(id.seq);
};

/** Returns whether the request was skipped. */
export const trySkip = async (id: EntryId, deps: DecisionDeps): Promise<boolean> => {
  const skipped = await deps.ledger.skip(id, deps.clock.now());
  if (skipped) await wakeOwner(id.userId, deps);
  return skipped;
};

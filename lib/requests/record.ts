/** Enqueue steps 3 to 5: the requests of one ticket become ledger entries, in their order, and their owner hears of them. */
import { BrokerRefusedError, BrokerUnavailableError } from '../errors.ts';
import { maxMessageBodyBytes } from '../limits.ts';
import { logSampled } from '../log-sampled.ts';
import type { Duplicate, NewEntry } from '../ports.ts';
import { traceIdOf } from '../traceparent.ts';
import type { LedgerEntry, RequestMessage, Ticket } from '../types.ts';
import { wakeLane } from '../wake.ts';
import type { AcceptDeps, InSpan } from './accept.ts';

type Request = Pick<NewEntry, 'key' | 'limits' | 'retryOf' | 'interruptions' | 'traceparent'> & { body: string };
type Entry = NewEntry & Request & { bytes: number };

/** `known`: another request has the key. `fenced`: this request needs another ticket, because a tombstone came first, or to keep its order. */
export type Recorded = { kind: 'recorded'; seq: number } | { kind: 'known'; entry: LedgerEntry } | { kind: 'fenced' };

const entriesOf = (userId: string, requests: Request[], ticket: Ticket, acceptedAt: Date): Entry[] => {
  const sizes = requests.map(({ body }) => Buffer.byteLength(body));
  let bytesThrough = ticket.bytesThrough - sizes.reduce((sum, bytes) => sum + bytes, 0);
  return requests.map(({ key, body, limits, retryOf, interruptions, traceparent }, index) => {
    const bytes = sizes[index] ?? 0;
    bytesThrough += bytes;
    const seq = ticket.first + index;
    return { userId, seq, key, body, bytes, bytesThrough, limits, retryOf, interruptions, traceparent, acceptedAt };
  });
};

/**
 * Returns what became of each request. From the first that is fenced on, all are: what comes later must not be recorded before it. So are all
 * behind one whose key another call has recorded under a higher `seq`: they must not run before that.
 *
 * @throws {StoreUnavailableError} the first ones may be recorded.
 */
export const recordInOrder = async (
  userId: string,
  requests: Request[],
  ticket: Ticket,
  deps: AcceptDeps & InSpan,
): Promise<Recorded[]> => {
  const entries = entriesOf(userId, requests, ticket, deps.clock.now());
  const { outcomes, recorded } = await recordUpToFence(entries, deps).catch(async (error) => {
    // Some may be recorded all the same: the owner reads in the ledger which. The caller has to know this error, and not that of the wake.
    await wakeLane(ticket.lane, userId, deps).catch(() => undefined);
    throw error;
  });
  deps.span?.event('recorded', { 'lanekeeper.requests': recorded.length });
  await announce(userId, recorded, ticket, deps);
  deps.span?.event(ticket.wasOpen ? 'published' : 'lane woken');
  return outcomes;
};

const recordUpToFence = async (
  entries: Entry[],
  deps: AcceptDeps,
): Promise<{ outcomes: Recorded[]; recorded: Entry[] }> => {
  const outcomes: Recorded[] = [];
  const recorded: Entry[] = [];
  while (outcomes.length < entries.length) {
    const rest = entries.slice(outcomes.length);
    const { inserted, refused } = await insert(rest, deps);
    recorded.push(...rest.slice(0, inserted));
    outcomes.push(...rest.slice(0, inserted).map(({ seq }) => ({ kind: 'recorded' as const, seq })));
    const entry = rest[inserted];
    if (!entry || !refused) break;
    const outcome = await (refused === 'duplicate-key' ? abandon(entry, deps) : readAgain(entry, deps));
    if (outcome.kind === 'recorded') recorded.push(entry);
    outcomes.push(outcome);
    if (!isFence(outcome, entry)) continue;
    const behind = rest.slice(inserted + 1);
    await Promise.all(behind.map((unused) => tombstone(unused, deps)));
    outcomes.push(...behind.map(() => ({ kind: 'fenced' as const })));
  }
  return { outcomes, recorded };
};

/** Whether the requests behind this one have to run later than its ticket says. */
const isFence = (outcome: Recorded, { seq }: Entry): boolean =>
  outcome.kind === 'fenced' || (outcome.kind === 'known' && outcome.entry.seq > seq);

const insert = async (entries: Entry[], { ledger }: AcceptDeps): Promise<{ inserted: number; refused?: Duplicate }> => {
  const [first, ...others] = entries;
  if (!first || others.length > 0) return ledger.insertInOrder(entries);
  const answer = await ledger.insert(first);
  return answer === 'inserted' ? { inserted: 1 } : { inserted: 0, refused: answer };
};

const tombstone = ({ userId, seq, bytes, bytesThrough }: Entry, { ledger, clock }: AcceptDeps): Promise<boolean> =>
  ledger.insertTombstone({ userId, seq, bytes, bytesThrough }, clock.now());

const abandon = async (entry: Entry, deps: AcceptDeps): Promise<Recorded> => {
  await tombstone(entry, deps);
  const other = entry.key === undefined ? undefined : await deps.ledger.findByKey(entry.userId, entry.key);
  if (!other) throw new Error(`The ledger refused the key of request ${entry.seq}, but has no request with that key.`);
  return { kind: 'known', entry: other };
};

/** Only the ticket's holder and a tombstone write its `seq`. Anything else is this very insert, sent twice by the driver. */
const readAgain = async ({ userId, seq, body, key }: Entry, { ledger }: AcceptDeps): Promise<Recorded> => {
  const [existing] = await ledger.read([{ userId, seq }]);
  if (!existing || existing.status === 'abandoned') return { kind: 'fenced' };
  if (existing.body === body && existing.key === key) return { kind: 'recorded', seq };
  throw new Error(`The ledger has another request with seq ${seq}: two tickets had the same seq.`);
};

/**
 * Publishes what was recorded to the user queue if it was open. If it was not, does not exist any more [R1], or does not take a message,
 * and for a large body, wakes the lane: the owner reads the requests from the ledger. A ticket that opened the queue wakes it also when
 * nothing was recorded: the owner must close the queue again.
 */
const announce = async (
  userId: string,
  entries: Entry[],
  { wasOpen, lane }: Ticket,
  deps: AcceptDeps,
): Promise<void> => {
  const last = entries.at(-1);
  if (last) deps.hints?.tell(lane, userId, last.seq);
  if (wasOpen) {
    const taken = await Promise.all(entries.map((entry) => publish(entry, deps)));
    if (!taken.includes(false)) return;
  }
  await wakeLane(lane, userId, deps);
};

/** False when the owner has to be woken instead. */
const publish = async ({ userId, seq, bytes, ...entry }: Entry, deps: AcceptDeps): Promise<boolean> => {
  const { body, bytesThrough, limits, interruptions, traceparent } = entry;
  if (bytes > maxMessageBodyBytes) return false;
  const acceptedAt = entry.acceptedAt.getTime();
  const message: RequestMessage = { seq, body, bytesThrough, limits, interruptions, traceparent, acceptedAt };
  try {
    return (await deps.publisher.publishRequest(userId, message)) === 'routed';
  } catch (error) {
    if (!(error instanceof BrokerUnavailableError)) throw error;
    if (error instanceof BrokerRefusedError) return false;
    logSampled(
      deps.log,
      'warn',
      { err: error, userId, seq, trace: traceIdOf(traceparent) },
      'request recorded but not published; the sweep will find it',
    );
    return true;
  }
};

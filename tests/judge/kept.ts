/** Guarantees 1 and 4: an accepted request is kept, and an Idempotency-Key stands for one request. */
import { isSettled } from '../../lib/types.ts';
import type { UserHistory } from './history.ts';
import type { Report } from './violation.ts';

/**
 * Whether a disconnect may have cancelled `seq`. A disconnect cancels what was there when the last session of the user
 * ended: no request that was sent after its answer, and no request of a session that lives on.
 */
const mayDisconnectCancel = ({ accepted, leaving, left }: UserHistory, seq: number): boolean => {
  const own = accepted.filter((event) => event.seq === seq);
  const sentAt = Math.min(...own.map((event) => event.sentAt ?? event.at));
  const endOf = (of: string) => left.find(({ session }) => session === of)?.at ?? Number.POSITIVE_INFINITY;
  return leaving.some(({ pending, session }) => {
    const until = endOf(session);
    const hasEnded = (of: string) => leaving.some((other) => other.session === of && other.at <= until);
    return pending === 'cancel' && sentAt <= until && own.some((event) => !event.session || hasEnded(event.session));
  });
};

const mayBeCancelled = (user: UserHistory, seq: number): boolean =>
  [...user.cancelled, ...user.cancelAsked].some((event) => event.seq === seq) || mayDisconnectCancel(user, seq);

/** `accepted`: the highest `seq` that was given out. */
export const judgeKept = (user: UserHistory, accepted: number, report: Report): void => {
  const entries = new Map(user.entries.map((entry) => [entry.seq, entry]));
  const acceptedSeqs = new Set(user.accepted.map((event) => event.seq));
  for (const seq of acceptedSeqs) {
    const entry = entries.get(seq);
    const kept = entry && isSettled(entry) && entry.status !== 'abandoned';
    if (kept && entry.status === 'cancelled' && !mayBeCancelled(user, seq)) {
      report('loss', seq, 'accepted, then cancelled although no client asked for it');
    }
    if (!kept) report('loss', seq, `accepted, the ledger has ${entry?.status ?? 'no entry'}`);
  }
  for (const entry of user.entries) {
    if (!isSettled(entry) && !acceptedSeqs.has(entry.seq)) report('unsettled', entry.seq, `left as ${entry.status}`);
  }
  const highest = Math.max(accepted, ...entries.keys());
  for (let seq = 1; seq <= highest; seq++) if (!entries.has(seq)) report('gap', seq, 'no ledger entry');
};

export const judgeKeys = (user: UserHistory, report: Report): void => {
  const live = user.entries.filter((entry) => entry.status !== 'abandoned');
  for (const [key, uses] of Map.groupBy([...live, ...user.accepted], (use) => use.key)) {
    const seqs = new Set(uses.map((use) => use.seq));
    if (key !== undefined && seqs.size > 1) {
      report('same-key', undefined, `${key} stands for the requests ${[...seqs].join(' and ')}`);
    }
  }
};

/** Every failed request can be found: it is dead-lettered or was retried as another request, once. */
export const judgeDeadLetters = (user: UserHistory, report: Report): void => {
  const live = user.entries.filter(({ status }) => status !== 'abandoned');
  const again = Map.groupBy(live, ({ retryOf }) => retryOf);
  for (const { seq, status, deadLetter } of live) {
    const retries = again.get(seq) ?? [];
    if (retries.length > 1) report('dead-letter', seq, `retried ${retries.length} times`);
    if (status === 'failed' && !deadLetter && retries.length === 0) {
      report('dead-letter', seq, 'failed, but neither dead-lettered nor retried');
    }
  }
};

/** What an owner learns about a loaded user when it reads the ledger. */
import { isSettled, type WorkEntry } from '../types.ts';
import type { HeldBody } from './body-budget.ts';
import { fromEntry, mustWait } from './held-requests.ts';
import { advancePast, type LoadedUser, noteMissing } from './loaded-user.ts';
import type { Moment } from './moment.ts';

/** The lender's time is counted here, from when its request was first found lent out. */
const startLoan = (user: LoadedUser, now: number): void => {
  const { lent } = user;
  if (!lent?.forMs || lent.until !== undefined || !user.held.get(user.next)?.lent) return;
  user.lent = { ...lent, until: now + lent.forMs };
};

/** An entry that has lost its body fails as a request that is not JSON: its user must not wait for it. */
const bodyFor = (user: LoadedUser, { seq, body }: WorkEntry, free?: () => void): HeldBody | undefined => {
  if (free) return { text: body ?? '', free };
  return body === undefined ? undefined : user.bodies.hold(body, seq === user.next);
};

/**
 * What the ledger says about the requests from `next` to `last`: settled ones are skipped, the others are held.
 *
 * @param free gives the room of a body back that was read for a user with a slot. Without it a body needs room of its own.
 */
export const noteEntries = (
  user: LoadedUser,
  last: number,
  entries: WorkEntry[],
  now: Moment,
  free?: () => void,
): void => {
  user.wasRead = true;
  const bySeq = new Map(entries.map((entry) => [entry.seq, entry]));
  for (let entry = bySeq.get(user.next); entry && isSettled(entry); entry = bySeq.get(user.next)) {
    advancePast(user, entry, now.ms);
  }
  if (!bySeq.has(user.next) && user.next <= last) {
    // Its message, if there was one, says what the ledger does not.
    user.held.drop(user.next);
    noteMissing(user, now.ms);
  }
  for (const entry of entries) {
    const { seq } = entry;
    if (isSettled(entry) || seq < user.next) continue;
    const request = user.held.withKnownBackOff(seq, fromEntry(entry, user.lent, now));
    // It may wait for longer than a message may be held, and its body is not needed until then. The ledger has both.
    const waits = mustWait(request, now.ms);
    if (waits) user.held.drop(seq);
    user.held.set(seq, request, waits ? undefined : bodyFor(user, entry, free));
  }
  startLoan(user, now.ms);
};

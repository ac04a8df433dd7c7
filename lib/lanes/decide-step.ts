/** What to do next for a loaded user: pure decisions over the record of loaded-user.ts. */
import { type HeldRequest, mustWait } from './held-requests.ts';
import { hasWork, type LoadedUser } from './loaded-user.ts';

/**
 * - `run`: run `next`.
 * - `read`: ask the ledger about `next` and what follows.
 * - `write-tombstone`: `next` has no ledger entry and its function is taken for dead.
 * - `wait`: until a time on the monotonic clock; `decideStep` is asked again then.
 * - `begin-close`, `end-close`: the first and the last step of closing the user queue [R8, R9].
 * - `end-loan`: the time of the worker that still runs `next` is over [R11].
 * - `none`: wait for a message, a wake or a refresh.
 */
export type Step =
  | { kind: 'run'; request: HeldRequest }
  | { kind: 'read' }
  | { kind: 'write-tombstone' }
  | { kind: 'wait'; until: number }
  | { kind: 'begin-close'; onlyWithoutSession: boolean }
  | { kind: 'end-close' }
  | { kind: 'end-loan' }
  | { kind: 'none' };

export type StepLimits = { gapTimeoutMs: number; idleTimeoutMs: number; stuckAfterMs: number };

/** How many reads look for a missing `next` within `gapTimeoutMs`. */
const gapReads = 4;

/** For a user without a step under way. `now` is on the monotonic clock, like every time in `LoadedUser`. */
export const decideStep = (user: LoadedUser, now: number, limits: StepLimits): Step => {
  if (!hasWork(user)) return decideClose(user, now, limits);
  const request = user.held.get(user.next);
  if (request && mustWait(request, now)) return decideWaiting(user, request, now, limits);
  if (request) return { kind: 'run', request };
  return decideGap(user, now, limits);
};

/** A person's decision wakes the lane, and so does the end of a lent run [R12], but a wake can be lost: it is read again at times. */
const decideWaiting = ({ lent }: LoadedUser, request: HeldRequest, now: number, { stuckAfterMs }: StepLimits): Step => {
  if (request.lent && lent?.until !== undefined && lent.until <= now) return { kind: 'end-loan' };
  const readAt = request.heldSince + stuckAfterMs;
  if (readAt <= now) return { kind: 'read' };
  const waitsUntil = request.lent ? lent?.until : request.retryAt;
  return { kind: 'wait', until: Math.min(readAt, waitsUntil ?? readAt) };
};

/** The function of a missing request is between ticket and record, or dead. */
const decideGap = ({ gap, taken }: LoadedUser, now: number, { gapTimeoutMs }: StepLimits): Step => {
  if (!gap) return { kind: 'read' };
  const lastsUntil = taken.since + gapTimeoutMs;
  if (lastsUntil <= now) return { kind: 'write-tombstone' };
  const readAt = gap.readAt + Math.ceil(gapTimeoutMs / gapReads);
  return readAt <= now ? { kind: 'read' } : { kind: 'wait', until: Math.min(readAt, lastsUntil) };
};

const decideClose = (user: LoadedUser, now: number, { idleTimeoutMs }: StepLimits): Step => {
  if (user.refreshDue || user.queue === 'opening') return { kind: 'none' };
  if (user.closeAfter > now) return { kind: 'wait', until: user.closeAfter };
  if (user.closing) return { kind: 'end-close' };
  if (user.drain) return { kind: 'begin-close', onlyWithoutSession: true };
  const idleUntil = user.idleSince + idleTimeoutMs;
  return idleUntil <= now ? { kind: 'begin-close', onlyWithoutSession: false } : { kind: 'wait', until: idleUntil };
};

/** What to do next for a loaded user: pure decisions over the record of loaded-user.ts. */
import type { HeldRequest } from './held-requests.ts';
import { hasWork, type LoadedUser } from './loaded-user.ts';

/**
 * - `run`: run `next`.
 * - `read`: ask the ledger about `next` and what follows.
 * - `write-tombstone`: `next` has no ledger entry and its function is taken for dead.
 * - `wait`: for a time; `decideStep` is asked again then.
 * - `begin-close`, `end-close`: the first and the last step of closing the user queue [R8, R9].
 * - `end-loan`: the time of the worker that still runs `next` is over [R11].
 * - `none`: wait for a message, a wake or a refresh.
 */
export type Step =
  | { kind: 'run'; request: HeldRequest }
  | { kind: 'read' }
  | { kind: 'write-tombstone' }
  | { kind: 'wait'; until: Date }
  | { kind: 'begin-close'; onlyWithoutSession: boolean }
  | { kind: 'end-close' }
  | { kind: 'end-loan' }
  | { kind: 'none' };

export type StepLimits = { gapTimeoutMs: number; idleTimeoutMs: number; stuckAfterMs: number };

/** How many reads must find `next` missing before a tombstone is written, spread over `gapTimeoutMs`. */
const gapReads = 4;

/** For a user without a step under way. */
export const decideStep = (user: LoadedUser, now: Date, limits: StepLimits): Step => {
  if (!hasWork(user)) return decideClose(user, now, limits);
  const request = user.held.get(user.next);
  if (request?.blocked) return decideBlocked(request, now, limits);
  if (request?.lent) return decideLent(user, request, now, limits);
  if (request?.retryAt && request.retryAt > now) return { kind: 'wait', until: request.retryAt };
  if (request) return { kind: 'run', request };
  return decideGap(user, now, limits);
};

/** A retry or a skip wakes the lane, but a wake can be lost. */
const decideBlocked = ({ heldSince }: HeldRequest, now: Date, { stuckAfterMs }: StepLimits): Step => {
  const due = new Date(heldSince.getTime() + stuckAfterMs);
  return due <= now ? { kind: 'read' } : { kind: 'wait', until: due };
};

/** The end of a lent run wakes the lane [R12], but a wake can be lost. */
const decideLent = ({ lent }: LoadedUser, request: HeldRequest, now: Date, limits: StepLimits): Step => {
  if (!lent || (lent.until && lent.until <= now)) return { kind: 'end-loan' };
  const step = decideBlocked(request, now, limits);
  return step.kind === 'wait' && lent.until && lent.until < step.until ? { kind: 'wait', until: lent.until } : step;
};

/** The function of a missing request is between ticket and record, or dead. */
const decideGap = ({ gap }: LoadedUser, now: Date, { gapTimeoutMs }: StepLimits): Step => {
  if (!gap) return { kind: 'read' };
  const reads = Math.min(gap.reads, gapReads);
  const due = new Date(gap.since.getTime() + Math.ceil((gapTimeoutMs * reads) / gapReads));
  if (due > now) return { kind: 'wait', until: due };
  return { kind: reads < gapReads ? 'read' : 'write-tombstone' };
};

const decideClose = (user: LoadedUser, now: Date, { idleTimeoutMs }: StepLimits): Step => {
  if (user.refreshDue || user.queue === 'opening') return { kind: 'none' };
  if (user.closeAfter > now) return { kind: 'wait', until: user.closeAfter };
  if (user.closing) return { kind: 'end-close' };
  if (user.drain) return { kind: 'begin-close', onlyWithoutSession: true };
  const idleUntil = new Date(user.idleSince.getTime() + idleTimeoutMs);
  return idleUntil <= now ? { kind: 'begin-close', onlyWithoutSession: false } : { kind: 'wait', until: idleUntil };
};

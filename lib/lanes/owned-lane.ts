import type { LedgerEntry } from '../types.ts';

/** What the work for a user needs to know about the lane hold that the user belongs to. */
export type OwnedLane = {
  readonly lane: number;
  /** The fencing token; 0 before the lease is taken. */
  readonly token: number;
  /** Aborted when the lane is released, or when a stopping worker's grace period is over. */
  readonly signal: AbortSignal;
  /** New steps may start: the lane is owned and not being handed over. */
  readonly mayStart: () => boolean;
  /** The lane is neither given up nor released: steps under way may go on. */
  readonly isHeld: () => boolean;
  /** Gives the lane up, because it belongs to another worker or cannot be worked on. No step goes on from now on. */
  readonly lose: (reason: string, error?: unknown) => void;
};

/**
 * A token above ours, in any entry of the lane's users, settled ones too, shows that another worker owns the lane after us. An
 * owner that only skipped such an entry would go on to claim the next one under its stale token [R7].
 */
export const loseToLaterOwner = (lane: OwnedLane, entries: Pick<LedgerEntry, 'seq' | 'token'>[]): void => {
  const later = entries.find(({ token = 0 }) => token > lane.token);
  if (later) lane.lose(`request ${later.seq} was claimed with the later fencing token ${later.token}`);
};

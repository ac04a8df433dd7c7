import type { LaneChannel } from '../ports.ts';
import type { LedgerEntry } from '../types.ts';
import type { LoadedUser } from './user-state.ts';

/** What the work for a user needs of the lane that the user belongs to. */
export type OwnedLane = {
  token(): number;
  channel(): LaneChannel;
  /** New steps may begin: the lane is owned and not being handed over. */
  mayStart(): boolean;
  /** The lane is not lost: what is under way may go on. */
  isHeld(): boolean;
  /** Aborted when the lane is lost, or when a stopping worker's grace is over. */
  signal(): AbortSignal;
  isLoaded(user: LoadedUser): boolean;
  forget(user: LoadedUser): void;
  look(userId: string): void;
  lose(reason: string, error?: unknown): void;
  /** A step of a user begins or has ended: a hand-over waits for all of them. */
  stepBegins(): void;
  stepEnds(): void;
};

/**
 * A token above our own, in whatever entry of the lane's users, settled ones too, says that somebody owns the lane after us.
 * An owner that only skipped such an entry would go on to claim the next one under its stale token [R7].
 */
export const loseToLaterOwner = (lane: OwnedLane, entries: LedgerEntry[]): void => {
  const later = entries.find(({ token = 0 }) => token > lane.token());
  if (later) lane.lose(`request ${later.seq} was claimed with the later fencing token ${later.token}`);
};

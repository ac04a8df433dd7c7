import type { LaneChannel } from '../ports.ts';
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

/** What is asked of MongoDB about lanes. Methods reject as those of the other stores. */

/** A lane got a new owner, under this lease. */
export type LaneMove = { lease: number; owner: string; at: Date };

/** `owner`: the worker that took the lease, unless the lane was taken away since. `moves`: the last ones, oldest first. */
export type LaneRecord = { lane: number; lease: number; owner?: string; moves: LaneMove[] };

export interface LaneStore {
  /** Step 1 of acquiring a lane: adds one to the lease, and notes the move. The new value is the fencing token. */
  takeLease(lane: number, workerId: string, now: Date): Promise<number>;
  /** Whether this call is the one that takes the lane away from this worker: it was the last that took the lease, and nobody has taken the lane away since. */
  takeAway(lane: number, workerId: string): Promise<boolean>;
  /** Undoes `takeAway`, unless another worker has taken the lease since. */
  giveBack(lane: number, workerId: string): Promise<void>;
  /** The leases of these lanes; 0 for a lane that was never acquired. */
  leases(lanes: number[]): Promise<Map<number, number>>;
  /** All lanes that were ever acquired. */
  known(): Promise<number[]>;
  /** The same with what is recorded of each, in their order. A lane that an earlier version took last lacks that move. */
  all(): Promise<LaneRecord[]>;
  /** The last moves of a lane, oldest first. */
  moves(lane: number): Promise<LaneMove[]>;
}

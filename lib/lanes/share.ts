/** One worker's share of the lanes: how many it should own, and whether it keeps a lane that RabbitMQ offers it. */
import type { Clock, Heartbeat } from '../ports.ts';

/** The most lanes that one of `workers` workers should own. */
export const fairShare = (lanes: number, workers: number): number => Math.ceil(lanes / Math.max(1, workers));

/**
 * The share of one of the workers that are known by name. These shares add up to the number of lanes, so that a remainder of the
 * division leaves no worker without lanes. `undefined` for a worker that is not among them.
 */
export const exactShare = (lanes: number, workerIds: string[], workerId: string): number | undefined => {
  const place = workerIds.toSorted().indexOf(workerId);
  if (place < 0) return undefined;
  return Math.floor(lanes / workerIds.length) + (place < lanes % workerIds.length ? 1 : 0);
};

/** A lane that is offered again this soon is kept: no worker with fewer lanes stands by on it at the moment. */
const passAgainMs = 1_000;

export type Share = {
  /** The current heartbeats of all workers. Those that stop stand by on no lane. */
  noteHeartbeats(heartbeats: Heartbeat[]): void;
  /** How many lanes this worker should own when `consumers` workers are subscribed to each. */
  size(consumers: number): number;
  /**
   * Whether the worker keeps a lane that RabbitMQ offers it. RabbitMQ offers a lane to the worker that has stood by longest, not
   * to the one with the fewest lanes: a worker that has its share passes the lane on.
   */
  take(lane: number, consumers: number): boolean;
  release(lane: number): void;
};

export const createShare = (clock: Pick<Clock, 'monotonicMs'>, workerId: string, laneCount: () => number): Share => {
  const taken = new Set<number>();
  const passedAt = new Map<number, number>();
  let workerIds: string[] = [];

  const size = (consumers: number): number => {
    const exact = workerIds.length === consumers ? exactShare(laneCount(), workerIds, workerId) : undefined;
    return exact ?? fairShare(laneCount(), consumers);
  };

  const hasPassed = (lane: number, now: number): boolean => {
    const at = passedAt.get(lane);
    return at !== undefined && now - at < passAgainMs;
  };

  return {
    noteHeartbeats(heartbeats) {
      workerIds = heartbeats.filter(({ stopping }) => !stopping).map((heartbeat) => heartbeat.workerId);
    },
    size,
    take(lane, consumers) {
      const now = clock.monotonicMs();
      if (taken.size >= size(consumers) && !hasPassed(lane, now)) {
        passedAt.set(lane, now);
        return false;
      }
      passedAt.delete(lane);
      taken.add(lane);
      return true;
    },
    release: (lane) => void taken.delete(lane),
  };
};

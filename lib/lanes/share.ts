/** One worker's part of the lanes: how many it should own, and whether one that is delivered to it is for another. */
import type { Clock, Heartbeat } from '../ports.ts';

/** The part of `lanes` that one of `workers` should own at most. */
export const fairShare = (lanes: number, workers: number): number => Math.ceil(lanes / Math.max(1, workers));

/**
 * The part of one of the workers that are known by name: the parts add up to the lanes, so that nobody is left without because
 * the division leaves a rest. Undefined for one that is not among them.
 */
export const exactShare = (lanes: number, workerIds: string[], workerId: string): number | undefined => {
  const place = workerIds.toSorted().indexOf(workerId);
  if (place < 0) return undefined;
  return Math.floor(lanes / workerIds.length) + (place < lanes % workerIds.length ? 1 : 0);
};

/** A lane that comes back so soon is taken: whoever has fewer does not stand by on it at the moment. */
const passAgainMs = 1_000;

export type Share = {
  /** What the workers have said of themselves of late. */
  hear(signs: Heartbeat[]): void;
  /** How many lanes this worker should own, when so many workers stand by on each. */
  size(consumers: number): number;
  /**
   * Whether the worker takes a lane that is delivered to it. RabbitMQ offers it to whoever has waited longest, which is not who
   * has fewest: a worker that has its share passes it on.
   */
  take(lane: number, consumers: number): boolean;
  release(lane: number): void;
};

export const createShare = (clock: Pick<Clock, 'now'>, workerId: string, laneCount: () => number): Share => {
  const taken = new Set<number>();
  const passedAt = new Map<number, number>();
  let workerIds: string[] = [];

  const size = (consumers: number): number => {
    const exact = workerIds.length === consumers ? exactShare(laneCount(), workerIds, workerId) : undefined;
    return exact ?? fairShare(laneCount(), consumers);
  };

  const hasPassed = (lane: number, now: number): boolean => {
    const at = passedAt.get(lane);
    return at !== undefined && at <= now && now - at < passAgainMs;
  };

  return {
    hear(signs) {
      workerIds = signs.map((sign) => sign.workerId);
    },
    size,
    take(lane, consumers) {
      const now = clock.now().getTime();
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

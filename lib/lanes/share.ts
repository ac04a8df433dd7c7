/** One worker's share of the lanes: how many it should own, and whether it keeps a lane that RabbitMQ offers it. */
import type { Clock, Heartbeat } from '../ports.ts';
import { partOf } from './part-of.ts';

/** The most lanes that one of `workers` workers should own. */
export const fairShare = (lanes: number, workers: number): number => Math.ceil(lanes / Math.max(1, workers));

/**
 * The share of one of the workers that are known by name. These shares add up to the number of lanes, so that a remainder of the
 * division leaves no worker without lanes. `undefined` for a worker that is not among them.
 */
export const exactShare = (
  lanes: number,
  places: ReadonlyMap<string, number>,
  workerId: string,
): number | undefined => {
  const place = places.get(workerId);
  return place === undefined ? undefined : partOf(lanes, places.size, place);
};

/** The place of each worker among all, the same for whoever asks. */
export const placesOf = (workerIds: string[]): ReadonlyMap<string, number> =>
  new Map(workerIds.toSorted().map((workerId, place) => [workerId, place]));

/** A lane that is offered again this soon is kept: no worker with fewer lanes stands by on it at the moment. */
const passAgainMs = 1_000;

/** How many workers are subscribed to a lane. `undefined`: RabbitMQ does not say it, and the heartbeats decide. */
type Consumers = number | undefined;

export type Share = {
  /** The current heartbeats of all workers. Those that are away stand by on no lane. */
  noteHeartbeats(heartbeats: Heartbeat[]): void;
  /** How many lanes this worker should own when `consumers` workers are subscribed to each. */
  size(consumers: Consumers): number;
  /**
   * Whether the worker keeps a lane that RabbitMQ offers it. RabbitMQ offers a lane to the worker that has stood by longest, not
   * to the one with the fewest lanes: a worker that has its share passes the lane on.
   */
  take(lane: number, consumers: Consumers): boolean;
  release(lane: number): void;
};

export const createShare = (clock: Pick<Clock, 'monotonicMs'>, workerId: string, laneCount: () => number): Share => {
  const taken = new Set<number>();
  const passedAt = new Map<number, number>();
  let standingBy: Heartbeat[] = [];
  // Known once for each reading of the heartbeats: with many workers, a lane may be offered hundreds of times.
  let places = placesOf([]);
  let isAnotherShort = false;

  const exactOf = (id: string): number | undefined => exactShare(laneCount(), places, id);

  const size = (consumers: Consumers): number => {
    const areAllHeard = consumers === undefined || consumers === standingBy.length;
    // Without an exact share this worker's own heartbeat is not among those that were read.
    return (areAllHeard ? exactOf(workerId) : undefined) ?? fairShare(laneCount(), consumers ?? standingBy.length + 1);
  };

  /** A worker that has died is still heard for a moment, with all of its lanes: nobody waits for it to take another one. */
  const findAnotherShort = (): boolean =>
    standingBy.some((other) => other.workerId !== workerId && other.lanes.length < (exactOf(other.workerId) ?? 0));

  const hasPassed = (lane: number, now: number): boolean => {
    const at = passedAt.get(lane);
    return at !== undefined && now - at < passAgainMs;
  };

  return {
    noteHeartbeats(heartbeats) {
      standingBy = heartbeats.filter(({ away }) => !away);
      places = placesOf(standingBy.map((heartbeat) => heartbeat.workerId));
      isAnotherShort = findAnotherShort();
    },
    size,
    take(lane, consumers) {
      const now = clock.monotonicMs();
      const isWantedElsewhere = consumers !== undefined || isAnotherShort;
      if (taken.size >= size(consumers) && isWantedElsewhere && !hasPassed(lane, now)) {
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

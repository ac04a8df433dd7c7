/**
 * Finds workers that stand still sooner than RabbitMQ's heartbeat can, whose shortest interval is a second, and takes their lanes away:
 * it deletes the lane, so that every consumer is cancelled. The workers that stood by declare it again, and one of them acquires it.
 */
import { heartbeatEveryMs } from '../heartbeat-times.ts';
import type { Clock, Heartbeat } from '../ports.ts';
import type { LaneDeps } from './context.ts';
import { every } from './periodic-task.ts';

/** From this time on RabbitMQ finds a frozen worker itself, and nobody else looks. */
const brokerFindsWithinMs = 3_000;
/** How many heartbeats a worker writes in the time within which it must be found. */
const beatsInTime = 16;
/** So many missing beats make it frozen. The others are for the beat before, and for the look that finds it. */
const beatsMissed = 12;
/** Of the time between two looks at most so many beats count: a worker that was itself held up knows no more than that of the others. */
const longestLookBeats = 2;
/** While this worker's own heartbeat is so late, MongoDB may take none of anybody's. */
const ownLateBeats = 4;
/** The lanes of a frozen worker are taken so often, so many beats apart: whoever won one may not have been able to delete it. */
const tries = 3;
const beatsBetweenTries = 4;

/** How often a worker writes its heartbeat. */
export const beatMsOf = (frozenAfterMs: number): number =>
  frozenAfterMs < brokerFindsWithinMs ? frozenAfterMs / beatsInTime : heartbeatEveryMs;

type Seen = { at: number; silentMs: number; tries: number };

/** How long the heartbeat of each worker has not changed, as one other worker sees it. */
export class Silences {
  readonly #workerId: string;
  readonly #beatMs: number;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #seen = new Map<string, Seen>();
  #lookedMs: number;

  constructor(workerId: string, beatMs: number, clock: Pick<Clock, 'monotonicMs'>) {
    this.#workerId = workerId;
    this.#beatMs = beatMs;
    this.#clock = clock;
    this.#lookedMs = clock.monotonicMs();
  }

  /**
   * The workers that are found to stand still now. Each is returned a few times, until it is heard again. While this worker's own heartbeat
   * does not arrive, nothing is known of the others: MongoDB takes no heartbeats.
   */
  note(heartbeats: Heartbeat[]): Heartbeat[] {
    const now = this.#clock.monotonicMs();
    const sinceLastMs = Math.min(now - this.#lookedMs, longestLookBeats * this.#beatMs);
    this.#lookedMs = now;
    for (const { workerId, at } of heartbeats) this.#noteOne(workerId, at.getTime(), sinceLastMs);
    const own = this.#seen.get(this.#workerId);
    if (!own || own.silentMs > ownLateBeats * this.#beatMs) {
      this.#seen.clear();
      return [];
    }
    return heartbeats.filter((heartbeat) => this.#isFound(heartbeat));
  }

  #noteOne(workerId: string, at: number, sinceLastMs: number): void {
    const before = this.#seen.get(workerId);
    if (before?.at === at) before.silentMs += sinceLastMs;
    else this.#seen.set(workerId, { at, silentMs: 0, tries: 0 });
  }

  /** While `FROZEN_AFTER_MS` is changed, the other worker may write less often than this one. An older version does not say how often. */
  #isFound({ workerId, lanes, away, gone, beatMs = heartbeatEveryMs }: Heartbeat): boolean {
    const seen = this.#seen.get(workerId);
    if (!seen || seen.tries === tries || away || gone || lanes.length === 0) return false;
    const missed = beatsMissed + seen.tries * beatsBetweenTries;
    if (seen.silentMs <= missed * Math.max(this.#beatMs, beatMs)) return false;
    seen.tries += 1;
    return true;
  }
}

type FrozenDeps = Pick<LaneDeps, 'clock' | 'log' | 'workers' | 'lanes' | 'laneBroker'> & {
  config: Pick<LaneDeps['config'], 'frozenAfterMs'>;
};

/** One worker at most deletes the lane, and only while the frozen one is the last that acquired it. */
const takeLane = async (lane: number, workerId: string, { lanes, laneBroker }: FrozenDeps): Promise<boolean> => {
  if (!(await lanes.takeAway(lane, workerId))) return false;
  try {
    await laneBroker.deleteLane(lane);
  } catch (error) {
    // Another worker may reach RabbitMQ.
    await lanes.giveBack(lane, workerId);
    throw error;
  }
  return true;
};

/** Never rejects: a lane that cannot be taken must not keep the others. */
const takeAway = async ({ workerId, lanes }: Heartbeat, deps: FrozenDeps): Promise<void> => {
  const { log } = deps;
  const taken = await Promise.allSettled(lanes.map((lane) => takeLane(lane, workerId, deps)));
  const count = taken.filter((one) => one.status === 'fulfilled' && one.value).length;
  const failed = taken.filter((one) => one.status === 'rejected');
  if (count > 0)
    log.warn({ frozenWorkerId: workerId, lanes: count }, 'took the lanes of a worker that stands still away');
  if (failed.length > 0)
    log.warn(
      { frozenWorkerId: workerId, lanes: failed.length, err: failed[0]?.reason },
      'could not take all lanes of a worker that stands still away',
    );
};

/**
 * Looks until the signal aborts, when `FROZEN_AFTER_MS` is shorter than what RabbitMQ needs.
 *
 * @param standsBy a worker that RabbitMQ does not answer could not delete a lane.
 */
export const watchFrozenWorkers = async (
  deps: FrozenDeps,
  workerId: string,
  standsBy: () => boolean,
  signal: AbortSignal,
): Promise<void> => {
  const { clock, workers, config } = deps;
  if (config.frozenAfterMs >= brokerFindsWithinMs) return;
  const beatMs = beatMsOf(config.frozenAfterMs);
  const silences = new Silences(workerId, beatMs, clock);
  await every(deps, beatMs, signal, async () => {
    if (!standsBy()) return;
    const frozen = silences.note(await workers.all());
    await Promise.all(frozen.map((one) => takeAway(one, deps)));
  });
};

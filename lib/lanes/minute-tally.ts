/** What a worker adds to the minutes that `GET /overview` shows, how much it settled and how long requests waited, and how often something happened. */
import type { LaneObserver, MinuteCounts, Moves, WorkerStore } from '../ports.ts';
import { bucketOf, emptyWaits } from '../wait-buckets.ts';
import type { LaneHold } from './lane-hold.ts';

const minuteMs = 60_000;

const empty = (): MinuteCounts => ({ started: 0, done: 0, failed: 0, waits: emptyWaits() });

export class MinuteTally {
  readonly #minutes = new Map<number, MinuteCounts>();
  readonly #moves: Moves = { users: 0, deadLetters: 0 };

  /** Counts what the observer hears, and passes it on. */
  observe(observer: LaneObserver): LaneObserver {
    return {
      ...observer,
      runStarted: (event) => {
        this.#moves.users += 1;
        // A later attempt has waited for its back-off.
        if (event.attempt === 1) this.#noteStart(event.at, event.at.getTime() - event.acceptedAt.getTime());
        observer.runStarted(event);
      },
      runEnded: (event) => {
        this.#moves.users += 1;
        observer.runEnded(event);
      },
      settled: (event) => {
        if (event.status === 'done') this.#at(event.at).done += 1;
        else if (event.status === 'failed') this.#at(event.at).failed += 1;
        observer.settled(event);
      },
      deadLettered: (event) => {
        this.#moves.deadLetters += 1;
        observer.deadLettered(event);
      },
    };
  }

  /** Together with how far the queues of the users of these lanes are. */
  moves(lanes: Pick<LaneHold, 'users'>[]): Moves {
    let { users: moves, deadLetters } = this.#moves;
    for (const lane of lanes) for (const { next, known } of lane.users.all()) moves += next + known;
    return { users: moves, deadLetters };
  }

  /** Writes down what was counted since the last call. What MongoDB does not take is lost: sent again, it might count twice. */
  async flush(workers: Pick<WorkerStore, 'addToMinute'>): Promise<void> {
    const counted = [...this.#minutes];
    this.#minutes.clear();
    await Promise.all(counted.map(([at, counts]) => workers.addToMinute(new Date(at), counts)));
  }

  #noteStart(at: Date, waitedMs: number): void {
    const counts = this.#at(at);
    counts.started += 1;
    const bucket = bucketOf(waitedMs);
    counts.waits[bucket] = (counts.waits[bucket] ?? 0) + 1;
  }

  #at(time: Date): MinuteCounts {
    const minute = Math.floor(time.getTime() / minuteMs) * minuteMs;
    const counts = this.#minutes.get(minute) ?? empty();
    this.#minutes.set(minute, counts);
    return counts;
  }
}

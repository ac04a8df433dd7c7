/** One client that watches a state. It is told the newest one when it takes it: nothing piles up for a slow client. */
import type { PlaceOwner } from '../places.ts';
import type { Clock, FeedEvent, Snapshot, StreamEnd } from '../ports.ts';
import { Bell } from './bell.ts';

type WatcherOptions = {
  who: PlaceOwner;
  /** Aborts when the client has gone. */
  signal: AbortSignal | undefined;
  /** The version that the client has. */
  known: string | undefined;
  latest: Snapshot;
  clock: Pick<Clock, 'monotonicMs' | 'after'>;
  /** It has ended. */
  left(): void;
};

type EventOptions = { heartbeatMs: number; maxAgeMs: number; taken(): void };

export class Watcher {
  readonly asOperator = true;
  readonly who: PlaceOwner;
  readonly #options: WatcherOptions;
  readonly #bell = new Bell();
  #known: string | undefined;
  #latest: Snapshot;
  #ended: StreamEnd | undefined;

  constructor(options: WatcherOptions) {
    this.who = options.who;
    this.#options = options;
    this.#known = options.known;
    this.#latest = options.latest;
    options.signal?.addEventListener('abort', this.#gone);
    if (options.signal?.aborted) this.#ended = 'gone';
  }

  get ended(): StreamEnd | undefined {
    return this.#ended;
  }

  /** What it was told last. Its version may be the known one. */
  get latest(): Snapshot {
    return this.#latest;
  }

  tell(snapshot: Snapshot): void {
    if (this.#ended) return;
    this.#latest = snapshot;
    this.#bell.ring();
  }

  end(why: StreamEnd): void {
    if (this.#ended) return;
    this.#ended = why;
    this.#options.signal?.removeEventListener('abort', this.#gone);
    this.#options.left();
    this.#bell.ring();
  }

  /** The state when it is not the known one; `undefined` after `waitMs`, or when this has ended. */
  async changed(waitMs: number): Promise<Snapshot | undefined> {
    const { clock } = this.#options;
    const deadline = clock.monotonicMs() + waitMs;
    for (;;) {
      if (this.#ended) return undefined;
      if (this.#latest.version !== this.#known) return this.#latest;
      const leftMs = deadline - clock.monotonicMs();
      if (leftMs <= 0) return undefined;
      await this.#bell.wait(leftMs, clock);
    }
  }

  /** Ends after a whole event. */
  async *events({ heartbeatMs, maxAgeMs, taken }: EventOptions): AsyncGenerator<FeedEvent, void, undefined> {
    const { clock } = this.#options;
    const oldAt = clock.monotonicMs() + maxAgeMs;
    try {
      while (!this.#ended) {
        const untilOldMs = oldAt - clock.monotonicMs();
        const snapshot = await this.changed(Math.min(heartbeatMs, untilOldMs));
        if (this.#ended) return;
        if (snapshot) {
          this.#known = snapshot.version;
          taken();
          yield { type: 'overview', id: snapshot.version, json: snapshot.json };
        } else if (untilOldMs <= heartbeatMs) this.end('age');
        else yield { type: 'idle', json: '' };
      }
    } finally {
      this.end('closed');
    }
  }

  readonly #gone = (): void => this.end('gone');
}

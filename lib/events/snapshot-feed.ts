/** One state of a process, such as the overview, for all who watch it: read once a second while somebody does, and told when it has changed. */
import { sleep } from '../clock.ts';
import type { Deps } from '../deps.ts';
import { StoreUnavailableError } from '../errors.ts';
import type { EventStore, Snapshot, SnapshotFeed, WatchOptions } from '../ports.ts';
import { endForbidden, sessionOwners } from './still-allowed.ts';
import type { StreamPlaces } from './stream-places.ts';
import { Watcher } from './watcher.ts';

export type SnapshotFeedDeps = Pick<Deps, 'clock' | 'log' | 'apiKeys' | 'accounts'> & {
  events: Pick<EventStore, 'queues'>;
  places: StreamPlaces;
  /** Returns the same object while it is asked again within a second. */
  read(): Promise<Snapshot>;
};

const everyMs = 1_000;

class SharedSnapshots implements SnapshotFeed {
  readonly #deps: SnapshotFeedDeps;
  readonly #watchers = new Set<Watcher>();
  readonly #stop = new AbortController();
  #isLooking = false;
  #isDraining = false;
  #taken = 0;

  constructor(deps: SnapshotFeedDeps) {
    this.#deps = deps;
  }

  now(): Promise<Snapshot> {
    return this.#deps.read();
  }

  async take({ waitMs, ...options }: Parameters<SnapshotFeed['take']>[0]): Promise<Snapshot> {
    const first = await this.now();
    if (first.version !== options.known) return first;
    const watcher = this.#watch(options, first);
    try {
      return (await watcher.changed(waitMs)) ?? watcher.latest;
    } finally {
      watcher.end('closed');
    }
  }

  async open({ heartbeatMs, maxAgeMs, ...options }: Parameters<SnapshotFeed['open']>[0]) {
    const first = await this.now();
    const watcher = this.#watch(options, first);
    const taken = (): void => {
      this.#taken += 1;
    };
    return watcher.events({ heartbeatMs, maxAgeMs, taken });
  }

  drain(): void {
    this.#isDraining = true;
    this.#endAll('drain');
  }

  taken(): number {
    return this.#taken;
  }

  close(): void {
    this.drain();
    this.#stop.abort();
  }

  #watch({ who, known, signal }: WatchOptions, latest: Snapshot): Watcher {
    let giveBack = (): void => undefined;
    const left = (): void => {
      giveBack();
      this.#watchers.delete(watcher);
    };
    const watcher = new Watcher({ who, signal, known, latest, clock: this.#deps.clock, left });
    if (this.#isDraining) watcher.end('drain');
    if (watcher.ended) return watcher;
    try {
      giveBack = this.#deps.places.take(who, () => watcher.end('room'));
    } catch (error) {
      watcher.end('closed');
      throw error;
    }
    this.#watchers.add(watcher);
    if (!this.#isLooking) void this.#keepLooking();
    return watcher;
  }

  async #keepLooking(): Promise<void> {
    const { signal } = this.#stop;
    this.#isLooking = true;
    while (this.#watchers.size > 0 && !signal.aborted) {
      await this.#look();
      await sleep(this.#deps.clock, everyMs, signal);
    }
    this.#isLooking = false;
  }

  /** Who may not watch any more is not told what was found; nor is who came meanwhile, and has something newer. */
  async #look(): Promise<void> {
    try {
      const snapshot = await this.now();
      const watchers = [...this.#watchers];
      const found = await this.#deps.events.queues(sessionOwners(watchers));
      await endForbidden(watchers, new Map(found.map((queue) => [queue.userId, queue])), this.#deps);
      for (const watcher of watchers) watcher.tell(snapshot);
    } catch (error) {
      if (!(error instanceof StoreUnavailableError))
        this.#deps.log.error({ err: error }, 'a look at the overview failed');
      this.#endAll('away');
    }
  }

  #endAll(why: 'drain' | 'away'): void {
    for (const watcher of [...this.#watchers]) watcher.end(why);
  }
}

export const createSnapshotFeed = (deps: SnapshotFeedDeps): SnapshotFeed => new SharedSnapshots(deps);

/**
 * The live events of one process. Its streams share what they read and what they hear: hints say where to look, and one look at all users
 * finds what no hint has told.
 */
import { createBatcher } from '../batcher.ts';
import { sleep } from '../clock.ts';
import type { Deps } from '../deps.ts';
import { StoreUnavailableError } from '../errors.ts';
import type { Cursor, EventEntry, EventStore, Feed, FeedEventType, FeedOptions, HintSource } from '../ports.ts';
import type { UserQueue } from '../types.ts';
import { cursorAfter, cursorFor } from './cursor.ts';
import { Listener } from './listener.ts';
import { look } from './look.ts';
import type { StreamPlaces } from './stream-places.ts';
import { noteQueue, type WatchedUser, watchedUserOf } from './watched-users.ts';

export type FeedDeps = Pick<Deps, 'clock' | 'log' | 'apiKeys' | 'accounts'> & {
  events: EventStore;
  ledger: Pick<Deps['ledger'], 'oldestPending'>;
  places: StreamPlaces;
  /** Calls `heard` with each hint. Without it, looks alone find what happens. */
  openHints?: (heard: (userId: string, seq?: number) => void) => HintSource;
};

/** Streams that read at the same time share a query of at most so many entries. */
const readBatch = {
  maxItems: 500,
  maxInFlight: 1,
  maxSize: 500,
  sizeOf: ({ seqs }: { seqs: number[] }) => seqs.length,
};

/** `lookEveryMs`: between two looks at all users. `lookSoonMs`: at those that somebody has just begun to listen to; without hints, at all. */
export type FeedTimes = { lookEveryMs: number; lookSoonMs: number };

const usualTimes: FeedTimes = { lookEveryMs: 2_000, lookSoonMs: 250 };
/** By then hints about a user are sent. */
const newForMs = 1_500;
/** Nobody has listened for so long. */
const hintsForMs = 30_000;

type Asked = { userId: string; seqs: number[] };

const readTogether =
  (events: EventStore) =>
  async (asked: Asked[]): Promise<EventEntry[][]> => {
    const ids = new Map(asked.flatMap(({ userId, seqs }) => seqs.map((seq) => [`${userId}:${seq}`, { userId, seq }])));
    const byUser = Map.groupBy(await events.entries([...ids.values()]), ({ userId }) => userId);
    for (const entries of byUser.values()) entries.sort((one, other) => one.seq - other.seq);
    return asked.map(({ userId, seqs }) => (byUser.get(userId) ?? []).filter(({ seq }) => seqs.includes(seq)));
  };

/** Where a client begins that knows nothing: with the first request that is not settled. */
const unsettledOf = async ({ userId, accepted, settled }: UserQueue, { ledger }: FeedDeps): Promise<Cursor> => {
  const oldest = accepted > settled ? await ledger.oldestPending(userId, settled + 1) : undefined;
  return cursorAfter(oldest ? oldest.seq - 1 : accepted);
};

class EventFeed implements Feed {
  readonly #deps: FeedDeps;
  readonly #times: FeedTimes;
  readonly #users = new Map<string, WatchedUser>();
  /** Users that are looked at soon, until when. */
  readonly #new = new Map<WatchedUser, number>();
  /** How many of the users are in each lane. */
  readonly #lanes = new Map<number, number>();
  readonly #hints: HintSource | undefined;
  readonly #taken = new Map<FeedEventType, number>();
  readonly #read: (asked: Asked) => Promise<EventEntry[]>;
  readonly #stop = new AbortController();
  #isLooking = false;
  #isDraining = false;

  constructor(deps: FeedDeps, times: FeedTimes) {
    this.#deps = deps;
    this.#times = times;
    this.#read = createBatcher(readTogether(deps.events), readBatch);
    this.#hints = deps.openHints?.((userId, seq) => this.hint(userId, seq));
  }

  async open(options: FeedOptions): Promise<Listener> {
    const { queue, seq, once } = options;
    const known = options.cursor ?? (seq === undefined ? await unsettledOf(queue, this.#deps) : cursorAfter(seq - 1));
    const user = (!once && this.#users.get(queue.userId)) || watchedUserOf(queue);
    noteQueue(user, queue);
    let giveBack = (): void => undefined;
    const ofRequest = seq === undefined ? known : cursorFor(known, seq);
    const listener = new Listener(options, ofRequest, user, {
      clock: this.#deps.clock,
      read: (userId, seqs) => this.#read({ userId, seqs }),
      firstAfter: this.#deps.events.firstAfter,
      taken: (type) => void this.#taken.set(type, (this.#taken.get(type) ?? 0) + 1),
      left: (stream) => {
        giveBack();
        this.#remove(stream);
      },
    });
    if (seq !== undefined && ofRequest.settledThrough >= seq) listener.end('settled');
    if (this.#isDraining) listener.end('drain');
    if (once || listener.ended) return listener;
    try {
      giveBack = this.#deps.places.take(options.who, () => listener.end('room'));
    } catch (error) {
      listener.close();
      throw error;
    }
    this.#add(listener);
    return listener;
  }

  hint(userId: string, seq?: number): void {
    const user = this.#users.get(userId);
    if (!user) return;
    if (seq !== undefined) user.hinted = Math.max(user.hinted, seq);
    for (const stream of user.streams) stream.notify(seq);
  }

  drain(): void {
    this.#isDraining = true;
    for (const { streams } of this.#users.values()) for (const stream of streams) stream.end('drain');
  }

  streams(): number {
    return this.#deps.places.taken();
  }

  taken(): ReadonlyMap<FeedEventType, number> {
    return this.#taken;
  }

  async close(): Promise<void> {
    this.drain();
    this.#stop.abort();
    await this.#hints?.close();
  }

  #add(listener: Listener): void {
    const { user } = listener;
    user.streams.add(listener);
    if (!this.#users.has(user.userId)) {
      this.#users.set(user.userId, user);
      const others = this.#lanes.get(user.lane) ?? 0;
      this.#lanes.set(user.lane, others + 1);
      if (others === 0) this.#followLanes();
    }
    this.#new.set(user, this.#deps.clock.monotonicMs() + newForMs);
    if (!this.#isLooking) void this.#keepLooking();
  }

  #remove(listener: Listener): void {
    const { user } = listener;
    if (!user.streams.delete(listener) || user.streams.size > 0) return;
    this.#users.delete(user.userId);
    this.#new.delete(user);
    this.#lanes.set(user.lane, (this.#lanes.get(user.lane) ?? 1) - 1);
  }

  #followLanes(): void {
    for (const [lane, users] of this.#lanes) if (users === 0) this.#lanes.delete(lane);
    this.#hints?.follow(new Set(this.#lanes.keys()));
  }

  async #keepLooking(): Promise<void> {
    const { clock } = this.#deps;
    const { signal } = this.#stop;
    const { lookEveryMs, lookSoonMs } = this.#times;
    this.#isLooking = true;
    let lookAllAt = clock.monotonicMs() + lookEveryMs;
    let emptySince: number | undefined;
    while (!signal.aborted) {
      await sleep(clock, lookSoonMs, signal);
      const now = clock.monotonicMs();
      const looksAtAll = !this.#hints || now >= lookAllAt;
      for (const [user, until] of this.#new) if (until <= now) this.#new.delete(user);
      await this.#look(looksAtAll ? [...this.#users.values()] : [...this.#new.keys()]);
      if (looksAtAll) {
        lookAllAt = clock.monotonicMs() + lookEveryMs;
        if (this.#users.size > 0) this.#followLanes();
      }
      emptySince = this.#users.size > 0 ? undefined : (emptySince ?? now);
      if (emptySince !== undefined && now - emptySince >= hintsForMs) break;
    }
    this.#isLooking = false;
    if (this.#users.size === 0) this.#hints?.follow(new Set());
  }

  async #look(users: WatchedUser[]): Promise<void> {
    if (users.length === 0) return;
    try {
      await look(users, this.#deps);
    } catch (error) {
      // The next look may succeed. Who reports it is the store.
      if (!(error instanceof StoreUnavailableError))
        this.#deps.log.error({ err: error }, 'a look at live events failed');
    }
  }
}

export const createFeed = (deps: FeedDeps, times: Partial<FeedTimes> = {}): Feed =>
  new EventFeed(deps, { ...usualTimes, ...times });

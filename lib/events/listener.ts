/** One stream of events: it reads what its client does not know yet, when the client takes it. */
import { StoreClosedError, StoreUnavailableError } from '../errors.ts';
import type { PlaceOwner } from '../places.ts';
import type {
  Clock,
  Cursor,
  EventEntry,
  FeedEvent,
  FeedEventType,
  FeedOptions,
  FeedStream,
  StreamEnd,
} from '../ports.ts';
import { Bell } from './bell.ts';
import { cursorText } from './cursor.ts';
import { pastDeleted } from './deleted.ts';
import { Hinted, hintedInRead } from './hinted.ts';
import { QueueTeller } from './queue-teller.ts';
import { isMoreAfter, liveWindow, pageSize, type Wanted, wantedAfter, wantedOf } from './wanted.ts';
import { lastOf, queueText, settledFor, type WatchedUser } from './watched-users.ts';
import { whatHappened } from './what-happened.ts';

/** A page of `take`. */
const takenEvents = 100;
const takenChars = 1_048_576;
/** After MongoDB has not answered. */
const retryMs = 1_000;
const never = Number.POSITIVE_INFINITY;

type ListenerDeps = {
  clock: Pick<Clock, 'monotonicMs' | 'after'>;
  /** In the order of `seq`; what does not exist is left out. */
  read(userId: string, seqs: number[]): Promise<EventEntry[]>;
  /** The first request behind `seq` that is in the ledger. */
  firstAfter(userId: string, seq: number): Promise<number | undefined>;
  taken(type: FeedEventType): void;
  /** The stream has ended. */
  left(listener: Listener): void;
};

export class Listener implements FeedStream {
  readonly who: PlaceOwner;
  readonly asOperator: boolean;
  readonly user: WatchedUser;
  readonly #deps: ListenerDeps;
  readonly #options: FeedOptions;
  readonly #hinted = new Hinted();
  readonly #bell = new Bell();
  #known: Cursor;
  #window = liveWindow;
  #isDirty = true;
  #ended: StreamEnd | undefined;
  readonly #queueTeller = new QueueTeller();

  constructor(options: FeedOptions, known: Cursor, user: WatchedUser, deps: ListenerDeps) {
    this.who = options.who;
    this.asOperator = options.asOperator ?? false;
    this.user = user;
    this.#options = options;
    this.#known = known;
    this.#deps = deps;
    options.signal?.addEventListener('abort', this.#gone);
    if (options.signal?.aborted) this.#gone();
  }

  get cursor(): string {
    return cursorText(this.#known);
  }

  get ended(): StreamEnd | undefined {
    return this.#ended;
  }

  /** What the client knows, when nothing is on its way to it. */
  get known(): Cursor | undefined {
    return this.#isDirty ? undefined : this.#known;
  }

  /** There may be news; of this request, apart from the first that is not settled. */
  notify(seq = 0): void {
    const { settledThrough, acceptedThrough } = this.#known;
    const isElsewhere = seq > settledThrough + liveWindow && seq <= acceptedThrough;
    if (isElsewhere) this.#hinted.add(seq);
    this.#isDirty = true;
    this.#bell.ring();
  }

  notifyOfQueue(): void {
    this.#queueTeller.note();
    this.#bell.ring();
  }

  end(why: StreamEnd): void {
    if (this.#ended) return;
    this.#ended = why;
    this.#options.signal?.removeEventListener('abort', this.#gone);
    this.#deps.left(this);
    this.#bell.ring();
  }

  close(): void {
    this.end('closed');
  }

  queue(): string {
    return queueText(this.user, this.#known, this.#options.seq);
  }

  async take(waitMs: number): Promise<FeedEvent[]> {
    const { clock } = this.#deps;
    const deadline = clock.monotonicMs() + waitMs;
    const events: FeedEvent[] = [];
    let chars = 0;
    for (;;) {
      for (const event of await this.#read()) {
        chars += event.json.length;
        events.push(event);
      }
      const isEnough = events.length >= takenEvents || chars >= takenChars;
      if (this.#ended || isEnough || (events.length > 0 && !this.#isDirty)) break;
      const leftMs = deadline - clock.monotonicMs();
      if (!this.#isDirty && leftMs <= 0) break;
      await this.#wait(leftMs);
    }
    for (const { type } of events) this.#deps.taken(type);
    return events;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<FeedEvent, void, undefined> {
    const { clock, taken } = this.#deps;
    const { heartbeatMs = never, maxAgeMs = never } = this.#options;
    const oldAt = clock.monotonicMs() + maxAgeMs;
    let heardAt = clock.monotonicMs();
    try {
      while (!this.#ended) {
        const news = await this.#readWhenPossible();
        const queue = this.#queueTeller.due(clock.monotonicMs(), () => this.queue());
        for (const event of queue === undefined ? news : [...news, { type: 'queue' as const, json: queue }]) {
          if (this.#ended && this.#ended !== 'settled') return;
          heardAt = clock.monotonicMs();
          taken(event.type);
          yield event;
        }
        const now = clock.monotonicMs();
        if (now >= oldAt) this.end('age');
        else if (now - heardAt < heartbeatMs)
          await this.#wait(Math.min(heardAt + heartbeatMs, oldAt, this.#queueTeller.dueAt()) - now);
        else {
          heardAt = now;
          yield { type: 'idle', json: '' };
        }
      }
    } finally {
      this.close();
    }
  }

  readonly #gone = (): void => this.end('gone');

  /** While MongoDB is away, the stream stays open. */
  async #readWhenPossible(): Promise<FeedEvent[]> {
    try {
      return await this.#read();
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || error instanceof StoreClosedError) throw error;
      this.#isDirty = false;
      await this.#wait(retryMs);
      this.#isDirty = true;
      return [];
    }
  }

  async #read(): Promise<FeedEvent[]> {
    if (!this.#isDirty) return [];
    this.#isDirty = false;
    const wanted = this.#wanted();
    if (wanted.seqs.length === 0) return [];
    // What is missing in a read that begins now was deleted from the ledger, up to here.
    const { settled: flushed } = this.user;
    const entries = await this.#deps.read(this.user.userId, wanted.seqs);
    const past = await pastDeleted(this.#known, entries, flushed, (seq) =>
      this.#deps.firstAfter(this.user.userId, seq),
    );
    if (past) return this.#passOver(past);
    const { events, cursor } = whatHappened(this.#known, entries);
    this.#known = cursor;
    this.user.accepted = Math.max(this.user.accepted, entries.at(-1)?.seq ?? 0);
    if (events.length > 0) this.#queueTeller.note();
    const { seq, show } = this.#options;
    if (seq !== undefined) {
      if (cursor.settledThrough >= seq) this.end('settled');
    } else {
      this.#window = cursor.settledThrough >= wanted.frontTo ? pageSize : liveWindow;
      if (isMoreAfter(cursor, wanted, lastOf(this.user))) this.#isDirty = true;
    }
    const settled = settledFor(this.user, cursor, seq);
    return events.map(({ type, entry, cursor }) => ({ id: cursorText(cursor), type, json: show(entry, settled) }));
  }

  #passOver(known: Cursor): FeedEvent[] {
    this.#known = known;
    this.#isDirty = true;
    if (known.settledThrough >= (this.#options.seq ?? never)) this.end('settled');
    return [];
  }

  #wanted(): Wanted {
    const { seq } = this.#options;
    if (seq !== undefined) return wantedOf(this.#known, seq);
    const hinted = this.#hinted.take(hintedInRead, this.#known.settledThrough);
    if (!this.#hinted.isEmpty) this.#isDirty = true;
    return wantedAfter(this.#known, lastOf(this.user), this.#window, hinted);
  }

  /** Until there may be news, or the stream has ended. */
  async #wait(ms: number): Promise<void> {
    if (!this.#isDirty && !this.#ended) await this.#bell.wait(ms, this.#deps.clock);
  }
}

/** One connection for everything that a client waits for: a browser has only six for each host. */
import type { LaneEvent, Queue, QueueProgress, RequestEvent, RequestState, StateEvent } from '../types.ts';
import { unlessAborted } from '../wait.ts';
import { createInbox, type Inbox } from './inbox.ts';
import { asEvent, isSettled, progressOf } from './progress.ts';

/** The states of a request. */
const mostUnread = 32;

/** The queue changes all the time. A reader needs to know only how it is, and must not lose the end of a request for that. */
const openInbox = (): Inbox<LaneEvent> =>
  createInbox(mostUnread, (event, waiting) => event.type === 'queue' && waiting.type === 'queue');
/** So many requests, the newest, are known without asking the API. */
const mostRemembered = 256;
/** The next reader often comes right after the last one. */
const lingerMs = 1_000;

type Sources = {
  follow(options: { after: string; signal: AbortSignal }): AsyncIterable<LaneEvent>;
  queue(options: { signal: AbortSignal }): Promise<Queue>;
  state(seq: number, options: { signal: AbortSignal }): Promise<RequestState>;
};

/** Without `seq` it reads about the queue alone. */
type Reader = { inbox: Inbox<LaneEvent>; seq?: number };

type Connection = {
  over: AbortController;
  readers: Set<Reader>;
  /** The queue when it began. Whatever happens to requests that were not settled then comes over it. */
  begun: Promise<QueueProgress>;
  queue?: QueueProgress;
  /** The last event of each request. */
  told: Map<number, StateEvent>;
  /** The highest `seq` of an event. */
  newest: number;
};

const remember = (connection: Connection, event: StateEvent): void => {
  const { told } = connection;
  const { seq } = event.request;
  connection.newest = Math.max(connection.newest, seq);
  told.delete(seq);
  told.set(seq, event);
  const [oldest = seq] = told.keys();
  if (told.size > mostRemembered) told.delete(oldest);
};

/** A request that waits, when fewer requests are before it. */
const movedUp = (request: RequestState, { settled }: QueueProgress): RequestEvent | undefined => {
  const position = Math.max(1, request.seq - settled);
  if (request.position === undefined || position >= request.position) return undefined;
  return { type: 'position', request: { ...request, position } };
};

/** What an event tells somebody who knows `last` already. */
const newsIn = (event: LaneEvent, last: RequestEvent | undefined): RequestEvent | undefined => {
  if (event.type === 'queue') return last && movedUp(last.request, event.queue);
  return last && progressOf(event.request) <= progressOf(last.request) ? undefined : event;
};

export class Hub {
  readonly #sources: Sources;
  readonly #closed: AbortSignal;
  #current: Connection | undefined;
  #lingering: ReturnType<typeof setTimeout> | undefined;

  constructor(sources: Sources, closed: AbortSignal) {
    this.#sources = sources;
    this.#closed = closed;
  }

  /** `isNew`: this client has just enqueued it, so there is such a request. */
  async *watch(seq: number, { isNew, signal }: { isNew: boolean; signal: AbortSignal }): AsyncGenerator<RequestEvent> {
    const inbox = openInbox();
    const { connection, end } = this.#join({ seq, inbox });
    try {
      let last = await this.#stateNow(connection, { seq, isNew, signal });
      if (last) yield last;
      if (last && isSettled(last.request)) return;
      for await (const event of inbox.read(signal)) {
        const news = newsIn(event, last);
        if (!news) continue;
        last = { type: news.type, request: news.request };
        yield last;
        if (isSettled(last.request)) return;
      }
    } finally {
      end();
    }
  }

  async *queueEvents(signal: AbortSignal): AsyncGenerator<QueueProgress> {
    const inbox = openInbox();
    const { connection, end } = this.#join({ inbox });
    try {
      const first = await unlessAborted(connection.begun, signal);
      yield connection.queue ?? first;
      for await (const event of inbox.read(signal)) if (event.type === 'queue') yield event.queue;
    } finally {
      end();
    }
  }

  /** Keeps the connection open until the client is closed. */
  hold(): void {
    this.#join({ inbox: openInbox() });
  }

  /** `end` ends the reading. */
  #join(reader: Reader): { connection: Connection; end: () => void } {
    clearTimeout(this.#lingering);
    this.#current ??= this.#start();
    const connection = this.#current;
    connection.readers.add(reader);
    const end = (): void => {
      connection.readers.delete(reader);
      if (connection.readers.size > 0) return;
      if (this.#closed.aborted) this.#leave(connection);
      else if (connection === this.#current) this.#lingering = setTimeout(() => this.#leave(connection), lingerMs);
    };
    return { connection, end };
  }

  #start(): Connection {
    const over = new AbortController();
    const signal = AbortSignal.any([this.#closed, over.signal]);
    const begun = this.#sources.queue({ signal });
    const own: Connection = { over, begun, readers: new Set(), told: new Map(), newest: 0 };
    this.#run(own, signal).catch((error) => {
      this.#leave(own);
      for (const { inbox } of own.readers) inbox.fail(error);
    });
    return own;
  }

  async #run(own: Connection, signal: AbortSignal): Promise<void> {
    const { settled } = await own.begun;
    for await (const event of this.#sources.follow({ after: String(settled), signal })) {
      if (event.type === 'queue') own.queue = event.queue;
      else remember(own, event);
      for (const { seq, inbox } of own.readers)
        if (event.type === 'queue' || event.request.seq === seq) inbox.push(event);
    }
  }

  #leave(own: Connection): void {
    own.over.abort();
    if (this.#current === own) this.#current = undefined;
  }

  /** `undefined`: its first event comes over the connection. */
  async #stateNow(
    connection: Connection,
    { seq, isNew, signal }: { seq: number; isNew: boolean; signal: AbortSignal },
  ): Promise<RequestEvent | undefined> {
    const { settled } = await unlessAborted(connection.begun, signal);
    const told = connection.told.get(seq);
    if (told) return { type: told.type, request: told.request };
    if (isNew && seq > settled && seq > connection.newest) return undefined;
    return asEvent(await this.#sources.state(seq, { signal }));
  }
}

/** The calls of the API, answered from memory. */
import type { Calls, Item, Until } from '../client.ts';
import { ApiError, type ApiProblem } from '../errors.ts';
import { createInbox, type Inbox } from '../events/inbox.ts';
import { asEvent, isSettled } from '../events/progress.ts';
import type {
  Accepted,
  LaneEvent,
  PageOptions,
  Queue,
  RequestPage,
  RequestState,
  StateEvent,
  StateEventType,
} from '../types.ts';

/** Does one request. What it throws is a failed attempt; after the last one the request has failed. */
export type TestProcessor = (request: unknown, context: { seq: number; attempt: number }) => unknown;

type Entry = { item: Item; state: RequestState };

/** A test that reads no events for longer misses some. */
const mostUnread = 10_000;

const copyOf = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value ?? null));
const now = (): string => new Date().toISOString();

const refusalOf = (status: number, code: string, title: string): ApiError =>
  new ApiError({ status, code, title } as ApiProblem);

/** Nothing has run yet. */
const isUntouched = ({ status, attempts }: RequestState): boolean => status === 'queued' && attempts === 0;

const runErrorOf = (thrown: unknown) =>
  thrown instanceof Error ? { name: thrown.name, message: thrown.message } : { name: 'Error', message: String(thrown) };

/** As the API would judge the oldest pending request of a user whose worker is there. */
const verdictOn = (head: RequestState | undefined): Queue['verdict'] => {
  if (!head) return { code: 'idle', text: 'Nothing is pending.' };
  const { seq, status, retryAt } = head;
  if (status === 'queued') return { code: 'next', text: `Request ${seq} is next.`, seq };
  if (retryAt === undefined) return { code: 'running', text: `Request ${seq} runs.`, seq };
  return {
    code: 'between-attempts',
    text: `Request ${seq} failed, and waits for its next attempt.`,
    seq,
    until: retryAt,
  };
};

export class MemoryQueue implements Calls {
  readonly #processor: TestProcessor;
  readonly #maxAttempts: number;
  readonly #admit: () => void;
  readonly #entries: Entry[] = [];
  /** Behind the id of an event come those with a higher index. */
  readonly #told: StateEvent[] = [];
  readonly #readers = new Set<Inbox<LaneEvent>>();
  #isRunning = false;
  #isClosed = false;

  /** `admit` is called before each call, and may throw. */
  constructor(processor: TestProcessor, maxAttempts: number, admit: () => void) {
    this.#processor = processor;
    this.#maxAttempts = maxAttempts;
    this.#admit = admit;
  }

  enqueue(item: Item, until: Until): Promise<Accepted> {
    return this.#answer(until, () => this.#accept(item));
  }

  enqueueMany(items: Item[], until: Until): Promise<Accepted[]> {
    return this.#answer(until, () => items.map((item) => this.#accept(item)));
  }

  state(seq: number, until: Until): Promise<RequestState> {
    return this.#answer(until, () => this.#entryOf(seq).state);
  }

  cancel(seq: number, until: Until): Promise<RequestState> {
    return this.#answer(until, () => this.#cancel(this.#entryOf(seq)));
  }

  cancelAll(_upTo: number | undefined, until: Until): Promise<{ cancelled: number }> {
    return this.#answer(until, () => ({ cancelled: this.#cancelWaiting() }));
  }

  queue(until: Until): Promise<Queue> {
    return this.#answer(until, () => this.#queueNow());
  }

  requests({ status, after = 0, limit = 50 }: Omit<PageOptions, 'signal'>, until: Until): Promise<RequestPage> {
    return this.#answer(until, () => {
      const states = this.#entries.map(({ state }) => state);
      const found = states.filter((state) => state.seq > after && (!status || state.status === status));
      const requests = found.slice(0, limit);
      const next = found.length > limit && requests.at(-1)?.seq;
      return { requests, ...(next && { next }) };
    });
  }

  async *follow({ after, signal }: { after: string; signal: AbortSignal }): AsyncGenerator<LaneEvent> {
    const inbox = createInbox<LaneEvent>(mostUnread);
    for (const event of this.#missed(after)) inbox.push(event);
    this.#readers.add(inbox);
    try {
      yield* inbox.read(signal);
    } finally {
      this.#readers.delete(inbox);
    }
  }

  async disconnect({ pending, waitSeconds }: { pending: string; waitSeconds: number }, until: Until) {
    await this.#answer(until, () => undefined);
    this.#isClosed = true;
    if (pending === 'cancel') this.#cancelWaiting();
    const end = Date.now() + waitSeconds * 1_000;
    while (this.#queueNow().pending > 0 && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
    return { queue: this.#queueNow().pending > 0 ? 'draining' : 'closed' } as const;
  }

  async #answer<Body>({ signal }: Until, body: () => Body): Promise<Body> {
    signal.throwIfAborted();
    this.#admit();
    return copyOf(body());
  }

  #entryOf(seq: number): Entry {
    const entry = this.#entries[seq - 1];
    if (!entry) throw refusalOf(404, 'request-not-found', `There is no request ${seq}.`);
    return entry;
  }

  #queueNow(): Queue {
    const accepted = this.#entries.length;
    const open = this.#entries.findIndex(({ state }) => !isSettled(state));
    const settled = open < 0 ? accepted : open;
    const pending = accepted - settled;
    const state = this.#isClosed && pending === 0 ? 'closed' : 'open';
    return { accepted, settled, pending, state, lane: 0, verdict: verdictOn(this.#entries[open]?.state) };
  }

  #accept(item: Item): Accepted {
    const request = copyOf(item.request);
    const known = this.#entries.find((entry) => entry.item.key === item.key);
    if (known && JSON.stringify(known.item.request) !== JSON.stringify(request))
      throw refusalOf(422, 'idempotency-key-reused', 'The key was used for another request.');
    if (known) return { seq: known.state.seq, status: known.state.status, position: known.state.position ?? 0 };
    const { key, request: _, ...limits } = item;
    const [seq, position] = [this.#entries.length + 1, this.#queueNow().pending + 1];
    const entry: Entry = {
      item: { ...item, request },
      state: { seq, status: 'queued', key, position, attempts: 0, acceptedAt: now(), ...limits },
    };
    this.#entries.push(entry);
    this.#change(entry, {});
    void this.#run();
    return { seq, status: 'queued', position };
  }

  #cancel(entry: Entry): RequestState {
    if (entry.state.status === 'cancelled') return entry.state;
    if (!isUntouched(entry.state)) throw refusalOf(409, 'not-cancellable', 'The request runs, or is settled.');
    this.#change(entry, { status: 'cancelled' });
    return entry.state;
  }

  #cancelWaiting(): number {
    const waiting = this.#entries.filter(({ state }) => isUntouched(state));
    for (const entry of waiting) this.#cancel(entry);
    return waiting.length;
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    // The caller gets its answer first.
    await Promise.resolve();
    for (;;) {
      const next = this.#entries.find(({ state }) => !isSettled(state));
      if (!next) break;
      await this.#attempt(next);
    }
    this.#isRunning = false;
  }

  async #attempt(entry: Entry): Promise<void> {
    const { item, state } = entry;
    const attempt = state.attempts + 1;
    this.#change(entry, { status: 'processing', attempts: attempt, startedAt: now(), retryAt: undefined, position: 1 });
    try {
      const result = await this.#processor(copyOf(item.request), { seq: state.seq, attempt });
      this.#change(entry, { status: 'done', result: copyOf(result), error: undefined });
    } catch (thrown) {
      const isLast = attempt >= (item.maxAttempts ?? this.#maxAttempts);
      this.#change(entry, { error: runErrorOf(thrown), ...(isLast ? { status: 'failed' } : { retryAt: now() }) });
    }
  }

  #change(entry: Entry, to: Partial<RequestState>): void {
    entry.state = { ...entry.state, ...to };
    if (isSettled(entry.state)) entry.state = { ...entry.state, position: undefined, settledAt: now() };
    const { type, request } = asEvent(entry.state);
    const event: StateEvent = { type: type as StateEventType, id: `e${this.#told.length}`, request: copyOf(request) };
    this.#told.push(event);
    const { lane: _, ...queue } = this.#queueNow();
    for (const reader of this.#readers) {
      reader.push(event);
      reader.push({ type: 'queue', queue });
    }
  }

  /** What somebody missed who knows everything up to `after`. */
  #missed(after: string): LaneEvent[] {
    if (after.startsWith('e')) return this.#told.slice(Number(after.slice(1)) + 1);
    const seqs = this.#entries.slice(Number(after)).map(({ state }) => state.seq);
    return seqs.flatMap((seq) => this.#told.findLast(({ request }) => request.seq === seq) ?? []);
  }
}
